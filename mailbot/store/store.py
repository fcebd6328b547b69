"""The store whole: receipts, decisions, replies and queries over one database."""

from __future__ import annotations

from mailbot.store.anew import DecidedAnew, Left
from mailbot.store.balance import Balance, Balances
from mailbot.store.decisions import AlreadyDecidedError, Decisions, NewReply, Settled
from mailbot.store.earlier import Copy, Earlier
from mailbot.store.flags import Flags
from mailbot.store.queries import Queries
from mailbot.store.reminders import Reminders
from mailbot.store.renames import Renames
from mailbot.store.replies import Replies, Settlement
from mailbot.store.rulings import Rulings, StaffEntry
from mailbot.store.standings import Standings


class Store(Rulings, Balances, Earlier, Decisions, Replies, Reminders, Renames, Standings, Queries, Flags):
    """Everything that mailbot knows, sent mails included; the raw mails lie in the archive beside it."""


__all__ = [
    "AlreadyDecidedError",
    "Balance",
    "Copy",
    "DecidedAnew",
    "Left",
    "NewReply",
    "Settled",
    "Settlement",
    "StaffEntry",
    "Store",
]

"""The store whole: receipts, decisions, replies and queries over one database."""

from __future__ import annotations

from mailbot.store.decisions import AlreadyDecidedError, Copy, Decisions, NewReply, Settled
from mailbot.store.queries import Queries
from mailbot.store.receipts import Receipts
from mailbot.store.replies import Replies, Settlement


class Store(Receipts, Decisions, Replies, Queries):
    """Everything that mailbot knows, sent mails included; the raw mails lie in the archive beside it."""


__all__ = ["AlreadyDecidedError", "Copy", "NewReply", "Settled", "Settlement", "Store"]

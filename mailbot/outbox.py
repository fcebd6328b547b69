"""Sends the replies that are queued, each at most once, in order of arrival and at the provider's pace.

A reply is `sending` before its first byte leaves and `sent` after the server's 250. What a crash left in `sending`
is looked up in the Sent folder; if that cannot tell, a person decides: nothing is sent blindly again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from mailbot.config import Config, Mailbox
from mailbot.errors import (
    DeliveryUncertainError,
    LoginError,
    RateLimitedError,
    RecipientRefusedError,
    TemporaryError,
)
from mailbot.mail.imap import ReplyFolders
from mailbot.mail.smtp import Submission
from mailbot.model import ReplyState
from mailbot.records import ReplyRecord
from mailbot.store.store import Settlement, Store

log = structlog.get_logger()

_AT_ONCE = 16
"""How many replies are marked `sending` together where there is no pacing: they share two commits."""
_RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=20), timedelta(hours=1))
_MOST_ATTEMPTS = 12
_SLOW_DOWN = timedelta(minutes=15)
_LOGIN_PAUSE = timedelta(minutes=30)


class Outbox:
    """The replies of one mailbox's account, over one held connection. For one thread."""

    def __init__(self, mailbox: Mailbox, config: Config, store: Store, clock: Callable[[], datetime]) -> None:
        self._mailbox = mailbox
        self._mode = config.replies.mode
        self._interval = timedelta(seconds=config.replies.min_interval_seconds)
        self._store = store
        self._clock = clock
        self._submission = Submission(mailbox.smtp)
        self._not_before = clock()
        self.wake = threading.Event()
        """Set by whoever queues a reply."""

    def close(self) -> None:
        self._submission.close()

    def recover(self) -> None:
        """Settle what a crash left in `sending`.

        Raises TemporaryError where the mailbox cannot be asked; then nothing is changed.
        """
        unfinished = [
            r for r in self._store.replies_in(ReplyState.SENDING) if r.mailbox == self._mailbox.name
        ]
        if not unfinished:
            return
        with ReplyFolders(self._mailbox) as folders:
            for reply in unfinished:
                state = self._what_became_of(reply, folders)
                log.warning("a reply was left unfinished", reply=reply.id, state=state.value)
                self._store.settle_replies(
                    (Settlement(reply=reply.id, state=state, error="interrupted"),), at=self._clock()
                )

    def _what_became_of(self, reply: ReplyRecord, folders: ReplyFolders) -> ReplyState:
        if self._mode == "draft":
            return ReplyState.DRAFTED if folders.has_draft(reply.message_id) else ReplyState.QUEUED
        return ReplyState.SENT if folders.has_sent(reply.message_id) else ReplyState.UNCERTAIN

    def flush(self, stop: threading.Event) -> bool:
        """Send what is due, in order and at the configured pace; False where the server does not let us."""
        while not stop.is_set():
            now = self._clock()
            due = self._store.due_replies(
                self._mailbox.name, now=now, limit=1 if self._interval else _AT_ONCE
            )
            if not due or self._mode == "off":
                return True
            pause = (self._not_before - now).total_seconds()
            if pause > self._interval.total_seconds():
                return False
            if pause > 0 and stop.wait(pause):
                return True
            if not self._send(due):
                return False
        return True

    def _send(self, due: tuple[ReplyRecord, ...]) -> bool:
        claimed = set(self._store.begin_sending([reply.id for reply in due], at=self._clock()))
        settled: list[Settlement] = []
        go_on = True
        for reply in due:
            if reply.id not in claimed:
                continue
            if go_on:
                settlement, go_on = self._deliver(reply)
            else:
                settlement = Settlement(reply=reply.id, state=ReplyState.QUEUED)
            settled.append(settlement)
        self._store.settle_replies(settled, at=self._clock())
        return go_on

    def _deliver(self, reply: ReplyRecord) -> tuple[Settlement, bool]:
        """One reply's delivery: how it ended, and whether the next one may follow."""
        self._not_before = self._clock() + self._interval
        try:
            self._hand_over(reply)
        except RecipientRefusedError as error:
            return Settlement(reply=reply.id, state=ReplyState.FAILED, error=str(error)), True
        except DeliveryUncertainError as error:
            return Settlement(reply=reply.id, state=ReplyState.UNCERTAIN, error=str(error)), False
        except TemporaryError as error:
            return self._put_off(reply, error), False
        state = ReplyState.DRAFTED if self._mode == "draft" else ReplyState.SENT
        log.info("replied", reply=reply.id, kind=reply.kind.value, state=state.value)
        return Settlement(reply=reply.id, state=state), True

    def _hand_over(self, reply: ReplyRecord) -> None:
        octets = self._store.reply_octets(reply.id)
        if self._mode == "draft":
            with ReplyFolders(self._mailbox) as folders:
                folders.append_draft(octets)
        else:
            self._submission.send(octets, self._mailbox.address, reply.to)

    def _put_off(self, reply: ReplyRecord, error: TemporaryError) -> Settlement:
        log.warning("reply put off", reply=reply.id, reason=str(error))
        now = self._clock()
        match error:
            case RateLimitedError():
                self._not_before = now + _SLOW_DOWN
            case LoginError():
                self._not_before = now + _LOGIN_PAUSE
            case _:
                self._not_before = now + _RETRY_AFTER[0]
        if reply.attempts + 1 >= _MOST_ATTEMPTS:
            return Settlement(reply=reply.id, state=ReplyState.FAILED, error=str(error))
        after = _RETRY_AFTER[min(reply.attempts, len(_RETRY_AFTER) - 1)]
        return Settlement(
            reply=reply.id, state=ReplyState.QUEUED, error=str(error), next_attempt_at=now + after
        )

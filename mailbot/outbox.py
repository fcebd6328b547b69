"""Sends the replies that are queued, each at most once, in order of arrival and at the provider's pace.

A reply is `sending` before its first byte leaves and `sent` after the server's 250. What a crash left in `sending`
is looked up in the Sent folder; if that cannot tell, a person decides: nothing is sent blindly again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING

from mailbot.breaker import Breaker
from mailbot.config import Config, Mailbox
from mailbot.errors import (
    DeliveryUncertainError,
    LoginError,
    RateLimitedError,
    RecipientRefusedError,
    TemporaryError,
    UnreachedError,
)
from mailbot.log import log
from mailbot.mail.connection import RefusedError
from mailbot.mail.reply_folders import ReplyFolders, marks
from mailbot.mail.smtp import Submission
from mailbot.model import ReplyKind, ReplyState
from mailbot.records import LOOK_FIRST, NOT_IN_SENT, PERHAPS_SENT, ReplyRecord
from mailbot.store.database import LONGEST_PAUSE
from mailbot.store.store import Settlement, Store

if TYPE_CHECKING:
    from mailbot.reminders import Reminders

_AT_ONCE = 25
"""How many replies are marked `sending` together where there is no pacing: they share two commits."""
_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 1, 1, 2, 5, 10))
"""How long nothing goes through the account after a temporary error: the longer, the more often in a row no connection
came about. It is kept in this process alone: another one tries at once."""
_RETRY_AFTER = (timedelta(0), timedelta(minutes=5), timedelta(minutes=20), LONGEST_PAUSE)
"""How long a letter waits after its first, second … failed attempt, beside the account's pause."""
_GIVEN_UP_AFTER = timedelta(days=5)
"""How long after it was queued a letter is tried again, before it counts as failed (RFC 5321 §4.5.4.1)."""
_SLOW_DOWN = timedelta(minutes=15)
"""Pause after the server said that we send too fast."""
_LOGIN_PAUSE = timedelta(minutes=30)
"""Pause after a refused login."""
_MOST_REFUSALS = 3
"""After so many refused logins in a row, or once the server said that we send too fast, the pause is kept in the store:
under cron each round is a new process, which has to keep it too."""
_LOOK_EVERY = timedelta(minutes=10)
"""How often the Sent folder is looked through for drafts that a person has sent, and for what left before a rebuild."""
_SENT_SINCE_A_BACKUP = 1000
"""How many mails of the Sent and the Drafts folder are looked through for what may have left before a rebuild."""
_SENT_IN_A_CAMPAIGN = 5000
"""The same for what may have left out of a lost database, which may be all letters of the campaign."""


class Outbox:
    """The replies of one mailbox's account, over one held connection. For one thread."""

    def __init__(
        self,
        mailbox: Mailbox,
        config: Config,
        store: Store,
        clock: Callable[[], datetime],
        *,
        reminders: Reminders | None = None,
        as_of_now: Callable[[ReplyRecord], bytes | None] = lambda _reply: None,
    ) -> None:
        self._mailbox = mailbox
        self._deadline = config.campaign.deadline
        self._as_of_now = as_of_now
        self._mode = config.replies.mode
        self._interval = timedelta(seconds=config.replies.min_interval_seconds)
        self._store = store
        self._clock = clock
        self._reminders = reminders
        self._breaker = Breaker(config, store, clock)
        self._submission = Submission(mailbox.smtp)
        self._flag = f"submission:{mailbox.name}"
        self._refusals = 0
        self._away = 0
        """How often in a row no connection came about."""
        self._paused = clock()
        self._not_before = self._end_of_pause()
        self._look_at_sent = clock()
        self._left_before: Mapping[str, ReplyState] | None = None
        """By Message-ID, what has left out of another database (`LOOK_FIRST`); None until a letter first needs to know."""
        self._ended: list[Settlement] = []
        """Results of attempts that are not written down yet: in the store these replies are still `sending`."""
        self._in_doubt = True
        """Whether replies may be `sending` that nobody sends: after a crash, or where the store failed."""
        self.wake = threading.Event()
        """Set by whoever queues a reply."""

    def close(self) -> None:
        self._submission.close()

    def _recover(self) -> None:
        """Settle what a crash left in `sending`.

        Raises TemporaryError where the mailbox cannot be asked; then nothing is changed.
        """
        unfinished = self._mine(ReplyState.SENDING)
        if not unfinished:
            return
        with self._pausing(), ReplyFolders(self._mailbox) as folders:
            for reply in unfinished:
                state = self._what_became_of(reply, folders)
                log.warning("a reply was left unfinished", reply=reply.id, state=state.value)
                self._store.settle_replies(
                    (Settlement(reply=reply.id, state=state, error="interrupted"),), at=self._clock()
                )

    @contextmanager
    def _pausing(self) -> Iterator[None]:
        """Pause the account where the mailbox could not be asked here: every new try would be a login."""
        try:
            yield
        except TemporaryError as error:
            self._pause_after(error)
            raise

    def _look_into_sent(self) -> None:
        """What is found in the Sent folder is `sent`: a draft that a person has sent, and a letter that was held because it
        may have left before a rebuild. Looked for now and then.

        Raises TemporaryError where the mailbox cannot be asked. A folder that it refuses holds no letter up.
        """
        now = self._clock()
        if timedelta(0) < self._look_at_sent - now <= _LOOK_EVERY:
            return
        self._look_at_sent = now + _LOOK_EVERY
        try:
            self._look_for_drafts(now)
            self._look_for_what_left(now)
        except RefusedError as error:
            log.warning("the Sent folder is not shown", mailbox=self._mailbox.name, reason=str(error))

    def _look_for_what_left(self, now: datetime) -> None:
        if not self._perhaps_sent():
            return
        left = self._what_left(_SENT_SINCE_A_BACKUP)
        ended = [
            Settlement(reply=reply.id, state=left[reply.message_id])
            if reply.message_id in left
            else Settlement(reply=reply.id, state=ReplyState.HELD, error=NOT_IN_SENT)
            for reply in self._perhaps_sent()
        ]
        self._store.settle_replies(ended, at=now)
        log.info("letters that may have left before the rebuild were looked for", letters=len(ended))

    def _what_left(self, newest: int) -> dict[str, ReplyState]:
        """So many newest letters in the Sent folder (and in draft mode the Drafts folder), by their marks, with the state that
        this means. Raises TemporaryError."""
        with ReplyFolders(self._mailbox) as folders:
            sent = folders.sent_marks(newest)
            laid = folders.draft_marks(newest) if self._mode == "draft" else frozenset()
        return dict.fromkeys(laid, ReplyState.DRAFTED) | dict.fromkeys(sent, ReplyState.SENT)

    def _not_left_yet(self, due: tuple[ReplyRecord, ...]) -> tuple[ReplyRecord, ...]:
        """Those of the replies that have not left out of another database, which this one may have replaced.

        A reply that must be looked for first (`LOOK_FIRST`) and is found in the Sent folder becomes `sent`.
        Raises TemporaryError where the mailbox cannot be asked; then they say so.
        """
        looked_for = [reply for reply in due if reply.is_looked_for_first]
        if not looked_for:
            return due
        if self._left_before is None:
            try:
                with self._pausing():
                    self._left_before = self._what_left(_SENT_IN_A_CAMPAIGN)
            except TemporaryError as error:
                self._wait_for(error, looked_for)
                raise
        left = self._left_before
        gone = [reply for reply in looked_for if reply.message_id in left]
        for reply in gone:
            log.warning("it has left already, out of another database", reply=reply.id)
        ended = [Settlement(reply=reply.id, state=left[reply.message_id]) for reply in gone]
        self._store.settle_replies(ended, at=self._clock())
        return tuple(reply for reply in due if reply not in gone)

    def _wait_for(self, error: TemporaryError, waiting: Iterable[ReplyRecord]) -> None:
        """Note with letters that were not tried why they wait, so that staff are told."""
        why = {True: f"{LOOK_FIRST}: {error}", False: str(error)}
        told = [
            Settlement(reply=r.id, state=ReplyState.QUEUED, error=why[r.is_looked_for_first]) for r in waiting
        ]
        self._store.settle_replies(told, at=self._clock())

    def _perhaps_sent(self) -> list[ReplyRecord]:
        return [r for r in self._mine(ReplyState.HELD) if r.error == PERHAPS_SENT and not r.dropped]

    def _mine(self, state: ReplyState) -> list[ReplyRecord]:
        """This mailbox's replies in a state."""
        return [r for r in self._store.replies_in(state) if r.mailbox == self._mailbox.name]

    def _look_for_drafts(self, now: datetime) -> None:
        drafts = self._mine(ReplyState.DRAFTED)
        drafted = self._store.reminders(state=ReplyState.DRAFTED)
        reminders = [r for r in drafted if r.mailbox == self._mailbox.name]
        if not drafts and not reminders:
            return
        from mailbot.reminders import reminder_marks

        with ReplyFolders(self._mailbox) as folders:
            sent = folders.sent_marks()
        gone = [r for r in drafts if marks(r.message_id, r.subject) & sent]
        self._store.settle_replies(
            [Settlement(reply=reply.id, state=ReplyState.SENT) for reply in gone], at=now
        )
        reminded = [r for r in reminders if reminder_marks(r, self._mailbox.address) & sent]
        for reminder in reminded:
            self._store.settle_reminder(reminder, ReplyState.SENT, at=now)
        if gone or reminded:
            log.info("drafts were sent by a person", replies=len(gone), reminders=len(reminded))

    def _what_became_of(self, reply: ReplyRecord, folders: ReplyFolders) -> ReplyState:
        if self._mode == "draft":
            laid = folders.has_draft(reply.message_id) or folders.has_sent(reply.message_id)
            return ReplyState.DRAFTED if laid else ReplyState.QUEUED
        return ReplyState.SENT if folders.has_sent(reply.message_id) else ReplyState.UNCERTAIN

    def flush(self, stop: threading.Event) -> bool:
        """Send what is due, in order and at the configured pace; False where the server does not let us.

        Raises TemporaryError where the store cannot be asked, or the mailbox about what a crash left unfinished.
        """
        self._settle()
        if self._in_doubt:
            if self._pause_left() > self._interval:
                return False
            try:
                self._recover()
            except TemporaryError as error:
                self._wait_for(error, self._store.due_replies(self._mailbox.name, now=self._clock(), limit=1))
                raise
        self._look_into_sent()
        self._in_doubt = True
        with self._store.looking():
            reached = self._flush(stop)
        self._in_doubt = False
        return reached

    def _flush(self, stop: threading.Event) -> bool:
        try:
            return self._send_what_is_due(stop)
        finally:
            self._settle()

    def _send_what_is_due(self, stop: threading.Event) -> bool:
        while not stop.is_set():
            now = self._clock()
            one_by_one = self._interval or self._away
            due = self._store.due_replies(self._mailbox.name, now=now, limit=1 if one_by_one else _AT_ONCE)
            reminding = not due and self._reminders is not None and self._reminders.wait()
            if self._mode == "off" or not (due or reminding) or self._is_stopped(due):
                return True
            if not self._paced(stop):
                return stop.is_set()
            due = self._up_to_date(self._not_left_yet(due), stop)
            if stop.is_set():
                return True
            if not (self._remind() if reminding else self._send(due)):
                return False
        return True

    def remind(self, stop: threading.Event) -> bool:
        """Send the reminders of the day at the configured pace; False where the server does not let us.

        Raises TemporaryError where it cannot be told who is to be reminded.
        """
        if self._reminders is None or self._mode == "off":
            return True
        if self._is_stopped(()):
            return False
        self._reminders.look()
        while not stop.is_set() and self._reminders.left:
            if not self._paced(stop):
                return stop.is_set()
            if not self._remind():
                return False
        return True

    def _is_stopped(self, due: tuple[ReplyRecord, ...]) -> bool:
        """Whether all sending is stopped (`Breaker`). Not in draft mode: there a person sends each letter."""
        if self._mode == "draft":
            return False
        return not self._breaker.lets_through(due) if due else self._breaker.stopped() is not None

    def _paced(self, stop: threading.Event) -> bool:
        """Wait until the next mail may go; False where that takes longer than the interval between two mails, or the
        worker stops."""
        left = self._pause_left()
        return left <= self._interval and not (left and stop.wait(left.total_seconds()))

    def _pause_left(self) -> timedelta:
        """A pause that was set by a clock ahead of now has ended."""
        now = self._clock()
        return max(self._not_before - now, timedelta(0)) if now >= self._paused else timedelta(0)

    def _remind(self) -> bool:
        """Send the next reminder; returns whether another mail may follow. One whose fate is uncertain is not sent again."""
        reminder = self._reminders.take() if self._reminders else None
        if self._reminders is None or reminder is None:
            return True
        self._pause(self._interval)
        said = ""
        try:
            self._hand_over(reminder.octets, reminder.record.recipient)
            state = ReplyState.DRAFTED if self._mode == "draft" else ReplyState.SENT
        except RecipientRefusedError as error:
            state, said = ReplyState.FAILED, str(error)
        except DeliveryUncertainError as error:
            state, said = ReplyState.UNCERTAIN, str(error)
        except TemporaryError as error:
            state, said = ReplyState.QUEUED, str(error)
            self._pause_after(error)
        self._reminders.settle(reminder, state, said)
        log.info("reminded", mailbox=self._mailbox.name, state=state.value, reason=said)
        return state not in (ReplyState.UNCERTAIN, ReplyState.QUEUED)

    def _up_to_date(self, due: tuple[ReplyRecord, ...], stop: threading.Event) -> tuple[ReplyRecord, ...]:
        """Those of the replies that may go now.

        A correction letter that was written before the deadline and leaves after it is written anew first, for it asked
        for something by the deadline. That takes time, so that it is not begun when the worker stops.
        """
        return tuple(
            reply
            for reply in due
            if reply.kind is not ReplyKind.CORRECTION
            or not reply.queued_at <= self._deadline < self._clock()
            or (not stop.is_set() and self._write_anew(reply))
        )

    def _write_anew(self, reply: ReplyRecord) -> bool:
        """Write a letter anew; returns whether it may go now. One that cannot be written anew goes as it is."""
        try:
            octets = self._as_of_now(reply)
        except TemporaryError as error:
            log.warning("a letter of before the deadline waits", reply=reply.id, reason=str(error))
            self._store.settle_replies((self._later(reply, error),), at=self._clock())
            return False
        except Exception:
            log.exception("a letter of before the deadline goes as it is", reply=reply.id)
            return True
        if octets is not None:
            self._store.write_anew(reply.id, octets, at=self._clock())
            log.info("written anew after the deadline", reply=reply.id)
        return True

    def _send(self, due: tuple[ReplyRecord, ...]) -> bool:
        """Send some replies one after the other; returns whether more may follow.

        Without a pause between mails, the results are written down in one transaction with the start of the next ones.
        """
        claimed = self._store.begin_sending(
            [reply.id for reply in due], at=self._clock(), ended=tuple(self._ended)
        )
        self._ended.clear()
        go_on = True
        sending = [reply for reply in due if reply.id in claimed]
        for reply, following in zip_longest(sending, sending[1:]):
            if go_on:
                settlement, go_on = self._deliver(reply, claimed[reply.id], following)
            else:
                settlement = Settlement(reply=reply.id, state=ReplyState.QUEUED)
            self._ended.append(settlement)
        if self._interval or not go_on:
            self._settle()
        return go_on

    def _settle(self) -> None:
        if self._ended:
            self._store.settle_replies(self._ended, at=self._clock())
            self._ended.clear()

    def _deliver(
        self, reply: ReplyRecord, octets: bytes, following: ReplyRecord | None
    ) -> tuple[Settlement, bool]:
        """One reply's delivery: how it ended, and whether the following one may be sent."""
        self._pause(self._interval)
        try:
            self._hand_over(octets, reply.to, following.to if following else None)
        except RecipientRefusedError as error:
            return Settlement(reply=reply.id, state=ReplyState.FAILED, error=str(error)), True
        except DeliveryUncertainError as error:
            return Settlement(reply=reply.id, state=ReplyState.UNCERTAIN, error=str(error)), False
        except TemporaryError as error:
            return self._put_off(reply, error), False
        self._refusals = 0
        state = ReplyState.DRAFTED if self._mode == "draft" else ReplyState.SENT
        log.info("replied", reply=reply.id, kind=reply.kind.value, state=state.value)
        return Settlement(reply=reply.id, state=state), True

    def _hand_over(self, octets: bytes, to: str, following: str | None = None) -> None:
        if self._mode == "draft":
            with ReplyFolders(self._mailbox) as folders:
                folders.append_draft(octets)
        else:
            self._submission.send(octets, self._mailbox.address, to, following=following)
        self._away = 0

    def _put_off(self, reply: ReplyRecord, error: TemporaryError) -> Settlement:
        log.warning("reply put off", reply=reply.id, reason=str(error))
        self._pause_after(error)
        return self._later(reply, error)

    def _later(self, reply: ReplyRecord, error: TemporaryError) -> Settlement:
        now = self._clock()
        if now - reply.queued_at > _GIVEN_UP_AFTER:
            return Settlement(reply=reply.id, state=ReplyState.FAILED, error=str(error))
        due = None
        if not isinstance(error, UnreachedError):
            due = now + _RETRY_AFTER[min(reply.attempts, len(_RETRY_AFTER) - 1)]
        return Settlement(reply=reply.id, state=ReplyState.QUEUED, error=str(error), next_attempt_at=due)

    def _pause_after(self, error: TemporaryError) -> None:
        now = self._clock()
        self._away = self._away + 1 if isinstance(error, UnreachedError) else 0
        match error:
            case RateLimitedError():
                pause, refusals = _SLOW_DOWN, _MOST_REFUSALS
            case LoginError():
                pause, refusals = _LOGIN_PAUSE, self._refusals + 1
            case _:
                pause, refusals = _PAUSES[min(self._away, len(_PAUSES) - 1)], 0
        self._pause(pause)
        if refusals:
            self._refusals = refusals
            self._store.set_flag(self._flag, f"{refusals} {now.isoformat()} {self._not_before.isoformat()}")

    def _pause(self, length: timedelta) -> None:
        self._paused = self._clock()
        self._not_before = self._paused + length

    def _end_of_pause(self) -> datetime:
        """When the pause ends that an earlier process has kept in the store; now, where there is none.

        One that ended long ago no longer counts, nor one that was kept by a clock ahead of now.
        """
        now = self._clock()
        count, _, times = (self._store.flag(self._flag) or "").partition(" ")
        if not times:
            return now
        since, until = map(datetime.fromisoformat, times.split())
        if not since <= now < until + _LOGIN_PAUSE:
            return now
        self._refusals = int(count)
        return max(now, until) if self._refusals >= _MOST_REFUSALS else now

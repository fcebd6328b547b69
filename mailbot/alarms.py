"""Word to the staff when something is wrong: a mailbox is silent, mails wait, all sending has stopped."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from mailbot.breaker import Breaker
from mailbot.config import Config
from mailbot.errors import TemporaryError
from mailbot.log import log
from mailbot.model import ReplyState
from mailbot.records import FolderHealth, PutOff
from mailbot.report import watch
from mailbot.store.store import Store

_WAITS = {
    PutOff.TEMPLATE: ("template:broken", timedelta(0), watch.broken_template, watch.template_alarm),
    PutOff.SCANNER: ("scanner:away", timedelta(minutes=30), watch.scanner_away, watch.scanner_alarm),
}
"""For each reason why messages wait: the flag that staff were told, how long they may wait before staff are, the mail to
staff, and the line in the digest."""
_STOPPED_TOLD = "breaker:told"
_REMINDERS_SHOWN = timedelta(days=2)
_REACHED = (ReplyState.SENT, ReplyState.DRAFTED)
_SILENT_AFTER = timedelta(minutes=30)
_UNSENT_AFTER = timedelta(hours=1)
"""A letter that its server puts off is tried three times by then."""


def tell_of_standstill(config: Config, fault: str, now: datetime) -> None:
    """Tell the staff by mail why no round can begin, once a day and reason: cron tries every few minutes.

    What was told stands in a file of the storage directory; where that cannot be written no mail is sent, for it would
    be sent again each time.
    """
    if not config.staff.digest_to:
        return
    told = config.storage.directory / f"standstill-{config.campaign.name}"
    said = f"{now.astimezone(config.campaign.timezone):%Y-%m-%d}\n{fault}\n".encode(errors="replace")
    try:
        if told.exists() and told.read_bytes() == said:
            return
        with open(told, "wb", opener=partial(os.open, mode=0o600)) as file:
            file.write(said)
        _to_staff(config, "standstill", watch.standstill(fault), now)
    except OSError as error:
        log.warning("the staff are not told", file=told, reason=error.strerror)
    except TemporaryError as error:
        told.unlink(missing_ok=True)
        log.warning("the staff's mail waits", reason=str(error))


class Alarms:
    """Looks what is wrong, and tells the staff once of each. For one thread."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Callable[[], datetime],
        *,
        judges_otherwise: Callable[[], bool],
        not_taken_over: Callable[[], str] = lambda: "",
    ) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._judges_otherwise = judges_otherwise
        self._not_taken_over = not_taken_over
        self._told_of = ""
        self._since = clock()
        self._breaker = Breaker(config, store, clock)

    def tell(self) -> None:
        """Tell the staff what is newly wrong, or right again.

        Raises TemporaryError where the word could not be sent; it goes with the next call.
        """
        if not self._config.staff.digest_to:
            return
        self._watch_mailboxes()
        self._watch_waiting()
        self._watch_letters()
        self._watch_breaker()
        self._watch_files()

    def lines(self, now: datetime) -> Iterator[str]:
        """All that is wrong now, for the digest."""
        if stopped := self._breaker.stopped():
            yield watch.stopped_alarm(stopped.at, stopped.letters, self._config.campaign.timezone)
        if fault := self._not_taken_over():
            yield watch.changed_alarm(fault)
        if self._judges_otherwise():
            yield watch.JUDGES_OTHERWISE
        for book in self._store.open_books():
            yield watch.books_open(book.mailbox, book.folder, book.missing, self._config)
        for why, (*_, alarm) in _WAITS.items():
            waiting, fault, _since = self._store.waiting_for(why)
            if waiting:
                yield alarm(fault, waiting)
        for mailbox, letters in self._stranded().items():
            yield watch.stranded_alarm(mailbox, letters)
        for reminder in self._store.reminders():
            if reminder.state not in _REACHED and now - reminder.at < _REMINDERS_SHOWN:
                yield watch.reminder_alarm(reminder)
        yield from self._of_servers(now)

    def _of_servers(self, now: datetime) -> Iterator[str]:
        """What is wrong with the mailboxes and their servers."""
        for mailbox, letters in self._unsent(now).items():
            yield watch.unsent_alarm(mailbox, *letters, self._config)
        for folder in self._silent(now):
            yield watch.alarm(folder, self._config)
        for folder in self._folders():
            if folder.is_missing:
                yield watch.missing_alarm(folder, self._config)

    def _watch_mailboxes(self) -> None:
        """Tell the staff once when a mailbox has been silent too long, and once when it works again.

        Its inbox decides; that only the Junk folder cannot be read stands in the digest alone.
        """
        now = self._clock()
        inboxes = {(m.name, m.imap.folder) for m in self._config.mailboxes}
        for inbox in self._store.folders():
            name, silent = f"silent:{inbox.mailbox}", self._is_silent(inbox, now)
            if (inbox.mailbox, inbox.folder) not in inboxes or silent == (self._store.flag(name) == "told"):
                continue
            word = watch.silent(inbox, self._config) if silent else watch.works_again(inbox, self._config)
            self._send(f"{inbox.mailbox}.{'silent' if silent else 'again'}", word)
            self._store.set_flag(name, "told" if silent else "")

    def _watch_waiting(self) -> None:
        """Once when messages wait for something that somebody has to mend."""
        now = self._clock()
        for why, (flag, patience, words, _) in _WAITS.items():
            number, fault, since = self._store.waiting_for(why)
            told = self._store.flag(flag) == "told"
            if since is not None and not told and now - since >= patience:
                self._send(why.value, words(fault, number))
                self._store.set_flag(flag, "told")
            elif told and since is None:
                self._store.set_flag(flag, "")

    def _watch_letters(self) -> None:
        """Once when a mailbox's letters do not leave."""
        unsent = self._unsent(self._clock())
        for mailbox in self._config.mailboxes:
            flag, letters = f"unsent:{mailbox.name}", unsent.get(mailbox.name)
            told = self._store.flag(flag) == "told"
            if letters and not told:
                word = watch.unsent(mailbox.name, *letters, self._config)
                self._send(f"{mailbox.name}.unsent", word)
            if bool(letters) != told:
                self._store.set_flag(flag, "told" if letters else "")

    def _watch_breaker(self) -> None:
        """Once that all sending has stopped."""
        stopped = self._breaker.stopped()
        told = self._store.flag(_STOPPED_TOLD) or ""
        since = stopped.at.isoformat() if stopped else ""
        if since == told:
            return
        if stopped:
            self._send("stopped", watch.stopped(stopped.at, stopped.letters, self._config.campaign.timezone))
        self._store.set_flag(_STOPPED_TOLD, since)

    def _watch_files(self) -> None:
        """Once of each fault for which changed files are not taken over."""
        fault = self._not_taken_over()
        if fault and fault != self._told_of:
            self._send("changed", watch.changed(fault))
        self._told_of = fault

    def _stranded(self) -> Counter[str]:
        """How many letters nobody sends, by their mailbox, which the configuration does not name any more."""
        named = {mailbox.name for mailbox in self._config.mailboxes}
        waiting = self._store.replies_in(ReplyState.QUEUED, ReplyState.SENDING)
        return Counter(reply.mailbox for reply in waiting if reply.mailbox not in named)

    def _unsent(self, now: datetime) -> dict[str, tuple[int, datetime, str]]:
        """By mailbox how many letters wait, since when, and why, where one was tried in vain and is queued for too long."""
        queued = self._store.replies_in(ReplyState.QUEUED)
        found: dict[str, tuple[int, datetime, str]] = {}
        for mailbox in self._config.mailboxes:
            letters = [reply for reply in queued if reply.mailbox == mailbox.name]
            tried = [r for r in letters if r.was_put_off]
            if any(now - reply.queued_at > _UNSENT_AFTER for reply in tried):
                found[mailbox.name] = (len(letters), min(r.queued_at for r in letters), tried[0].error)
        return found

    def _silent(self, now: datetime) -> tuple[FolderHealth, ...]:
        """One folder of each mailbox that cannot be read, or that nobody has looked into for too long."""
        found: dict[str, FolderHealth] = {}
        for folder in self._folders():
            if self._is_silent(folder, now):
                found.setdefault(folder.mailbox, folder)
        return tuple(found.values())

    def _folders(self) -> Iterator[FolderHealth]:
        """Those that rounds look into, as far as they have been."""
        return (f for f in self._store.folders() if self._config.reads(f.mailbox, f.folder))

    def _is_silent(self, folder: FolderHealth, now: datetime) -> bool:
        good = folder.last_good_round
        if folder.last_error:
            return good is None or now - good > _SILENT_AFTER
        return now - max(good or self._since, self._since) > _SILENT_AFTER

    def _send(self, name: str, word: watch.Notice) -> None:
        _to_staff(self._config, name, word, self._clock())


def _to_staff(config: Config, name: str, word: watch.Notice, now: datetime) -> None:
    """Raises TemporaryError."""
    from mailbot.post import tell_staff

    tell_staff(
        config,
        f"watch.{now:%Y%m%d%H%M%S}.{name}",
        subject=word.subject,
        text=word.text,
        html=word.html,
        at=now,
    )

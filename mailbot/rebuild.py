"""Makes the database again from archive and ledger, or shows what today's rubric and reader would make of it all.

Both replay the ledger link by link into a fresh database with its clock: mails are read and decided again by the same
code as ever, persons' decisions and the fate of letters are taken from the ledger, and nothing is sent.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import make_url

from mailbot.app import App
from mailbot.config import Config
from mailbot.errors import MailbotError, TemporaryError, UsageError
from mailbot.listed import keep_as_listed
from mailbot.log import log
from mailbot.model import Code, Track
from mailbot.opened import open_store, utc_now
from mailbot.records import MessageRecord
from mailbot.registry import Registry
from mailbot.store.history import History, ReceivedFact, read_lines
from mailbot.store.ledger import Entry, first_broken
from mailbot.store.restore import Restorer, take_over
from mailbot.store.store import Store
from mailbot.store.witness import BEGINNING, Link, Witness
from mailbot.worker import only_worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What was made again."""

    mails: int
    links: int
    differences: tuple[str, ...]
    """Messages of which today's reader thinks otherwise; the ledger's outcome stands."""
    newest: Link
    """The end of the ledger now."""
    held: tuple[str, ...]
    """Letters that waited and are now held for a person."""
    kept: Path | None
    """Where the database that was there before lies now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescored:
    """One message that would be judged otherwise."""

    message: int
    words: str


class _Replay:
    """Replays a ledger into an app whose database is fresh. Its clock shows the time of the link."""

    def __init__(self, config: Config, entries: Sequence[Entry]) -> None:
        self.app = App(config, clock=lambda: self.now)
        self.now = entries[0].at if entries else utc_now()
        self.facts = History()
        self.troubles: list[str] = []
        self._entries = entries
        self._junk = {(m.name, m.imap.junk_folder) for m in config.mailboxes}
        self._errors: dict[int, str] = {}

    def run(self) -> Restorer:
        """All of it; letters end up as the ledger has them."""
        self._settler = self.app.settler()
        restorer = Restorer(self.app.store)
        for entry in self._entries:
            self.now = entry.at
            self.facts.take(entry)
            self._step(restorer, entry)
        keep_as_listed(self.app.store, self.app.registry, self.app.config, self.now)
        restorer.letters(self.facts.replies)
        return restorer

    def _step(self, restorer: Restorer, entry: Entry) -> None:
        said = json.loads(entry.payload)
        match entry.kind:
            case "received":
                fact = self.facts.received[said["message"]]
                restorer.received(fact, junk=said.get("junk", self._lay_in_junk(fact)))
            case "failed" if "attempt" in said:
                self._errors[said["message"]] = said["error"]
                restorer.failed(said["message"], said["attempt"], said["error"])
            case "decided":
                self._decide(restorer, said["message"], said["findings"])
            case "ruled":
                restorer.ruled(said, entry.at)
            case "noted":
                restorer.noted(said, entry.at, self._track(said["organization"]))
            case "reminder":
                restorer.reminded(said, entry.at, self.app.config.mailboxes[0].name)
            case _:
                pass

    def _lay_in_junk(self, fact: ReceivedFact) -> bool:
        return (fact.mailbox, fact.folder) in self._junk

    def _track(self, organization: str) -> Track:
        registered = self.app.registry.named(organization) if self.app.registry else None
        return registered.track if registered else Track.SOCIETY

    def _decide(self, restorer: Restorer, number: int, findings: Sequence[str]) -> None:
        message, anew = restorer.stored(number)
        given_up = list(findings) == [Code.MESSAGE_UNPROCESSABLE.value] and number in self._errors
        try:
            if anew is not None:
                settled = self._settler.settle_anew(message, anew)
            elif given_up:
                settled = self._settler.given_up(message, self._errors[number])
            else:
                settled = self._settler.settle(message, self._settler.read(message))
            self.app.store.record_decisions((settled,))
        except TemporaryError:
            raise
        except Exception as error:
            log.exception("cannot be decided again", message=number)
            reason = f"{type(error).__name__}: {error}"
            self.troubles.append(f"message {number}: {reason}")
            if anew is None:
                self.app.store.record_decisions((self._settler.given_up(message, reason),))


def rebuild(config: Config, exported: Path | None, now: datetime) -> Rebuilt:
    """Make the database again. The one that is there is kept beside it; nothing is changed where this fails.

    Raises UsageError where the ledger cannot be had, MailbotError where it is broken.
    """
    config.storage.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with only_worker(config.storage.directory):
        witness = Witness(config.storage.directory, config.campaign.name)
        entries = _exported(exported) if exported else _own_ledger(config, witness.read())
        broken = first_broken(entries)
        if broken is not None:
            raise MailbotError(f"the ledger is broken at link {broken}; nothing was rebuilt")
        made = _made(config, entries, now)
        witness.renew(made.newest)
        return made


def _made(config: Config, entries: Sequence[Entry], now: datetime) -> Rebuilt:
    target = make_url(config.storage.database)
    if target.get_backend_name() == "sqlite" and target.database:
        return _beside(config, Path(target.database), entries, now)
    with open_store(config) as store, store.alone():
        if store.newest_link() != BEGINNING:
            raise UsageError("the database is not empty: name a new one in storage.database")
        return _rebuilt(config, entries, now, None)


def _beside(config: Config, path: Path, entries: Sequence[Entry], now: datetime) -> Rebuilt:
    """Build beside the file that is there, and change places at the end."""
    fresh = path.with_name(f"{path.name}.rebuilding")
    for file in _with_journals(fresh):
        file.unlink(missing_ok=True)
    kept = path.with_name(f"{path.name}.before-rebuild-{now:%Y%m%d%H%M%S}") if path.exists() else None
    made = _rebuilt(_on(config, f"sqlite:///{fresh}"), entries, now, kept)
    if kept is not None:
        for file, aside in zip(_with_journals(path), _with_journals(kept), strict=True):
            if file.exists():
                file.rename(aside)
    fresh.rename(path)
    return made


def _rebuilt(config: Config, entries: Sequence[Entry], now: datetime, kept: Path | None) -> Rebuilt:
    replay = _Replay(config, entries)
    with replay.app as app:
        restorer = replay.run()
        renamed = _renamed(replay.facts, app.registry)
        for known, name in renamed.items():
            replay.facts.rename(known, name)
        differences = [*replay.troubles, *_by_the_ledger(app.store, restorer, replay.facts)]
        held = restorer.close(entries, now, renamed)
        return Rebuilt(
            newest=app.store.newest_link(),
            mails=len(replay.facts.received),
            links=len(entries),
            differences=tuple(differences),
            held=held,
            kept=kept,
        )


def _renamed(facts: History, registry: Registry | None) -> dict[str, str]:
    """The organizations that have another name in the registry than in the ledger: the new name by the old one."""
    known = {fact.organization for fact in facts.decided.values() if fact.organization}
    listed = {name: registry.listed_as(name) for name in sorted(known)} if registry else {}
    return {name: found.name for name, found in listed.items() if found and found.name != name}


def _by_the_ledger(store: Store, restorer: Restorer, facts: History) -> Iterator[str]:
    """Put the ledger's outcome in place of today's wherever they differ, for it was perhaps answered; yields a line on
    each such message."""
    for mail in store.messages():
        fact = facts.decided.get(mail.id)
        if fact is None:
            continue
        today = mail.outcome.value if mail.outcome else None
        if (today, mail.organization) != (fact.outcome, fact.organization):
            restorer.outcome(mail.id, fact.outcome, fact.organization)
            yield (
                f"message {mail.id}: {fact.outcome}, {fact.organization or 'no organization'}; "
                f"read again it would be {today}, {mail.organization or 'no organization'}"
            )


def rescore(config: Config, *, apply: bool, now: datetime) -> tuple[Rescored, ...]:
    """What today's rubric and reader make of every mail that has been decided, where that differs; taken over if wanted.

    No letter is written on account of it. Where nothing is left to take over, that is remembered.
    """
    with App.open(config) as app, app.alone(), _scratch(config) as there:
        replay = _Replay(_on(config, f"sqlite:///{there}/scratch.db"), tuple(app.store.ledger()))
        with replay.app as scratch:
            replay.run()
            differing = tuple(_differing(app.store, scratch.store))
            if apply and differing:
                take_over(app.store, scratch.store, [one.message for one in differing], at=now)
        if apply or not differing:
            app.judged()
        return differing


def _differing(store: Store, scratch: Store) -> Iterator[Rescored]:
    for before, after in zip(store.messages(), scratch.messages(), strict=True):
        if before.outcome is not None and _judged(before) != _judged(after):
            yield Rescored(message=before.id, words=f"{_judged_words(before)} → {_judged_words(after)}")


def _judged(mail: MessageRecord) -> tuple[object, ...]:
    pictures = mail.assessment and replace(
        mail.assessment, items=tuple(replace(item, picture=None) for item in mail.assessment.items)
    )
    return (mail.outcome, mail.organization, pictures, mail.findings, mail.documents)


def _judged_words(mail: MessageRecord) -> str:
    total = mail.assessment.total if mail.assessment else None
    codes = " ".join(f.code.value if f.item is None else f"{f.code.value}#{f.item}" for f in mail.findings)
    return ", ".join(
        str(part)
        for part in (mail.outcome, mail.organization or "no organization", total, codes or "no finding")
        if part is not None
    )


def _own_ledger(config: Config, left: Link | None) -> tuple[Entry, ...]:
    """The ledger of the database. It may be empty where letters have `left`: then every mail so far is held, below.

    Raises UsageError where it is empty and nothing says that letters have left.
    """
    with open_store(config) as store:
        entries = tuple(store.ledger())
    if not entries and left in (None, BEGINNING):
        raise UsageError("the database has no ledger: name an exported one with --ledger")
    return entries


def _exported(path: Path) -> tuple[Entry, ...]:
    try:
        with path.open("rb") as stream:
            return tuple(read_lines(stream, str(path)))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _on(config: Config, database: str) -> Config:
    storage = config.storage.model_copy(update={"database": database})
    return config.model_copy(update={"storage": storage})


def _scratch(config: Config) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="rescore-", dir=config.storage.directory)


def _with_journals(path: Path) -> tuple[Path, ...]:
    return tuple(path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm"))

"""What one configuration names, opened when it is first used: rubric, registry, database, archive."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sqlalchemy.engine import make_url

from mailbot import rubric as rubrics
from mailbot.config import Config
from mailbot.errors import ConfigError, ConfigurationError, UsageError
from mailbot.model import Organization
from mailbot.organizations import read_organizations
from mailbot.records import FolderHealth, OrganizationRecord
from mailbot.report.roster import roster
from mailbot.store.archive import Archive
from mailbot.store.history import BEGUN
from mailbot.store.store import Store
from mailbot.store.witness import BEGINNING, Witness

if TYPE_CHECKING:
    from mailbot.registry import Registry

_CAMPAIGN, _JUDGED_BY, _WITNESSED = "campaign", "judged by", "witnessed"
"""The flags that say whose database it is, by what its messages are judged, and that what leaves has a witness."""


def utc_now() -> datetime:
    """The clock of a running service."""
    return datetime.now(UTC)


def open_store(config: Config) -> Store:
    """The campaign's database. Raises ConfigError where it is another campaign's."""
    store = Store.open(config.storage.database)
    try:
        _claim(store, config)
    except BaseException:
        store.close()
        raise
    return store


def _claim(store: Store, config: Config) -> None:
    """The database is the campaign's that worked on it first: last year's papers must not count for this year."""
    name = config.campaign.name
    kept = store.first_flag(_CAMPAIGN, name)
    if kept != name and _is_new(store) and store.flag(_WITNESSED) is None:
        store.set_flag(_CAMPAIGN, name)
    elif kept != name:
        raise ConfigError(
            str(config.file),
            "campaign.name",
            f"is {name!r}, but the database {config.storage.database} holds the campaign {kept!r}: a campaign has a "
            "storage.directory and a storage.database of its own; name new ones, or put the name back",
        )


def _is_new(store: Store) -> bool:
    """Whether nothing has come yet, nor been noted."""
    return store.newest_link() == BEGINNING


class Opened:
    """The parts that commands share. A context manager: at its end all is closed."""

    def __init__(self, config: Config, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.config = config
        self.clock = clock
        self._stack = ExitStack()

    @classmethod
    def open(cls, config: Config, *, clock: Callable[[], datetime] = utc_now) -> Self:
        """Make the storage directory and open the database.

        Raises ConfigurationError where the rubric or the registry is faulty, ConfigError where the database is another
        campaign's, TemporaryError where it does not answer.
        """
        opened = cls(config, clock=clock)
        opened._read_files()
        try:
            config.storage.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            reason = f"cannot be made: {error.strerror}"
            raise ConfigurationError([ConfigError(str(config.file), "storage.directory", reason)]) from error
        _ = opened.store
        return opened

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all that was opened."""
        self._stack.close()

    def _read_files(self) -> None:
        """Rubric and registry, the faults of both at once."""
        faults: list[ConfigError] = []
        for read in (lambda: self.rubric, lambda: self.registered):
            try:
                read()
            except ConfigurationError as error:
                faults += error.faults
        if faults:
            raise ConfigurationError(faults)

    @cached_property
    def rubric(self) -> rubrics.Rubric:
        """The campaign's form."""
        return rubrics.load(self.config.campaign.rubric)

    @cached_property
    def registered(self) -> tuple[Organization, ...]:
        """The organizations that are to report; none where no list of them is configured."""
        path = self.config.campaign.organizations
        return read_organizations(path) if path else ()

    @cached_property
    def registry(self) -> Registry | None:
        """The same, found by what mails call them."""
        if not self.registered:
            return None
        from mailbot.registry import Registry

        return Registry(self.registered)

    @cached_property
    def store(self) -> Store:
        """The database."""
        return self._stack.enter_context(open_store(self.config))

    @cached_property
    def witness(self) -> Witness:
        """What is kept beside the database of what has left."""
        return Witness(self.config.storage.directory, self.config.campaign.name)

    def behind(self) -> str:
        """Why the database may be older than what was sent; '' where it is not. Raises TemporaryError.

        A backup that was put back, and a new database in the place of a lost one, would answer everything again. That
        a witness is gone says something of SQLite alone: each host that works on a PostgreSQL has its own.
        """
        had_one = self.store.engine.dialect.name == "sqlite" and self.store.flag(_WITNESSED) is not None
        link = self.witness.read()
        if self.store.holds(link) if link else not had_one:
            return ""
        lacks = (
            f"is an older one, letters have left since: its ledger does not hold link {link.seq} of {self.witness.path}"
            if link
            else f"may be an older one, and letters may have left since: {self.witness.path} is not there"
        )
        return (
            f"the database {make_url(self.config.storage.database).database} {lacks}. Put the newest one back, or run "
            "`mailbot rebuild` as the guide's chapter on restoring says: else they would be sent again"
        )

    def bear_witness(self) -> None:
        """From now on each letter that leaves has a witness. Raises ConfigError where the database is behind it."""
        behind = self.behind()
        if behind:
            raise ConfigError(str(self.config.file), "storage.database", behind)
        if _is_new(self.store):
            self.store.first_flag(BEGUN, self.clock().isoformat())
        if self.witness.read() is None:
            self.witness.renew(self.store.newest_link())
        self.store.first_flag(_WITNESSED, "yes")
        self.store.witness = self.witness

    def judges_otherwise(self) -> bool:
        """Whether deadline, papers owed or form are others than those by which messages were judged so far."""
        by = self._judging()
        if self.store.first_flag(_JUDGED_BY, by) == by:
            return False
        if _is_new(self.store):
            self.judged()
            return False
        return True

    def judged(self) -> None:
        """Remember that all messages are judged by what is configured now."""
        self.store.set_flag(_JUDGED_BY, self._judging())

    def _judging(self) -> str:
        campaign = self.config.campaign
        owed = [(mailbox.track.value, *mailbox.requires) for mailbox in self.config.mailboxes]
        said = f"{campaign.opens.isoformat()} {campaign.deadline.isoformat()} {owed} "
        return hashlib.sha256(said.encode() + campaign.rubric.read_bytes()).hexdigest()

    @cached_property
    def archive(self) -> Archive:
        """The raw mails."""
        return Archive(self.config.storage.directory / "archive")

    def folders(self) -> tuple[FolderHealth, ...]:
        """The folders that rounds look into, as far as they have been."""
        return tuple(f for f in self.store.folders() if self.config.reads(f.mailbox, f.folder))

    def organizations(self, *, forms: bool = True) -> tuple[OrganizationRecord, ...]:
        """Who has written, and who of the registry has not; their forms as read, unless without `forms`."""
        return roster(self.store.organizations(forms=forms), self.registered)

    def organization(self, name: str) -> OrganizationRecord:
        """One organization, by its name or anything that clearly means it. Raises UsageError."""
        known = {o.name: o for o in self.organizations()}
        if name in known:
            return known[name]
        registered = self.registry.named(name) if self.registry else None
        if registered and registered.name in known:
            return known[registered.name]
        like = [each for each in known if name in each]
        if len(like) == 1:
            return known[like[0]]
        hint = f"; did you mean one of: {', '.join(like[:10])}?" if like else ""
        raise UsageError(f"no organization {name!r} in this campaign{hint}")

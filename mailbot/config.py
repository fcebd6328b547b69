"""The operator's configuration: TOML in, validated immutable values out; every fault reported at once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime, time
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from mailbot.errors import ConfigError, ConfigurationError, UsageError
from mailbot.model import Role, Track
from mailbot.tomlfile import fault_lines, keys_of_secrets, read_toml

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SQLITE = "sqlite:///"
_CODE = re.compile(r"[a-z]{16}")
"""What an authorization code (授权码) looks like; a variable's name does not."""
_WRITTEN_IN = (
    "a password does not belong in this file: name an environment variable with password_env, a file with "
    "password_file, or a systemd credential (password_file = the name given to LoadCredential)"
)


class Tls(StrEnum):
    """How a connection is protected: from its first byte, after STARTTLS, or not at all (loopback only)."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"


def _no_number(value: object) -> object:
    """A number would be taken for seconds since some beginning."""
    if isinstance(value, int | float):
        raise ValueError("a number is no time")  # noqa: TRY004 - pydantic turns only ValueError into a fault
    return value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("the time needs its offset, as in 2021-01-15T17:30:00+08:00")
    return value


def _zone(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"no such time zone: {value}; Asia/Shanghai is one") from error


def _from_file(value: object, info: ValidationInfo) -> object:
    """A path relative to the configuration file."""
    return info.context["base"] / value if isinstance(value, str) and info.context else value


def _existing(value: Path) -> Path:
    if not value.is_file():
        raise ValueError(f"there is no file {value}")
    return value


def _hour(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("the hour is in the campaign's time zone and has no offset")
    return value


def mail_address(value: str) -> str:
    """The address itself. Raises ValueError where it is none."""
    local, _, domain = value.rpartition("@")
    good = value.isascii() and value.isprintable() and not any(c in " <>,;@" for c in local + domain)
    if not local or not domain or not good:
        raise ValueError(f"{value!r} is no mail address")
    return value


def _ascii(value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        raise ValueError("has other characters than letters, digits and signs of ASCII")
    return value


def _short(value: str, *, most: int) -> str:
    """A name that stands in numbers, in names of files and in columns of the database."""
    if not 0 < len(value) <= most or any(c.isspace() or c in "/\\" for c in value):
        raise ValueError(f"a name of at most {most} characters is wanted, without blanks and slashes")
    return value


def _variable(value: str) -> str:
    if _CODE.fullmatch(value):
        raise ValueError(
            "wants the name of an environment variable; what stands here looks like the authorization code itself, "
            "which does not belong in this file"
        )
    return value


def _database(value: str, info: ValidationInfo) -> str:
    """SQLite by file, or PostgreSQL; a password in the URL is a password in this file."""
    file = value.removeprefix(_SQLITE).partition("?")[0]
    if value.startswith(_SQLITE) and file not in ("", ":memory:"):
        if info.context and os.path.isdir(info.context["base"] / file):
            raise ValueError(f"{file} is a directory; sqlite:///FILE is wanted")
        return value
    if not value.startswith("postgresql+psycopg://"):
        raise ValueError("sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE is wanted")
    if urlsplit(value).password is not None:
        raise ValueError(
            "a password does not belong in this file: leave it out of the URL, and give it by PGPASSWORD or PGPASSFILE"
        )
    return value


def _clamd(value: str) -> str:
    """A socket's path, or a port on loopback: the mails go there unprotected."""
    host, _, port = value.rpartition(":")
    if not (value.startswith("/") or (host.strip("[]") in _LOOPBACK and port.isdecimal())):
        raise ValueError(
            "the path of clamd's socket is wanted, or 127.0.0.1:3310: mails go there in the clear"
        )
    return value


AwareTime = Annotated[datetime, BeforeValidator(_no_number), AfterValidator(_aware)]
Hour = Annotated[time, BeforeValidator(_no_number), AfterValidator(_hour)]
Variable = Annotated[str, Field(min_length=1), AfterValidator(_variable)]
Text = Annotated[str, Field(min_length=1)]
Login = Annotated[Text, AfterValidator(_ascii)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
PathFromFile = Annotated[Path, BeforeValidator(_from_file)]
ExistingFile = Annotated[Path, BeforeValidator(_from_file), AfterValidator(_existing)]
MailAddress = Annotated[str, AfterValidator(mail_address)]
Number = Annotated[int, Field(strict=True)]
Port = Annotated[Number, Field(gt=0, le=65535)]
AtLeastOne = Annotated[Number, Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)


class Campaign(_Section):
    """One year's collection."""

    name: Annotated[str, AfterValidator(partial(_short, most=40))]
    """Short, as it stands in receipt numbers and file names."""
    title: Text
    notice: str = ""
    opens: AwareTime
    deadline: AwareTime
    timezone: Zone
    rubric: ExistingFile
    organizations: ExistingFile | None = None

    @field_validator("deadline")
    @classmethod
    def _in_order(cls, deadline: datetime, info: ValidationInfo) -> datetime:
        opens = info.data.get("opens")
        if opens is not None and deadline <= opens:
            raise ValueError("the deadline must come after the opening")
        return deadline


class Storage(_Section):
    directory: PathFromFile = Field(default="storage", validate_default=True)
    database: Annotated[str, AfterValidator(_database)] = Field(
        default="sqlite:///storage/mailbot.db", validate_default=True
    )


class Staff(_Section):
    digest_to: tuple[MailAddress, ...] = ()
    digest_at: Hour = time(8, 30)
    hourly_on_last_day: Annotated[bool, Field(strict=True)] = False
    """Whether the digest comes every hour on the day of the deadline, once more after it."""


class Replies(_Section):
    mode: Literal["send", "draft", "off"] = "send"
    max_per_sender_per_day: AtLeastOne = 10
    max_per_organization_per_day: AtLeastOne = 20
    max_per_hour: AtLeastOne = 400
    max_to_words_per_hour: AtLeastOne = 40
    """Letters in answer to mails without any document; beyond it nothing is sent until a person has looked."""
    max_corrections: AtLeastOne = 4
    """To one organization; then a person is asked to telephone."""
    min_interval_seconds: float = Field(default=20, ge=0, allow_inf_nan=False, strict=True)


class Reminders(_Section):
    """On which days before the deadline those are reminded whose submission is not complete; none by default."""

    days: tuple[Annotated[Number, Field(ge=0, le=60)], ...] = ()
    at: Hour = time(9, 0)


class Limits(_Section):
    """What a mail and its documents may cost. Megabytes are 2**20 octets."""

    message_mb: AtLeastOne = 60
    document_mb: AtLeastOne = 50
    archive_mb: AtLeastOne = 200
    archive_depth: AtLeastOne = 3
    parse_seconds: AtLeastOne = 60
    parse_memory_mb: Number = Field(default=1024, ge=256)
    ocr_memory_mb: Number = Field(default=2560, ge=256)
    """Address space of the one child that recognizes characters; an A3 page takes 2000, and 1000 in fact."""


class Scanner(_Section):
    """Who looks mails and their files through for malware before they are read."""

    clamd: Annotated[str, AfterValidator(_clamd)]


class _Server(_Section):
    host: Text
    port: Port
    tls: Tls = Tls.IMPLICIT
    username: Login
    password_env: Variable | None = None
    password_file: PathFromFile | None = Field(default=None, validate_default=True)

    @field_validator("tls")
    @classmethod
    def _safe(cls, tls: Tls, info: ValidationInfo) -> Tls:
        if tls is Tls.NONE and info.data.get("host", "localhost") not in _LOOPBACK:
            raise ValueError("none is for loopback only: a password must not cross the network in the clear")
        return tls

    @field_validator("password_file")
    @classmethod
    def _one_of_both(cls, password_file: Path | None, info: ValidationInfo) -> Path | None:
        if "password_env" in info.data and (info.data["password_env"] is None) == (password_file is None):
            raise ValueError("name the password by exactly one of password_env and password_file")
        return password_file

    def password(self, environ: Mapping[str, str] = os.environ) -> str:
        """The authorization code, read when it is needed and kept nowhere.

        Raises ConfigError where the variable is not set or the file cannot be read.
        """
        if self.password_env:
            value = environ.get(self.password_env, "").strip()
            if not value:
                raise ConfigError("environment", self.password_env, "is not set")
            return _plain(value, "environment", self.password_env)
        path = _credential(self.password_file or Path(), environ)
        try:
            value = path.read_text(encoding="utf-8-sig").strip()
        except OSError as error:
            raise ConfigError(str(path), "", f"the password cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(str(path), "", "the password is not written in UTF-8") from error
        if not value:
            raise ConfigError(str(path), "", "holds no password")
        return _plain(value, str(path), "")


def _plain(password: str, file: str, key: str) -> str:
    """Raises ConfigError where no server could be told the password: IMAP and SMTP take ASCII."""
    if not (password.isascii() and password.isprintable()):
        reason = (
            "the password has other characters than letters, digits and signs of ASCII, or several lines: an "
            "authorization code has none; look for blanks that were copied with it and for full-width letters"
        )
        raise ConfigError(file, key, reason)
    return password


def _credential(path: Path, environ: Mapping[str, str]) -> Path:
    """The file itself, or the systemd credential of its name (systemd.exec(5), LoadCredential=)."""
    directory = environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(directory, path.name) if directory else path
    try:
        return credential if credential.is_file() else path
    except OSError:
        return credential  # it is there, or might be: who reads it says why that fails


class Imap(_Server):
    port: Port = 993
    folder: Text = "INBOX"
    junk_folder: Text | None = None
    sent_folder: Text = "Sent Messages"
    drafts_folder: Text = "Drafts"

    @field_validator("junk_folder")
    @classmethod
    def _another(cls, junk: str | None, info: ValidationInfo) -> str | None:
        if junk is not None and junk.lower() == info.data.get("folder", "").lower():
            raise ValueError("is the folder itself: nobody who writes to it would be answered")
        return junk


class Smtp(_Server):
    port: Port = 465


class Contact(_Section):
    name: str = ""
    phone: str = ""
    address: str = ""


_OWED = (Role.FORM, Role.SUMMARY, Role.PLAN)


class Mailbox(_Section):
    name: Annotated[str, AfterValidator(partial(_short, most=100))]
    track: Track
    address: MailAddress
    requires: tuple[Role, ...]
    authserv_id: str | None = None
    imap: Imap
    smtp: Smtp
    contact: Contact | None = None

    @field_validator("requires", mode="before")
    @classmethod
    def _possible(cls, requires: object) -> object:
        if not isinstance(requires, list):
            return requires
        if not requires or any(role not in _OWED for role in requires):
            raise ValueError("takes form, summary and plan, at least one of them")
        return list(dict.fromkeys(requires))


def _distinct(mailboxes: tuple[Mailbox, ...]) -> tuple[Mailbox, ...]:
    if not mailboxes:
        raise ValueError("at least one [[mailbox]] is needed")
    for key in ("name", "address"):
        values = [getattr(mailbox, key).lower() for mailbox in mailboxes]
        if len(set(values)) < len(values):
            raise ValueError(f"two mailboxes have the same {key}")
    owed = {(mailbox.track, frozenset(mailbox.requires)) for mailbox in mailboxes}
    if len(owed) > len({track for track, _ in owed}):
        raise ValueError("two mailboxes of one track require different documents")
    return mailboxes


_NOTICE = {
    Track.SOCIETY: _OWED,
    Track.ENTERPRISE: (Role.SUMMARY, Role.PLAN),
}


class Config(_Section):
    """Everything the operator says, and the file it was read from."""

    campaign: Campaign
    storage: Storage = Field(default_factory=dict, validate_default=True)
    staff: Staff = Field(default_factory=dict, validate_default=True)
    replies: Replies = Field(default_factory=dict, validate_default=True)
    reminders: Reminders = Field(default_factory=dict, validate_default=True)
    limits: Limits = Field(default_factory=dict, validate_default=True)
    scanner: Scanner | None = None
    mailboxes: Annotated[tuple[Mailbox, ...], AfterValidator(_distinct)] = Field(alias="mailbox")
    templates: PathFromFile | None = None
    """A directory whose files go before our own templates."""
    file: Path

    @property
    def owed(self) -> Mapping[Track, tuple[Role, ...]]:
        """What each track owes: what its mailbox requires, else what the notice asks for."""
        return _NOTICE | {mailbox.track: mailbox.requires for mailbox in self.mailboxes}

    def mailbox(self, name: str) -> Mailbox:
        """The mailbox of that name. Raises UsageError, naming the ones there are."""
        for mailbox in self.mailboxes:
            if mailbox.name == name:
                return mailbox
        raise UsageError(f"no mailbox {name!r}; there are: {', '.join(m.name for m in self.mailboxes)}")

    def reads(self, mailbox: str, folder: str) -> bool:
        """Whether rounds look into that folder; mails taken in from files and a folder's former name stay in the books."""
        imap = next((each.imap for each in self.mailboxes if each.name == mailbox), None)
        return imap is not None and folder in (imap.folder, imap.junk_folder)

    def require_passwords(self, environ: Mapping[str, str] = os.environ) -> None:
        """Raises ConfigurationError with every password that cannot be had."""
        faults = []
        for number, mailbox in enumerate(self.mailboxes):
            for kind, server in (("imap", mailbox.imap), ("smtp", mailbox.smtp)):
                key = "password_env" if server.password_env else "password_file"
                try:
                    server.password(environ)
                except ConfigError as error:
                    faults.append(ConfigError(str(self.file), f"mailbox[{number}].{kind}.{key}", str(error)))
        if faults:
            raise ConfigurationError(faults)


def load(path: Path) -> Config:
    """Read and check a configuration file. Raises ConfigurationError with every fault found."""
    values = read_toml(path)
    faults = [ConfigError(str(path), "file", "there is no such key")] if "file" in values else []
    faults += [ConfigError(str(path), key, _WRITTEN_IN) for key in keys_of_secrets(values)]
    base = path.resolve().parent
    try:
        config = Config.model_validate({**values, "file": path.absolute()}, context={"base": base})
    except ValidationError as error:
        raise ConfigurationError([*faults, *fault_lines(path, error, Config)]) from error
    if faults:
        raise ConfigurationError(faults)
    return _with_absolute_sqlite(config, base)


def _with_absolute_sqlite(config: Config, base: Path) -> Config:
    database = config.storage.database
    if not database.startswith(_SQLITE):
        return config
    absolute = _SQLITE + str(base / database.removeprefix(_SQLITE))
    return config.model_copy(update={"storage": config.storage.model_copy(update={"database": absolute})})

"""The operator's configuration: TOML in, validated immutable values out; every fault reported at once."""

from __future__ import annotations

import csv
import io
import os
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime, time
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from mailbot.errors import ConfigError, ConfigurationError, UsageError
from mailbot.model import Organization, Role, Track

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_WRITTEN_IN = (
    "a password does not belong in this file: name an environment variable with password_env, a file with "
    "password_file, or a systemd credential (password_file = the name given to LoadCredential)"
)


class Tls(StrEnum):
    """How a connection is protected: from its first byte, after STARTTLS, or not at all (loopback only)."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    NONE = "none"


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("the time needs its offset, as in 2021-01-15T17:30:00+08:00")
    return value


def _zone(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"no such time zone: {value}; Asia/Shanghai is one") from error


def _from_file(value: object, info: ValidationInfo) -> object:
    """A path relative to the configuration file."""
    return info.context["base"] / value if isinstance(value, str) and info.context else value


def _existing(value: Path) -> Path:
    if not value.is_file():
        raise ValueError(f"there is no file {value}")
    return value


def _mail_address(value: str) -> str:
    local, _, domain = value.rpartition("@")
    if not local or not domain or any(c.isspace() or c in "<>,;" for c in value):
        raise ValueError(f"{value!r} is no mail address")
    return value


AwareTime = Annotated[datetime, AfterValidator(_aware)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
PathFromFile = Annotated[Path, BeforeValidator(_from_file)]
ExistingFile = Annotated[Path, BeforeValidator(_from_file), AfterValidator(_existing)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
Megabytes = Annotated[int, Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Campaign(_Section):
    """One year's collection."""

    name: str = Field(pattern=r"^\d{4}")
    title: str
    notice: str = ""
    opens: AwareTime
    deadline: AwareTime
    timezone: Zone
    rubric: ExistingFile
    organizations: ExistingFile | None = None

    @property
    def year(self) -> int:
        """The year reported on."""
        return int(self.name[:4])

    @model_validator(mode="after")
    def _in_order(self) -> Campaign:
        if self.deadline <= self.opens:
            raise ValueError("the deadline must come after the opening")
        return self


class Storage(_Section):
    directory: PathFromFile = Field(default="storage", validate_default=True)
    database: str = "sqlite:///storage/mailbot.db"


class Staff(_Section):
    digest_to: tuple[MailAddress, ...] = ()
    digest_at: time = time(8, 30)


class Replies(_Section):
    mode: Literal["send", "draft", "off"] = "send"
    max_per_sender_per_day: int = Field(default=10, gt=0)
    max_per_organization_per_day: int = Field(default=20, gt=0)
    max_per_hour: int = Field(default=400, gt=0)
    min_interval_seconds: float = Field(default=20, ge=0)


class Limits(_Section):
    """What a mail and its documents may cost. Megabytes are 2**20 octets."""

    message_mb: Megabytes = 60
    document_mb: Megabytes = 50
    archive_mb: Megabytes = 200
    archive_depth: int = Field(default=3, ge=1)
    parse_seconds: int = Field(default=60, ge=1)
    parse_memory_mb: int = Field(default=1024, ge=256)


class _Server(_Section):
    host: str
    port: int = Field(gt=0, le=65535)
    tls: Tls = Tls.IMPLICIT
    username: str
    password_env: str | None = None
    password_file: PathFromFile | None = None

    @model_validator(mode="after")
    def _safe(self) -> _Server:
        if self.tls is Tls.NONE and self.host not in _LOOPBACK:
            raise ValueError(
                "tls = none is for loopback only: a password must not cross the network in the clear"
            )
        if bool(self.password_env) == bool(self.password_file):
            raise ValueError("name the password by exactly one of password_env and password_file")
        return self

    def password(self, environ: Mapping[str, str] = os.environ) -> str:
        """The authorization code, read when it is needed and kept nowhere.

        Raises ConfigError where the variable is not set or the file cannot be read.
        """
        if self.password_env:
            value = environ.get(self.password_env)
            if not value:
                raise ConfigError("environment", self.password_env, "is not set")
            return value
        path = _credential(self.password_file or Path(), environ)
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigError(str(path), "", f"the password cannot be read: {error.strerror}") from error


def _credential(path: Path, environ: Mapping[str, str]) -> Path:
    """The file itself, or the systemd credential of its name (systemd.exec(5), LoadCredential=)."""
    directory = environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(directory, path.name) if directory else path
    return credential if credential.is_file() else path


class Imap(_Server):
    port: int = 993
    folder: str = "INBOX"
    junk_folder: str | None = None
    sent_folder: str = "Sent Messages"
    drafts_folder: str = "Drafts"


class Smtp(_Server):
    port: int = 465


class Contact(_Section):
    name: str = ""
    phone: str = ""
    address: str = ""


class Mailbox(_Section):
    name: str = Field(pattern=r"^[^\s/]+$")
    track: Track
    address: MailAddress
    requires: tuple[Role, ...]
    authserv_id: str | None = None
    imap: Imap
    smtp: Smtp
    contact: Contact | None = None

    @model_validator(mode="after")
    def _possible(self) -> Mailbox:
        strange = [role.value for role in self.requires if role not in (Role.FORM, Role.SUMMARY, Role.PLAN)]
        if strange or not self.requires:
            raise ValueError("requires takes form, summary and plan")
        return self


class Config(_Section):
    """Everything the operator says, and the file it was read from."""

    campaign: Campaign
    storage: Storage = Field(default_factory=dict, validate_default=True)
    staff: Staff = Staff()
    replies: Replies = Replies()
    limits: Limits = Limits()
    mailboxes: tuple[Mailbox, ...] = Field(alias="mailbox", min_length=1)
    templates: PathFromFile | None = None
    """A directory whose files go before our own templates."""
    file: Path

    @model_validator(mode="after")
    def _distinct(self) -> Config:
        for key in ("name", "address"):
            values = [getattr(mailbox, key).lower() for mailbox in self.mailboxes]
            if len(set(values)) < len(values):
                raise ValueError(f"two mailboxes have the same {key}")
        return self

    def mailbox(self, name: str) -> Mailbox:
        """The mailbox of that name. Raises UsageError, naming the ones there are."""
        for mailbox in self.mailboxes:
            if mailbox.name == name:
                return mailbox
        raise UsageError(f"no mailbox {name!r}; there are: {', '.join(m.name for m in self.mailboxes)}")


def load(path: Path) -> Config:
    """Read and check a configuration file. Raises ConfigurationError with every fault found."""
    values = read_toml(path)
    secrets = [ConfigError(str(path), key, _WRITTEN_IN) for key in _written_passwords(values)]
    base = path.resolve().parent
    try:
        config = Config.model_validate({**values, "file": path.resolve()}, context={"base": base})
    except ValidationError as error:
        raise ConfigurationError([*secrets, *fault_lines(path, error)]) from error
    if secrets:
        raise ConfigurationError(secrets)
    return _with_absolute_sqlite(config, base)


def read_toml(path: Path) -> dict[str, Any]:
    """The file's values. Raises ConfigurationError where it cannot be read or is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError([ConfigError(str(path), "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([ConfigError(str(path), "", "is not written in UTF-8")]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([ConfigError(str(path), "", f"is no TOML: {error}")]) from error


def _written_passwords(values: object, at: str = "") -> Iterator[str]:
    items = (
        values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    )
    for key, value in items:
        here = f"{at}[{key}]" if isinstance(key, int) else f"{at}.{key}".lstrip(".")
        if key in ("password", "secret", "authorization_code"):
            yield here
        yield from _written_passwords(value, here)


def fault_lines(path: Path, error: ValidationError) -> Iterator[ConfigError]:
    """Each fault that pydantic found, with its key and in plain words."""
    for fault in error.errors():
        key = _key(fault["loc"])
        if fault["type"] == "extra_forbidden":
            if fault["loc"][-1] in ("password", "secret", "authorization_code"):
                continue
            reason = f"there is no such key{_did_you_mean(fault['loc'])}"
        elif fault["type"] == "missing":
            reason = "is missing"
        elif fault["type"] == "value_error":
            reason = str(fault["ctx"]["error"])
        else:
            reason = f"{fault['msg']}, found {fault['input']!r}"
        yield ConfigError(str(path), key, reason)


def _key(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _did_you_mean(location: tuple[int | str, ...]) -> str:
    sections: dict[str, type[BaseModel]] = {
        "campaign": Campaign,
        "storage": Storage,
        "staff": Staff,
        "replies": Replies,
        "limits": Limits,
        "mailbox": Mailbox,
        "imap": Imap,
        "smtp": Smtp,
        "contact": Contact,
    }
    named = [part for part in location[:-1] if isinstance(part, str)]
    known = sections[named[-1]].model_fields if named and named[-1] in sections else sections
    close = get_close_matches(str(location[-1]), list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _with_absolute_sqlite(config: Config, base: Path) -> Config:
    prefix = "sqlite:///"
    database = config.storage.database
    if not database.startswith(prefix):
        return config
    absolute = prefix + str(base / database.removeprefix(prefix))
    return config.model_copy(update={"storage": config.storage.model_copy(update={"database": absolute})})


def read_organizations(path: Path) -> tuple[Organization, ...]:
    """The registry's rows: `name,track,aliases,emails`, aliases and e-mails split by `;`.

    Raises ConfigurationError naming each faulty line.
    """
    octets = path.read_bytes()
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = octets.decode("gb18030", "replace")
    faults: list[ConfigError] = []
    organizations: list[Organization] = []
    rows = csv.DictReader(io.StringIO(text))
    if missing := {"name", "track"} - set(rows.fieldnames or ()):
        raise ConfigurationError(
            [ConfigError(str(path), "line 1", f"columns missing: {', '.join(sorted(missing))}")]
        )
    seen: dict[str, int] = {}
    for row in rows:
        line = rows.line_num
        name, track = (row["name"] or "").strip(), (row["track"] or "").strip()
        if not name and not track:
            continue
        if not name:
            faults.append(ConfigError(str(path), f"line {line}", "name is empty"))
        elif name in seen:
            faults.append(
                ConfigError(str(path), f"line {line}", f"{name} stands already in line {seen[name]}")
            )
        elif track not in set(Track):
            faults.append(
                ConfigError(str(path), f"line {line}", f"track is {track!r}; society or enterprise is wanted")
            )
        else:
            organizations.append(
                Organization(
                    name=name,
                    track=Track(track),
                    aliases=_split(row.get("aliases")),
                    emails=_split(row.get("emails")),
                )
            )
        seen.setdefault(name, line)
    if faults:
        raise ConfigurationError(faults)
    return tuple(organizations)


def _split(value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").replace("；", ";").split(";") if part.strip())

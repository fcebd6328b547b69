"""`mailbot check`: tries everything that the service will need, and says in words what to mend."""

from __future__ import annotations

import os
import re
import ssl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailbot import rubric as rubrics
from mailbot.answer import check_templates
from mailbot.config import Config, Mailbox, Smtp
from mailbot.documents import archives, office, recognizer
from mailbot.documents.scanner import Scanner
from mailbot.documents.walls import Wall, standing
from mailbot.errors import (
    ConfigError,
    ConfigurationError,
    LoginError,
    MailbotError,
    ScannerError,
    TemporaryError,
)
from mailbot.form.match import matcher_of
from mailbot.listed import kept_otherwise
from mailbot.mail.imap import FolderState, ImapMailbox
from mailbot.mail.smtp import Submission
from mailbot.opened import Opened
from mailbot.report.sample_pages import page_faults
from mailbot.rubric import Rubric

_QQ_LOGIN = (
    "the password is the 16-letter authorization code (授权码), not the account's password: make one in the web "
    "mail under 设置 → 账户 → IMAP/SMTP服务, switch that service on there, and note that changing the account's "
    "password voids it"
)
_RECENT = timedelta(days=35)
_YEAR = re.compile("20[0-9]{2}")
_CLOCK_TOLERANCE = timedelta(minutes=5)


class Mark(StrEnum):
    """How one trial ended."""

    OK = "ok"
    HINT = "hint"
    FAULT = "fault"
    UNREACHED = "unreached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One thing that was tried."""

    what: str
    mark: Mark
    said: str = ""
    """What was found and, for a fault, what to mend."""


def check(config: Config, clock: Callable[[], datetime]) -> Iterator[Result]:
    """Try it all, one after the other; a fault does not end the trial of the rest."""
    yield Result(what="configuration", mark=Mark.OK, said=str(config.file))
    yield from _campaign(config, clock())
    yield _storage(config)
    yield _walls(config)
    yield _formats(config)
    if config.scanner is not None:
        yield _scanner(config.scanner.clamd)
    yield from _opened(config, clock)
    yield _templates(config)
    for mailbox in config.mailboxes:
        yield from _imap(mailbox, config, clock())
        yield _smtp(mailbox.name, mailbox.smtp)
        yield from _sender(mailbox)


def _campaign(config: Config, now: datetime) -> Iterator[Result]:
    """What was typed and may not be what was meant."""
    campaign, mode = config.campaign, config.replies.mode
    opens, deadline = (time.astimezone(campaign.timezone) for time in (campaign.opens, campaign.deadline))
    past = ", which is past: what comes now is late" if now > deadline else ""
    said = f"{campaign.name}, from {opens:%Y-%m-%d %H:%M} to {deadline:%Y-%m-%d %H:%M}{past}; replies: {mode}"
    yield Result(what="campaign", mark=Mark.OK, said=said)
    if not config.staff.digest_to:
        said = "staff.digest_to is empty: nobody gets the digest, nor word when something is wrong"
        yield Result(what="staff", mark=Mark.HINT, said=said)


def _storage(config: Config) -> Result:
    directory = config.storage.directory
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"mailbot")
            os.fsync(file.fileno())
    except OSError as error:
        said = f"{directory} cannot be written: {error.strerror}; give it to the user that runs mailbot"
        return Result(what="storage", mark=Mark.FAULT, said=said)
    return Result(what="storage", mark=Mark.OK, said=str(directory))


def _walls(config: Config) -> Result:
    """What keeps a hostile file from the rest of the machine."""
    what = "walls around hostile files"
    try:
        held = standing(config.file)
    except MailbotError as error:
        return Result(what=what, mark=Mark.FAULT, said=str(error))
    lacking = [wall.value for wall in Wall if wall not in held]
    if lacking:
        said = f"this machine does not give: {'; '.join(lacking)}; a newer kernel, or bubblewrap, would"
        return Result(what=what, mark=Mark.HINT, said=said)
    return Result(what=what, mark=Mark.OK, said="; ".join(Wall))


def _formats(config: Config) -> Result:
    """What societies send and this machine cannot read.

    Where a program is not installed, a letter asks the sender for another format; where one is there and does not
    work, that is no fault of the sender's, and a person has to read the file.
    """
    faults = {
        ".doc, .wps, .rtf, .odt and .et": office.fault(seconds=config.limits.parse_seconds),
        "scans and photographs": "" if recognizer.is_installed() else "install mailbot with its extra [ocr]",
        ".rar and .7z": "" if archives.reads_packed() else "install libarchive13",
    }
    lacking = [f"{formats} ({fault})" for formats, fault in faults.items() if fault]
    if lacking:
        said = (
            f"not read on this machine, so that senders are asked for another format, or a person has to read the file: "
            f"{'; '.join(lacking)}"
        )
        return Result(what="formats", mark=Mark.HINT, said=said)
    return Result(what="formats", mark=Mark.OK, said="all that societies send are read")


def _scanner(clamd: str) -> Result:
    what = f"scanner {clamd}"
    try:
        Scanner(clamd).scan((b"mailbot check",))
    except ScannerError as error:
        said = f"{error}; until it answers no mail is read: start clamd, and let this user open its socket"
        return Result(what=what, mark=Mark.UNREACHED, said=said)
    return Result(what=what, mark=Mark.OK, said="answers")


def _opened(config: Config, clock: Callable[[], datetime]) -> Iterator[Result]:
    try:
        with Opened.open(config, clock=clock) as opened:
            registered = len(opened.registered)
            judges_otherwise = opened.judges_otherwise()
            behind = opened.behind()
            changed = kept_otherwise(opened.store, opened.registry)
            otherwise = [f"{known} → {listed.name} ({listed.track.value})" for known, listed in changed]
    except TemporaryError as error:
        yield Result(what="database", mark=Mark.UNREACHED, said=str(error))
        return
    except MailbotError as error:
        what = "rubric and registry" if isinstance(error, ConfigurationError) else "database"
        yield Result(what=what, mark=Mark.FAULT, said=str(error))
        return
    said = f"{len(opened.rubric.items)} items, {opened.rubric.total} points; " + (
        f"{registered} organizations" if registered else "no list of organizations"
    )
    yield Result(what="database, rubric and registry", mark=Mark.OK, said=said)
    if behind:
        yield Result(what="letters that left", mark=Mark.FAULT, said=behind)
    if otherwise:
        changed_to = ", ".join(otherwise[:10])
        said = f"{changed_to}: the list has changed, and the service takes that over within a minute, cron with the next round"
        yield Result(what="organizations", mark=Mark.HINT, said=said)
    if judges_otherwise:
        said = (
            "deadline, papers owed or form have changed since messages were judged: `mailbot rescore` shows what that "
            "changes, `mailbot rescore --apply` takes it over"
        )
        yield Result(what="judgement", mark=Mark.HINT, said=said)
    yield from _year(config, opened.rubric.year)
    yield from _criteria(opened.rubric)


def _year(config: Config, year: int) -> Iterator[Result]:
    """Last year's form in this year's campaign would blame every society for the year of its form."""
    named = _YEAR.match(config.campaign.name)
    if named and int(named[0]) != year:
        said = (
            f"campaign.name is {config.campaign.name!r}, but {config.campaign.rubric} is the form of {year}: "
            "every form of the campaign's year would be taken for the wrong one"
        )
        yield Result(what="year", mark=Mark.FAULT, said=said)


def _criteria(rubric: Rubric) -> Iterator[Result]:
    """The rows of a form are known by the words of their criteria."""
    matcher = matcher_of(rubric)
    alike = [i.no for i in rubric.items if matcher.whole(matcher.criterion(i)) is not i]
    if alike:
        said = (
            f"the criteria of items {', '.join(map(str, alike))} are too short, or too much like others, to be known by "
            "their words: forms may go to a person unread"
        )
        yield Result(what="criteria", mark=Mark.HINT, said=said)


def _templates(config: Config) -> Result:
    faults = check_templates(config.templates)
    if config.templates is not None:
        with suppress(MailbotError):
            faults += page_faults(config, rubrics.load(config.campaign.rubric))
    if faults:
        return Result(what="templates", mark=Mark.FAULT, said="; ".join(faults))
    return Result(what="templates", mark=Mark.OK, said=str(config.templates or "built in"))


def _imap(mailbox: Mailbox, config: Config, now: datetime) -> Iterator[Result]:
    what = f"{mailbox.name}: IMAP {mailbox.imap.host}"
    try:
        with ImapMailbox(mailbox) as connection:
            yield Result(what=what, mark=Mark.OK, said=f"logged in as {mailbox.imap.username}")
            yield from _folders(mailbox, connection, config, now)
    except MailbotError as error:
        yield _failed(what, error)


def _folders(mailbox: Mailbox, connection: ImapMailbox, config: Config, now: datetime) -> Iterator[Result]:
    there = connection.folders()
    for folder in filter(None, (mailbox.imap.folder, mailbox.imap.junk_folder)):
        what = f"{mailbox.name}: folder {folder}"
        if folder not in there and folder.upper() != "INBOX":
            said = f"there is no such folder; there are: {', '.join(there)}"
            yield Result(what=what, mark=Mark.FAULT, said=said)
            continue
        state = connection.open(folder)
        yield Result(what=what, mark=Mark.OK, said=f"{state.exists} mails")
        if folder == mailbox.imap.folder:
            yield from _times(mailbox, connection, state, config, now)
    yield from _reply_folder(mailbox, config.replies.mode, there)


def _reply_folder(mailbox: Mailbox, mode: str, there: Sequence[str]) -> Iterator[Result]:
    """Where drafts are laid, or where a letter is looked for that a crash interrupted."""
    match mode:
        case "draft":
            folder, mark = mailbox.imap.drafts_folder, Mark.FAULT
            matters = "no letter can be laid into it: set drafts_folder"
        case "send":
            folder, mark = mailbox.imap.sent_folder, Mark.HINT
            matters = "a letter that a crash interrupts cannot be looked for, and waits for a person: set sent_folder"
        case _:
            return
    if folder not in there:
        said = f"there is no such folder; there are: {', '.join(there)}; {matters}"
        yield Result(what=f"{mailbox.name}: folder {folder}", mark=mark, said=said)


def _times(
    mailbox: Mailbox, connection: ImapMailbox, state: FolderState, config: Config, now: datetime
) -> Iterator[Result]:
    """What the oldest and the newest visible mail tell of the account's settings and of our clock."""
    span = connection.time_span(state)
    if span is None:
        return
    oldest, newest = span
    if newest - now > _CLOCK_TOLERANCE:
        said = f"the newest mail came at {newest:%Y-%m-%d %H:%M:%S} UTC, after this machine's {now:%H:%M:%S}: set its clock (NTP)"
        yield Result(what="clock", mark=Mark.FAULT, said=said)
    if oldest > config.campaign.opens and now - oldest < _RECENT and state.uidnext > state.exists + 1:
        said = (
            f"the oldest visible mail is of {oldest:%Y-%m-%d}: if older ones are missing, set 收取选项 to 全部 in "
            "the web mail's settings, and tick 收取我的文件夹"
        )
        yield Result(what=f"{mailbox.name}: only recent mail", mark=Mark.HINT, said=said)


def _smtp(name: str, smtp: Smtp) -> Result:
    what = f"{name}: SMTP {smtp.host}"
    submission = Submission(smtp)
    try:
        submission.connect()
    except MailbotError as error:
        return _failed(what, error)
    finally:
        submission.close()
    return Result(what=what, mark=Mark.OK, said=f"logged in as {smtp.username}")


def _sender(mailbox: Mailbox) -> Iterator[Result]:
    """A server may let us log in and refuse each letter."""
    address, login = mailbox.address.lower(), mailbox.smtp.username.lower()
    if login not in (address, address.partition("@")[0]):
        said = (
            f"letters are from {mailbox.address}, and smtp.username is {mailbox.smtp.username}: QQ and 163 refuse letters "
            "from another address than the login's; where this server does too, make both the same"
        )
        yield Result(what=f"{mailbox.name}: sender", mark=Mark.HINT, said=said)


def _failed(what: str, error: MailbotError) -> Result:
    match error:
        case ConfigError():
            return Result(what=what, mark=Mark.FAULT, said=str(error))
        case LoginError():
            return Result(what=what, mark=Mark.FAULT, said=f"{error}; {_QQ_LOGIN}")
        case _:
            return Result(what=what, mark=Mark.UNREACHED, said=f"{error}{_advice(error)}")


def _advice(error: MailbotError) -> str:
    """What the system's words mean where a port begins without TLS."""
    cause = error.__cause__
    if not (isinstance(cause, ssl.SSLError) and cause.reason == "WRONG_VERSION_NUMBER"):
        return ""
    return '; this port does not begin with TLS: is it the right one (993, 465), or is tls = "starttls" meant (143, 587)?'

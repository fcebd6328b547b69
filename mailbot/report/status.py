"""What operators see on the terminal: where the campaign stands, one organization's file, one document as read.

Labels are English, data stand as they are; nothing from outside is taken for markup or terminal codes.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from io import StringIO
from typing import TYPE_CHECKING

import msgspec

from mailbot.config import Config
from mailbot.model import Finding, ItemReading, Outcome, ReplyState, Role, Severity, Status, Track, Version
from mailbot.reading import DocumentReading, MailReading
from mailbot.records import Counts, FolderHealth, MessageRecord, OrganizationRecord, ReplyRecord
from mailbot.report.export import assessment_json, finding_json
from mailbot.report.figures import iso, plain_text
from mailbot.report.standing import piece
from mailbot.report.wording import detail, points
from mailbot.rubric import Rubric

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table
    from rich.text import Text

_WIDEST = 140
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def to_text(view: RenderableType) -> str:
    """A view as plain text, as wide as the terminal."""
    from rich.console import Console

    width = min(shutil.get_terminal_size((100, 40)).columns, _WIDEST)
    console = Console(file=StringIO(), width=width, color_system=None, highlight=False, emoji=False)
    with console.capture() as capture:
        console.print(view)
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def status_view(
    *,
    config: Config,
    organizations: Sequence[OrganizationRecord],
    counts: Counts,
    folders: Sequence[FolderHealth],
    now: datetime,
    put_off: Sequence[ReplyRecord] = (),
    stopped: str = "",
) -> Group:
    """Where the campaign stands; first of all that nothing is sent, if so, in the words of `stopped`."""
    from rich.console import Group

    zone = config.campaign.timezone
    left = timedelta(seconds=int((config.campaign.deadline - now).total_seconds()))
    when = f"{left} left" if left >= timedelta(0) else f"over for {-left}"
    return Group(
        *((foreign(stopped),) if stopped else ()),
        foreign(f"{config.campaign.name}  {config.campaign.title}"),
        foreign(f"deadline {iso(config.campaign.deadline, zone)}  ({when})"),
        _progress_table(organizations),
        _mail_table(counts),
        _reply_table(counts),
        *((_put_off_table(put_off, zone),) if put_off else ()),
        _folder_table(folders, zone),
    )


def _progress_table(organizations: Sequence[OrganizationRecord]) -> Table:
    table = new_table("organizations", *(status.value for status in Status), "late", "all")
    for track in Track:
        records = [record for record in organizations if record.track is track]
        by_status = Counter(record.status for record in records)
        late = sum(1 for record in records if record.counts is not None and not record.counts.on_time)
        numbers = (*(by_status[status] for status in Status), late, len(records))
        table.add_row(track.value, *(str(number) for number in numbers))
    return table


def _mail_table(counts: Counts) -> Table:
    table = new_table("mails", "waiting", *(outcome.value for outcome in Outcome), "all")
    table.add_row(
        "",
        str(counts.waiting),
        *(str(counts.by_outcome.get(outcome, 0)) for outcome in Outcome),
        str(counts.messages),
    )
    return table


def _reply_table(counts: Counts) -> Table:
    table = new_table("replies", *(state.value for state in ReplyState))
    table.add_row("", *(str(counts.replies.get(state, 0)) for state in ReplyState))
    return table


def _put_off_table(replies: Sequence[ReplyRecord], zone: tzinfo) -> Table:
    """Letters that were tried in vain, by mailbox and reason."""
    table = new_table("put off", "replies", "queued since", "error")
    alike: dict[tuple[str, str], list[ReplyRecord]] = {}
    for reply in replies:
        alike.setdefault((reply.mailbox, reply.error), []).append(reply)
    for (mailbox, error), some in alike.items():
        since = min(reply.queued_at for reply in some)
        table.add_row(foreign(mailbox), str(len(some)), iso(since, zone), foreign(error))
    return table


def _folder_table(folders: Sequence[FolderHealth], zone: tzinfo) -> Table:
    table = new_table("mailbox", "folder", "last good round", "on server", "error")
    for folder in folders:
        table.add_row(
            foreign(folder.mailbox),
            foreign(folder.folder),
            iso(folder.last_good_round, zone) if folder.last_good_round else "never",
            "" if folder.on_server is None else str(folder.on_server),
            "there is no such folder" if folder.is_missing else foreign(folder.last_error),
        )
    return table


def organization_view(
    record: OrganizationRecord,
    versions: Sequence[Version],
    messages: Iterable[MessageRecord],
    rubric: Rubric,
    zone: tzinfo,
) -> Group:
    """One organization's whole file: standing, versions, points, findings, and every mail."""
    from rich.console import Group

    parts: list[RenderableType] = [_facts_table(record, zone), _version_table(record, versions, zone)]
    if record.assessment is not None:
        parts += [_item_table(record.assessment.items, rubric)]
        parts.append(_totals(record.assessment.stated_total, record.assessment.total))
    if record.counts is not None and record.counts.findings:
        parts.append(_finding_table(record.counts.findings, rubric, "against the version that counts"))
    parts.append(_history_table(messages, zone))
    return Group(*parts)


def _facts_table(record: OrganizationRecord, zone: tzinfo) -> Table:
    table = _grid()
    counts = record.counts
    for name, value in (
        ("name", record.name),
        ("track", record.track.value),
        ("status", record.status.value),
        ("on time", "" if counts is None else "yes" if counts.on_time else "no"),
        ("version that counts", "" if counts is None else f"{counts.number} of {len(record.versions)}"),
        ("first received", iso(record.first_received_at, zone) if record.first_received_at else ""),
        ("registered", f"{'yes' if record.registered else 'no'}  {'; '.join(record.emails)}"),
        ("writes from", "; ".join(record.senders)),
        ("paper", _paper(record)),
        ("考核分", "" if record.staff_points is None else points(record.staff_points)),
        ("note", record.note),
    ):
        if value:
            table.add_row(name, foreign(value))
    return table


def _paper(record: OrganizationRecord) -> str:
    if record.paper_received is None:
        return ""
    seal = {True: ", sealed", False: ", not sealed", None: ""}[record.paper_sealed]
    return f"{record.paper_received.isoformat()}{seal}"


def _version_table(record: OrganizationRecord, versions: Sequence[Version], zone: tzinfo) -> Table:
    table = new_table("version", "", "")
    for version in versions:
        counts = record.counts is not None and record.counts.number == version.number
        on_time = "on time" if version.on_time else "late"
        total = () if version.total is None else (f"total {points(version.total)}",)
        stands = ", ".join((iso(version.received_at, zone), on_time, version.state.value, *total))
        held = ((role, piece(version, role)) for role in (Role.FORM, Role.SUMMARY, Role.PLAN))
        papers = ((role.value, each.filename) for role, each in held if each)
        _add_block(table, f"{version.number}{' *' if counts else ''}", (("received", stands), *papers))
    return table


def _history_table(messages: Iterable[MessageRecord], zone: tzinfo) -> Table:
    table = new_table("mail", "", "")
    for message in messages:
        place = f"{message.mailbox}/{message.folder}, uid {message.uid}"
        facts = (
            ("received", f"{iso(message.received_at, zone)}, {place}"),
            ("from", message.sender),
            ("subject", message.subject),
            ("asks", message.question),
            *(("file", f"{d.filename} ({d.role.value}, {d.format.value})") for d in message.documents),
            ("outcome", message.outcome.value if message.outcome else "waiting"),
            *(("ruled", text) for text in _ruled(message)),
            ("findings", "; ".join(_codes(message.findings))),
            *(("reply", f"{reply.kind.value} {_state(reply)}") for reply in message.replies),
        )
        _add_block(table, str(message.id), facts)
    return table


def _add_block(table: Table, name: str, facts: Iterable[tuple[str, str]]) -> None:
    """What is known of one thing, a line each, under its name; what is empty is left out."""
    for label, text in facts:
        if text:
            table.add_row(name, label, foreign(" ".join(text.split())))
            name = ""


def _codes(findings: Iterable[Finding]) -> Iterator[str]:
    """Each code once, with the items concerned."""
    items: dict[str, list[str]] = {}
    for each in findings:
        items.setdefault(each.code.value, []).extend([] if each.item is None else [str(each.item)])
    return (" ".join((code, ", ".join(nos))).strip() for code, nos in items.items())


def _state(reply: ReplyRecord) -> str:
    return f"{reply.state.value}, dropped" if reply.dropped else reply.state.value


def _ruled(message: MessageRecord) -> Iterable[str]:
    return (f"{one.kind.value} by {one.by}: {one.why}" for one in message.rulings)


def reading_view(reading: MailReading, rubric: Rubric, scanner: str = "") -> Group:
    """One document as it was read: the form's items, and beneath them every finding; who looked through it first."""
    from rich.console import Group

    documents = new_table("file", "format", "role", "in", "speaks of", "names", "red seal")
    for document in reading.documents:
        documents.add_row(
            foreign(document.filename),
            document.format.value,
            document.role.value,
            foreign(document.container or ""),
            str(document.year or ""),
            foreign("; ".join(document.organizations)),
            {True: "seen", False: "not seen", None: ""}[document.seal],
        )
    parts: list[RenderableType] = [documents]
    form = reading.assessment
    if form is not None:
        read = (
            f"organization {form.organization or '?'}, year {form.year or '?'}, read by {form.read_by.value}"
        )
        parts += [foreign(read), _item_table(form.items, rubric), _totals(form.stated_total, form.total)]
    parts.append(_finding_table(_findings(reading), rubric, "findings"))
    if scanner:
        parts.append(f"looked through for malware by clamd at {scanner}")
    return Group(*parts)


def reading_text(reading: MailReading, rubric: Rubric, scanner: str = "") -> str:
    """`reading_view` as plain text."""
    return to_text(reading_view(reading, rubric, scanner))


def _item_table(items: Sequence[ItemReading], rubric: Rubric) -> Table:
    table = new_table("no", "item", "points", "score", "evidence", "place", "sure")
    for item in items:
        known = rubric.by_no.get(item.no)
        table.add_row(
            str(item.no),
            foreign(known.group if known else ""),
            points(known.points) if known else "",
            foreign(_score(item)),
            foreign(" ".join(item.evidence.split())[:80]),
            foreign(item.score_place),
            "" if item.confidence is None else f"{item.confidence:.0%}",
        )
    return table


def _score(item: ItemReading) -> str:
    """As a number, and as it is written where that is more than digits."""
    number = "" if item.score is None else points(item.score)
    is_number = item.score_text.replace(".", "", 1).isdecimal()
    return number if is_number or not item.score_text else f"{number} “{item.score_text}”".strip()


def _totals(stated: Decimal | None, total: Decimal | None) -> str:
    return (
        f"stated total {'-' if stated is None else points(stated)}, "
        f"computed total {'-' if total is None else points(total)}"
    )


def _finding_table(findings: Sequence[Finding], rubric: Rubric, title: str) -> RenderableType:
    from rich.text import Text

    if not findings:
        return f"{title}: none"
    table = new_table(title, "severity", "detail", "file", "place")
    for each in findings:
        table.add_row(
            each.code.value,
            Text(each.severity.value, style=_COLOURS[each.severity]),
            foreign(detail(each, rubric)),
            foreign(each.document or ""),
            foreign(each.place),
        )
    return table


def _findings(reading: MailReading) -> tuple[Finding, ...]:
    on_documents = (each for document in reading.documents for each in document.findings)
    return tuple(dict.fromkeys((*on_documents, *reading.findings)))


def read_json(reading: MailReading, rubric: Rubric, scanner: str = "") -> dict[str, object]:
    """The contract's object on one document; scores are Decimal."""
    document = _main_document(reading)
    return {
        "filename": document.filename if document else "",
        "format": document.format.value if document else "unknown",
        "role": document.role.value if document else "other",
        "assessment": assessment_json(reading.assessment),
        "findings": [finding_json(each, rubric) for each in _findings(reading)],
        **({"scanned_by": f"clamd at {scanner}"} if scanner else {}),
    }


def read_json_text(reading: MailReading, rubric: Rubric, scanner: str = "") -> str:
    """The same as JSON with its numbers exact, indented, without a final line break."""
    encoded = msgspec.json.Encoder(decimal_format="number").encode(read_json(reading, rubric, scanner))
    return msgspec.json.format(encoded, indent=2).decode()


def _main_document(reading: MailReading) -> DocumentReading | None:
    form = (document for document in reading.documents if document.key == reading.form_key)
    return next(form, next(iter(reading.documents), None))


def foreign(text: str) -> Text:
    """Text from outside: no markup, no terminal codes."""
    from rich.text import Text

    return Text(plain_text(text).replace("\t", " "))


def new_table(*heads: str) -> Table:
    """A plain table with these heads; a time or a state is never broken over lines."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold", no_wrap=head in ("received", "state"))
    return table


def _grid() -> Table:
    from rich.table import Table

    return Table.grid(padding=(0, 3, 0, 0))

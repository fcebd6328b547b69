"""What goes back for a decided message: which letter, to whom, with which files, now or held for a person."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from mailbot.config import Config
from mailbot.log import log
from mailbot.mail.automatic import sign
from mailbot.mail.compose import Attachment, OutgoingMail, compose, reply_message_id, workbook_file
from mailbot.model import Assessment, Code, Decision, ReplyKind, ReplyState
from mailbot.reading import Address, Authentication, MailHead, MailReading
from mailbot.records import LOOK_FIRST, PERHAPS_SENT, StoredMessage
from mailbot.report.case import Case, facts
from mailbot.report.letters import BrokenTemplateError, template_names, write
from mailbot.report.marked_form import blank_form, marked_form
from mailbot.report.reminder import write_reminder
from mailbot.report.samples import sample_letters, sample_reminders
from mailbot.report.word_form import blank_word_form
from mailbot.rubric import Rubric
from mailbot.store.history import BEGUN, REBUILT
from mailbot.store.store import NewReply, Store

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9.-]{1,255}")
_WENT_OUT = frozenset(ReplyState) - {ReplyState.HELD, ReplyState.FAILED}
_NEVER = datetime.min.replace(tzinfo=UTC)


class Answerer:
    """Composes the reply to a decided message. For the intake's thread."""

    def __init__(self, config: Config, rubric: Rubric, store: Store, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._rubric = rubric
        self._store = store
        self._clock = clock
        self._own = frozenset(mailbox.address.lower() for mailbox in config.mailboxes)
        self._brake = _Brake(config, store)
        self._rebuilt, self._begun = (_moment(store.flag(name)) for name in (REBUILT, BEGUN))

    def answer(
        self,
        message: StoredMessage,
        reading: MailReading,
        decision: Decision,
        *,
        ordered: bool = False,
        untold_since: datetime | None = None,
    ) -> tuple[NewReply, ...]:
        """The reply that goes into the outbox with the decision, if any.

        Raises BrokenTemplateError where a template cannot be filled in: then nothing may be decided.
        `ordered`: a person decided so, and no limit holds it. `untold_since`: only where the reader has not got the
        same kind of letter on another of the organization's messages since then.
        """
        if decision.reply is None or self._config.replies.mode == "off":
            return ()
        if decision.reply is ReplyKind.RECEIPT and self._answers_a_receipt(reading):
            log.info("words on a receipt are not answered by another one", message=message.id)
            return ()
        to = recipient(reading.head, self._own)
        if to is None:
            log.warning("no address to answer to", message=message.id)
            return ()
        case = self._case(message, reading, decision, to)
        kind = self._kind(case, decision.reply)
        if untold_since is not None and any(
            r.to == to and r.kind is kind and r.queued_at >= untold_since for r in case.earlier
        ):
            return ()
        if kind is ReplyKind.CORRECTION and not ordered and self._enough(case):
            return self._for_a_person(case)
        return (self._reply(case, kind, ordered=ordered),)

    def _answers_a_receipt(self, reading: MailReading) -> bool:
        """Whether a mail only says something on a receipt of ours, without question or document: it gets no answer.

        Such are thanks, and the mails of robots that do not say so, which would answer every receipt they get.
        """
        head = reading.head
        if reading.documents or head.links or head.asks or head.claims_attachment or not head.in_reply_to:
            return False
        return self._store.kind_of_letter(head.in_reply_to) is ReplyKind.RECEIPT

    def _enough(self, case: Case) -> bool:
        """Whether the organization has got as many correction letters as anybody should."""
        others = [r for r in case.earlier if r.message != case.message.id]
        sent = [r for r in others if r.kind is ReplyKind.CORRECTION and r.state in _WENT_OUT]
        return len(sent) >= self._config.replies.max_corrections

    def _for_a_person(self, case: Case) -> tuple[NewReply, ...]:
        """Instead of one correction letter more: the letter held, for a person to telephone, and a receipt that goes."""
        held = replace(
            self._reply(case, ReplyKind.CORRECTION, ordered=False),
            state=ReplyState.HELD,
            note=f"补正通知已发{self._config.replies.max_corrections}次，请电话联系该单位",
        )
        return held, self._reply(case, ReplyKind.RECEIPT, ordered=False)

    @staticmethod
    def _kind(case: Case, kind: ReplyKind) -> ReplyKind:
        """The kind of letter; a receipt instead of a correction that has nothing to ask for, which should not occur."""
        if kind is ReplyKind.CORRECTION and not (case.errors or case.withheld or case.asked):
            log.warning("a correction without an error", message=case.message.id)
            return ReplyKind.RECEIPT
        return kind

    def _case(self, message: StoredMessage, reading: MailReading, decision: Decision, to: str) -> Case:
        organization = decision.organization
        case = Case(
            message=message,
            reading=reading,
            decision=decision,
            mailbox=self._config.mailbox(message.mailbox),
            to=to,
            now=self._clock(),
            told=frozenset({message.id}),
            earlier=self._store.earlier_replies(organization.name) if organization else (),
        )
        case = replace(case, told=case.told | self._told(case))
        return replace(case, assessment=self._assessment(case))

    def _told(self, case: Case) -> frozenset[int]:
        """The organization's other messages that the reader sent, was answered on, or is registered to know of."""
        others = {v.message for v in case.decision.versions} - {case.message.id}
        if case.decision.organization is None or not others:
            return frozenset()
        if case.registered:
            return frozenset(others)
        sent = {m.id for m in self._store.messages(numbers=sorted(others)) if m.sender == case.to}
        return frozenset(sent | {r.message for r in case.earlier if r.to == case.to})

    def _assessment(self, case: Case) -> Assessment | None:
        form = case.version.form if case.version else None
        if form is None or form.message == case.message.id:
            return case.reading.assessment
        if form.message not in case.told or case.decision.organization is None:
            return None
        return next(self._store.messages(numbers=(form.message,))).assessment

    def _reply(self, case: Case, kind: ReplyKind, *, ordered: bool) -> NewReply:
        campaign, head, mailbox = self._config.campaign, case.reading.head, case.mailbox
        files, marked = self._files(case, kind)
        name = files[0].filename.removesuffix(".xlsx") if files else ""
        said = replace(
            facts(case, kind, self._config, self._rubric),
            marked_form=name if marked else "",
            blank_form="" if marked else name,
        )
        letter = write(kind, said, self._config.templates)
        octets_of = case.message.sha256 or case.message.receipt_hash
        mail = OutgoingMail(
            sender=Address(name=mailbox.contact.name if mailbox.contact else "", address=mailbox.address),
            to=(case.to,),
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            message_id=reply_message_id(
                campaign.name, octets_of, kind.value, mailbox.address.rpartition("@")[2]
            ),
            date=case.now.astimezone(campaign.timezone),
            in_reply_to=head.message_id,
            references=head.references or ((head.in_reply_to,) if head.in_reply_to else ()),
            attachments=files,
        )
        organization = case.decision.organization
        state = self._brake.state(case.to, organization.name if organization else None, case.now)
        state, note = self._perhaps_answered(case.message, ReplyState.QUEUED if ordered else state)
        return NewReply(
            mailbox=mailbox.name,
            kind=kind,
            to=case.to,
            message_id=mail.message_id,
            subject=letter.subject,
            octets=compose(mail),
            state=state,
            note=note,
        )

    def _perhaps_answered(self, message: StoredMessage, state: ReplyState) -> tuple[ReplyState, str]:
        """The state of the reply to a mail that may have been answered already, and the note why; else `state` and ''.

        A mail from before a rebuild may have been answered after the ledger was exported: its reply is held. One from
        before a new database was begun may have been answered out of a lost one: its reply is looked for before it goes.
        """
        if message.received_at <= self._rebuilt:
            return ReplyState.HELD, PERHAPS_SENT
        looked_for = state is ReplyState.QUEUED and message.received_at <= self._begun
        return state, LOOK_FIRST if looked_for else ""

    def _files(self, case: Case, kind: ReplyKind) -> tuple[tuple[Attachment, ...], bool]:
        """The marked form, or the blank ones where none was sent, and whether it is marked; none to a stranger."""
        known = case.registered or case.reading.head.authentication is Authentication.PASSED
        if kind is not ReplyKind.CORRECTION or not known:
            return (), False
        title = self._rubric.title
        if any(f.code in (Code.FORM_MISSING, Code.FORM_WRONG_YEAR) for f in case.errors):
            return blank_forms(self._rubric), False
        about_the_form = [
            f for f in case.errors if f.code.is_about_the_form or f.code is Code.ORGANIZATION_MISSING
        ]
        if case.assessment is None or not about_the_form:
            return (), False
        marked = marked_form(case.assessment, about_the_form, self._rubric)
        return (workbook_file(f"{title}（标注）.xlsx", marked),), True


class _Brake:
    """Whether one more letter may go out now: by reader, by organization, and altogether.

    Decisions are committed in groups; letters composed since the last commit are counted here.
    """

    def __init__(self, config: Config, store: Store) -> None:
        self._limits = config.replies
        self._zone = config.campaign.timezone
        self._store = store
        self._newest = -1
        self._pending: list[tuple[str, str | None]] = []

    def state(self, to: str, organization: str | None, now: datetime) -> ReplyState:
        today = now.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        queued = self._store.replies_queued(to, organization, day=today, hour=now - timedelta(hours=1))
        if queued.newest != self._newest:
            self._newest = queued.newest
            self._pending.clear()
        over = (
            queued.to_reader + self._waiting(to=to) >= self._limits.max_per_sender_per_day
            or (
                organization is not None
                and queued.to_organization + self._waiting(organization=organization)
                >= self._limits.max_per_organization_per_day
            )
            or queued.in_the_hour + len(self._pending) >= self._limits.max_per_hour
        )
        self._pending.append((to, organization))
        return ReplyState.HELD if over else ReplyState.QUEUED

    def _waiting(self, *, to: str | None = None, organization: str | None = None) -> int:
        return sum(1 for address, name in self._pending if (address == to if to else name == organization))


def _moment(flag: str | None) -> datetime:
    return datetime.fromisoformat(flag) if flag else _NEVER


def recipient(head: MailHead, own: frozenset[str]) -> str | None:
    """Reply-To, else From: the first address that is neither our own nor a robot's. None where there is none."""
    if len(head.from_) != 1:
        return None
    for address in (*head.reply_to, *head.from_):
        candidate = address.address.strip().lower()
        if not candidate.isascii() or not _ADDRESS.fullmatch(candidate):
            continue
        if not sign({}, content_type="", sender=candidate, body="", own=own):
            return candidate
    return None


@lru_cache(maxsize=2)
def blank_forms(rubric: Rubric) -> tuple[Attachment, ...]:
    """The official form without scores, as a workbook and as a Word file."""
    return (
        workbook_file(f"{rubric.title}.xlsx", blank_form(rubric)),
        Attachment(filename=f"{rubric.title}.docx", content_type=_DOCX, data=blank_word_form(rubric)),
    )


def check_templates(templates: Path | None) -> list[str]:
    """What is wrong with the office's templates, each tried with sample facts; nothing where all is well."""
    if templates is None:
        return []
    if not templates.is_dir():
        return [f"{templates}: there is no such directory"]
    known = set(template_names())
    faults = [
        f"{file}: no template of ours has this name; there are {', '.join(sorted(known))}"
        for file in sorted(templates.iterdir())
        if file.suffix in (".txt", ".html") and file.name not in known
    ]
    for kind, said in sample_letters():
        try:
            write(kind, said, templates)
        except BrokenTemplateError as error:
            faults.append(f"{templates}: {error}")
    for reminder in sample_reminders():
        try:
            write_reminder(reminder, templates)
        except BrokenTemplateError as error:
            faults.append(f"{templates}: {error}")
    return list(dict.fromkeys(faults))

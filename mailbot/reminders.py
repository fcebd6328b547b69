"""Reminders before the deadline, to those of the registry whose submission is not complete.

Whether one is still due is looked up for each anew just before it goes: who has sent in the meantime gets none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from mailbot.answer import blank_forms
from mailbot.config import Config, Mailbox
from mailbot.errors import TemporaryError
from mailbot.listed import kept_otherwise
from mailbot.log import log
from mailbot.mail.addresses import is_address
from mailbot.mail.compose import OutgoingMail, compose
from mailbot.mail.reply_folders import marks
from mailbot.model import Code, Organization, ReplyState, Role, Severity, Status
from mailbot.reading import Address
from mailbot.records import OUR_MESSAGE_ID, OrganizationRecord, ReminderRecord
from mailbot.registry import Registry
from mailbot.report.letters import BrokenTemplateError, Contact, Letter
from mailbot.report.reminder import ReminderFacts, write_reminder
from mailbot.report.roster import roster
from mailbot.report.standing import piece
from mailbot.rubric import Rubric
from mailbot.store.history import REBUILT
from mailbot.store.store import Store

_LACKING = (Status.NOT_RECEIVED, Status.INCOMPLETE)
"""Where something waits for a person, nobody can say yet that anything lacks."""
_LOOK_AGAIN = timedelta(minutes=10)
_BLIND_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One reminder, ready to go, and marked as being sent."""

    record: ReminderRecord
    octets: bytes


class Reminders:
    """The reminders that go through one mailbox's account. For one thread."""

    def __init__(
        self,
        mailbox: Mailbox,
        *,
        config: Config,
        rubric: Rubric,
        registry: Registry | None,
        store: Store,
        clock: Callable[[], datetime],
    ) -> None:
        self._mailbox = mailbox
        self._config = config
        self._rubric = rubric
        self._registry = registry
        self._organizations = registry.organizations if registry else ()
        self._store = store
        self._clock = clock
        self._own = frozenset(m.address.lower() for m in config.mailboxes)
        self._left: list[tuple[Organization, str]] = []
        self._look_again = datetime.min.replace(tzinfo=config.campaign.timezone)

    def wait(self) -> bool:
        """Whether a reminder is due now, after the day's hour."""
        now = self._clock()
        local = now.astimezone(self._config.campaign.timezone)
        if local.time() < self._config.reminders.at or not is_a_day(self._config, now):
            self._left.clear()
            return False
        if timedelta(0) < self._look_again - now <= _LOOK_AGAIN:
            return bool(self._left)
        self._look_again = now + _LOOK_AGAIN
        self._left.clear()
        try:
            self.look()
        except TemporaryError as error:
            log.warning("reminders wait", reason=str(error))
        return bool(self._left)

    def look(self) -> None:
        """Look up who is to be reminded now. Raises TemporaryError where that cannot be told."""
        self._be_sure()
        told = {(r.organization, r.recipient) for r in self._store.reminders(day=self._today())}
        self._left = [
            (organization, address)
            for organization, address in self._everybody()
            if (organization.name, address) not in told
        ]

    @property
    def left(self) -> bool:
        """Whether somebody is still to be reminded."""
        return bool(self._left)

    def take(self) -> Reminder | None:
        """The next one, marked as being sent before this returns; None where there is none."""
        while self._left:
            organization, address = self._left.pop(0)
            record = self._record(organization)
            if record.status not in _LACKING or not is_a_day(self._config, self._clock()):
                continue
            letter = self._letter(record)
            if letter is None:
                self._left.clear()
                return None
            made = self._made(record, address, letter)
            if self._store.begin_reminder(made.record):
                return made
        return None

    def settle(self, reminder: Reminder, state: ReplyState, error: str = "") -> None:
        """Keep how it ended; what was not taken is tried again on the same day."""
        self._store.settle_reminder(reminder.record, state, at=self._clock(), error=error)
        if state is ReplyState.QUEUED:
            self._look_again = self._clock()

    def preview(self) -> Iterator[tuple[tuple[str, ...], Letter]]:
        """Who would be reminded as things stand, and how. Raises BrokenTemplateError."""
        addresses: dict[Organization, list[str]] = {}
        for organization, address in self._everybody():
            addresses.setdefault(organization, []).append(address)
        for organization, to in addresses.items():
            facts = self._facts(self._record(organization))
            yield tuple(to), write_reminder(facts, self._config.templates)

    def _today(self) -> date:
        return self._clock().astimezone(self._config.campaign.timezone).date()

    def _be_sure(self) -> None:
        """Raises TemporaryError where a mail may lie somewhere that nobody has read yet."""
        if self._store.counts().waiting:
            raise TemporaryError("mails wait for their decision; nobody is reminded before")
        for known, listed in kept_otherwise(self._store, self._registry):
            raise TemporaryError(
                f"{known} is {listed.name} by the registry; the worker must start anew for that"
            )
        now = self._clock()
        rebuilt = self._store.flag(REBUILT)
        if rebuilt is not None and self._went_out_before(datetime.fromisoformat(rebuilt)):
            raise TemporaryError(
                "the database was made again since the hour of today's reminders: they may be out"
            )
        rounds = {(f.mailbox, f.folder): f.last_good_round for f in self._store.folders()}
        for mailbox in self._config.mailboxes:
            last = rounds.get((mailbox.name, mailbox.imap.folder))
            if last is None or now - last > _BLIND_AFTER:
                raise TemporaryError(
                    f"{mailbox.name}: not read for an hour; nobody is reminded of what may lie there"
                )

    def _went_out_before(self, rebuilt: datetime) -> bool:
        """Whether today's reminders may have left before the database was made again."""
        local = rebuilt.astimezone(self._config.campaign.timezone)
        return local.date() == self._today() and local.time() >= self._config.reminders.at

    def _everybody(self) -> Iterator[tuple[Organization, str]]:
        """Who of this mailbox's track lacks something, and each registered address.

        None of those from whose addresses documents wait for a person, for whichever organization they turn out to be, nor
        of those whom waiting documents name.
        """
        waiting, named = self._store.senders_waiting(), self._store.named_waiting()
        known = {record.name: record for record in roster(self._store.organizations(), self._organizations)}
        for organization in self._organizations:
            mine = _mailbox_of(organization, self._config) is self._mailbox
            addresses = dict.fromkeys(email.lower() for email in organization.emails)
            lacks = known[organization.name].status in _LACKING and waiting.isdisjoint(addresses)
            names = (organization.name, *organization.aliases)
            may_lie_there = any(name in found for name in names for found in named)
            for address in addresses if mine and lacks and not may_lie_there else ():
                if is_address(address) and address not in self._own:
                    yield organization, address

    def _record(self, organization: Organization) -> OrganizationRecord:
        stored = self._store.organization(organization.name)
        return roster((stored,) if stored else (), (organization,))[0]

    def _letter(self, record: OrganizationRecord) -> Letter | None:
        try:
            return write_reminder(self._facts(record), self._config.templates)
        except BrokenTemplateError as error:
            log.error("no reminder goes out with a broken template", reason=str(error))
            return None

    def _facts(self, record: OrganizationRecord) -> ReminderFacts:
        campaign, contact = self._config.campaign, self._mailbox.contact
        zone, version = campaign.timezone, record.counts
        roles, standing = self._config.owed[record.track], version.findings if version else ()
        return ReminderFacts(
            campaign_title=campaign.title,
            notice=campaign.notice,
            organization=record.name,
            deadline=campaign.deadline.astimezone(zone),
            now=self._clock().astimezone(zone),
            owed=roles,
            held=tuple(role for role in roles if piece(version, role)),
            received_at=record.versions[-1].received_at.astimezone(zone) if record.versions else None,
            findings=tuple(f for f in (*standing, *record.unread) if f.severity is Severity.ERROR),
            rubric=self._rubric,
            blank_form=self._rubric.title if self._wants_form(record) else "",
            mailbox=self._mailbox.address,
            contact=Contact(name=contact.name, phone=contact.phone, address=contact.address)
            if contact
            else Contact(),
        )

    def _wants_form(self, record: OrganizationRecord) -> bool:
        if Role.FORM not in self._config.owed[record.track]:
            return False
        lacks = {f.code for f in record.counts.findings} if record.counts else {Code.FORM_MISSING}
        return bool(lacks & {Code.FORM_MISSING, Code.FORM_BLANK, Code.FORM_WRONG_YEAR})

    def _made(self, record: OrganizationRecord, address: str, letter: Letter) -> Reminder:
        now, mailbox = self._clock(), self._mailbox
        name = mailbox.contact.name if mailbox.contact else ""
        mail = OutgoingMail(
            sender=Address(name=name, address=mailbox.address),
            to=(address,),
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            message_id=_message_id(record.name, address, self._today(), mailbox.address),
            date=now.astimezone(self._config.campaign.timezone),
            attachments=blank_forms(self._rubric) if self._wants_form(record) else (),
            auto_submitted="auto-generated",
        )
        return Reminder(
            record=ReminderRecord(
                organization=record.name,
                recipient=address,
                day=self._today(),
                mailbox=mailbox.name,
                subject=letter.subject,
                state=ReplyState.SENDING,
                at=now,
            ),
            octets=compose(mail),
        )


def reminder_marks(record: ReminderRecord, own: str) -> frozenset[str]:
    """By what a reminder that was laid into Drafts is known again among what was sent from the address `own`."""
    message_id = _message_id(record.organization, record.recipient, record.day, own)
    return marks(message_id, record.subject, record.recipient)


def is_a_day(config: Config, now: datetime) -> bool:
    """Whether reminders go out on this day; never after the deadline."""
    return now <= config.campaign.deadline and _days_left(config, now) in config.reminders.days


def next_day(config: Config, now: datetime) -> date | None:
    """The next day after this one on which reminders go out; None where there is none."""
    last = config.campaign.deadline.astimezone(config.campaign.timezone).date()
    left = [days for days in config.reminders.days if days < _days_left(config, now)]
    return last - timedelta(days=max(left)) if left and now <= config.campaign.deadline else None


def _days_left(config: Config, now: datetime) -> int:
    zone = config.campaign.timezone
    return (config.campaign.deadline.astimezone(zone).date() - now.astimezone(zone).date()).days


def _mailbox_of(organization: Organization, config: Config) -> Mailbox:
    mine = (mailbox for mailbox in config.mailboxes if mailbox.track is organization.track)
    return next(mine, config.mailboxes[0])


def _message_id(organization: str, address: str, day: date, own: str) -> str:
    digest = hashlib.sha256(f"{organization}\n{address}\n{day.isoformat()}".encode()).hexdigest()
    return f"{OUR_MESSAGE_ID}reminder.{digest[:32]}@{own.rpartition('@')[2]}>"

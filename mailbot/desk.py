"""A person's work on what waits: decisions on mails, replies sent on or dropped, paper copies, points and notes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mailbot.breaker import Breaker
from mailbot.config import Config
from mailbot.errors import UsageError
from mailbot.model import Code, Decision, Outcome, ReplyKind, ReplyState, Ruling, RulingKind, Severity, Track
from mailbot.records import STUCK, MessageRecord, OrganizationRecord, ReplyRecord, StoredMessage, Wish
from mailbot.registry import identify
from mailbot.report.returned import Returned, not_taken, read_returned
from mailbot.report.review import review_view
from mailbot.report.verdicts import Verdict
from mailbot.rubric import Rubric
from mailbot.store.store import StaffEntry, Store

if TYPE_CHECKING:
    from rich.console import Group

_LONGEST = 500
_ON_ITS_WAY = (ReplyState.SENDING, ReplyState.SENT, ReplyState.DRAFTED, ReplyState.UNCERTAIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyWish:
    """What a person wants of a reply that did not go out."""

    reply: int | None = None
    send: bool = False
    drop: bool = False


class Desk:
    """Where persons decide. Every decision is kept with who and why; the intake then decides the message anew."""

    def __init__(
        self,
        *,
        config: Config,
        rubric: Rubric,
        store: Store,
        organizations: Callable[[], Sequence[OrganizationRecord]],
        named: Callable[[str], OrganizationRecord],
        foresee: Callable[[StoredMessage, Sequence[Ruling]], Decision],
        as_of_now: Callable[[ReplyRecord], bytes | None],
        decide: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._config = config
        self._rubric = rubric
        self._store = store
        self._organizations = organizations
        self._named = named
        self._foresee = foresee
        self._as_of_now = as_of_now
        self._decide = decide
        self._clock = clock

    def review(
        self, number: int | None, wish: Wish, on_reply: ReplyWish, *, by: str, why: str
    ) -> Group | str:
        """What waits, or a person's decision on one message or one reply and what came of it. Raises UsageError."""
        if on_reply.reply is not None:
            if number is not None or wish.kinds:
                raise UsageError("decide on a message or on a reply, not on both at once")
            return self.settle_reply(on_reply, by=by, why=why)
        if on_reply.send or on_reply.drop:
            raise UsageError("of which reply? --reply ID; mailbot review lists them")
        if number is None:
            if wish.kinds:
                raise UsageError("of which message? mailbot review lists them")
            return self.waiting()
        kept = self.rule(number, wish, by=by, why=why)
        self._decide()
        return ("" if kept else "decided so already\n") + self.outcome_of(number)

    def resume(self, *, by: str, why: str) -> str:
        """Let letters go out again after all sending stopped. Raises UsageError."""
        _signed(by, why)
        if Breaker(self._config, self._store, self._clock).release(by=by.strip(), why=why.strip()):
            return "letters go out again"
        return "nothing was stopped"

    def waiting(self) -> Group:
        """What waits for a person, for the terminal."""
        return review_view(
            tuple(self._store.for_a_person()),
            tuple(self._store.passed_over()),
            self._store.organizations(forms=False),
            self._rubric,
            self._config,
        )

    def rule(self, number: int, wish: Wish, *, by: str, why: str) -> bool:
        """Keep a person's decision on a message; False where the very same one stands already.

        Raises UsageError.
        """
        _signed(by, why)
        message = self._message(number)
        given = self._rulings(message, wish, by, why)
        if _stands(given, message.rulings):
            return False
        self._possible(message, given)
        self._store.record_rulings(given)
        return True

    def _message(self, number: int) -> MessageRecord:
        message = next(self._store.messages(numbers=(number,)), None)
        if message is None:
            raise UsageError(f"there is no message {number}")
        if message.outcome is None:
            raise UsageError(f"message {number} has not been processed yet")
        waits = message.rulings or (message.was_passed_over and message.documents)
        if message.outcome is Outcome.IGNORED and not waits:
            codes = ", ".join(f.code.value for f in message.findings)
            raise UsageError(f"message {number} waits for nobody: it is ignored ({codes})")
        return message

    def _rulings(self, message: MessageRecord, wish: Wish, by: str, why: str) -> tuple[Ruling, ...]:
        kinds = wish.kinds
        if not kinds:
            raise UsageError(
                "say what is to be done: --organization NAME, --accept, --correct SENTENCE or --no-submission"
            )
        if len([kind for kind in kinds if kind is not RulingKind.ASSIGN]) > 1:
            raise UsageError(
                "only one of --accept, --correct and --no-submission can hold for a mail: leave the others out"
            )
        if wish.no_submission and wish.organization is not None:
            raise UsageError("--no-submission belongs to no organization: leave --organization out")
        sentence = "" if wish.correct is None else " ".join(wish.correct.split())
        if wish.correct is not None and not 0 < len(sentence) <= _LONGEST:
            raise UsageError(f"--correct wants a sentence of at most {_LONGEST} characters")
        one = Ruling(
            message=message.id, kind=RulingKind.ACCEPT, by=by.strip(), why=why.strip(), at=self._clock()
        )
        name, track = self._assigned(message, wish.organization) if wish.organization else (None, None)
        return tuple(
            replace(
                one,
                kind=kind,
                organization=name if kind is RulingKind.ASSIGN else None,
                track=track if kind is RulingKind.ASSIGN else None,
                sentence=sentence if kind is RulingKind.CORRECT else "",
            )
            for kind in kinds
        )

    def _assigned(self, message: MessageRecord, name: str) -> tuple[str, Track]:
        """The organization that is meant; where there is no registry also one that nobody has named yet."""
        try:
            record = self._named(name)
        except UsageError:
            if self._config.campaign.organizations is not None:
                raise
        else:
            return record.name, record.track
        new = identify(
            None,
            form_name=name,
            senders=(),
            hints=(),
            learned=None,
            default_track=self._config.mailbox(message.mailbox).track,
            has_form=message.assessment is not None,
        ).organization
        if new is None:
            raise UsageError(f"{name!r} is no name of an organization")
        return new.name, new.track

    def _possible(self, message: MessageRecord, given: Sequence[Ruling]) -> None:
        """Raises UsageError where the decision could not be carried out."""
        kinds = {ruling.kind for ruling in given}
        if RulingKind.ACCEPT in kinds:
            if not message.documents and any(f.code is Code.MESSAGE_INQUIRY for f in message.findings):
                raise UsageError(
                    f"message {message.id} carries nothing to accept; answer it by hand and use --no-submission"
                )
            if message.organization is None and RulingKind.ASSIGN not in kinds:
                raise UsageError(f"nobody knows whose message {message.id} is: name it with --organization")
        if RulingKind.CORRECT in kinds:
            letters = self._store.letters_on(message.id)
            gone = [r for r in letters if r.kind is ReplyKind.CORRECTION and r.state in _ON_ITS_WAY]
            if gone:
                raise UsageError(
                    f"message {message.id} has had its correction letter (reply {gone[0].id}, {gone[0].state.value}); "
                    "no second one goes out on it: write to the organization by hand"
                )
            self._would_be_asked(message, given)

    def _would_be_asked(self, message: MessageRecord, given: Sequence[Ruling]) -> None:
        """Raises UsageError where a correction would ask for nothing, because newer papers have replaced those of the message."""
        foreseen = self._foresee(self._store.stored_message(message.id), given)
        if all(request.message != message.id for request in foreseen.requests):
            newest = foreseen.versions[-1].message
            raise UsageError(
                f"the papers of message {message.id} have been replaced since, last by message {newest}: nothing "
                f"would be asked for; decide on message {newest}, or write to the organization by hand"
            )

    def outcome_of(self, number: int) -> str:
        """What became of a message, in words: outcome, organization, what stands, and its letters."""
        message = self._message(number)
        if self._store.waits_to_be_decided_anew(number):
            return f"message {number}: kept; the worker that is running decides it anew"
        errors = [f.code.value for f in message.findings if f.severity is Severity.ERROR]
        letters = [
            f"{r.kind.value} to {r.to}: {r.state.value}"
            for r in self._store.letters_on(number)
            if not r.dropped
        ]
        outcome = message.outcome.value if message.outcome else "waiting"
        return "\n".join(
            (
                f"message {number}: {outcome}, {message.organization or 'no organization'}",
                *(f"  still asked for: {code}" for code in dict.fromkeys(errors)),
                *(f"  {letter}" for letter in letters or ["no letter"]),
                *self._unlisted(message),
            )
        )

    def _unlisted(self, message: MessageRecord) -> Iterator[str]:
        """A hint where the message's organization is not in the list: its next mail waits for a person again."""
        listed, name = self._config.campaign.organizations, message.organization
        if listed is None or name is None or message.outcome is Outcome.IGNORED:
            return
        if not self._named(name).registered:
            yield f"  {name} is not in {listed.name}: until it is added there, each further mail of it waits for a person"

    def settle_reply(self, wish: ReplyWish, *, by: str, why: str) -> str:
        """Send a reply that is held, failed or uncertain, or drop it; returns what was done. Raises UsageError."""
        _signed(by, why)
        if wish.reply is None or wish.send == wish.drop:
            raise UsageError("say what is to become of the reply: --send or --drop")
        number, signed = wish.reply, {"by": by.strip(), "why": why.strip()}
        if wish.drop:
            done = self._store.drop_reply(number, **signed, at=self._clock())
        else:
            octets = self._written_anew(number)
            done = self._store.send_stuck_reply(number, **signed, at=self._clock(), octets=octets)
        if done:
            return f"reply {number}: {'queued' if wish.send else 'dropped'}"
        wanted = ", ".join(each.value for each in STUCK)
        raise UsageError(
            f"reply {number} is not among those that wait for a person ({wanted}), or its letter is lost"
        )

    def _written_anew(self, number: int) -> bytes | None:
        """The octets of a letter that is held or failed, written as of now. None where they stay as they are; those of an
        uncertain letter do, since it may have arrived."""
        unsent = self._store.replies_in(ReplyState.HELD, ReplyState.FAILED)
        reply = next((each for each in unsent if each.id == number and not each.dropped), None)
        return self._as_of_now(reply) if reply else None

    def paper(self, organization: str, received: date, *, sealed: bool) -> OrganizationRecord:
        """Note that an organization's paper copy came. Raises UsageError."""
        record = self._named(organization)
        today = self._clock().astimezone(self._config.campaign.timezone).date()
        if received > today:
            raise UsageError(f"{received.isoformat()} is still to come")
        entry = replace(entry_of(record), paper_received=received, paper_sealed=sealed)
        if entry != entry_of(record):
            self._store.record_by_staff((entry,), at=self._clock())
        return record

    def take_back(self, path: Path, *, write: bool) -> Returned:
        """What a 汇总表 that staff filled in changes and decides; kept, and carried out, only where `write`.

        What was decided so already is left out. Raises UsageError with every mismatch, and then nothing is kept.
        """
        records = {record.name: record for record in self._organizations()}
        returned = read_returned(
            path,
            campaign=self._config.campaign,
            rubric=self._rubric,
            records=tuple(records.values()),
            today=self._clock().astimezone(self._config.campaign.timezone).date(),
        )
        given = self._given(path, returned.verdicts)
        if write:
            entries = [replace(entry_of(records[c.organization]), **c.values) for c in returned.changes]
            self._store.record_by_staff(entries, at=self._clock())
            self._store.record_rulings([ruling for rulings in given.values() for ruling in rulings])
            if given:
                self._decide()
        return replace(returned, verdicts=tuple(given))

    def _given(self, path: Path, verdicts: Sequence[Verdict]) -> dict[Verdict, tuple[Ruling, ...]]:
        """The rulings of a workbook's verdicts, by verdict, without those that were taken from it before: handed in again,
        it undoes nothing that was decided since.

        Raises UsageError with each verdict that cannot be carried out.
        """
        given: dict[Verdict, tuple[Ruling, ...]] = {}
        faults = []
        for verdict in verdicts:
            try:
                if rulings := self._new(verdict):
                    given[verdict] = rulings
            except UsageError as error:
                faults.append(f"{verdict.place}: {error}")
        if faults:
            raise not_taken(path, faults)
        return given

    def _new(self, verdict: Verdict) -> tuple[Ruling, ...]:
        """The rulings of one verdict; none where they were taken before. Raises UsageError."""
        message = self._message(verdict.message)
        if message.received_at != verdict.received_at:
            raise UsageError(f"message {message.id} came at another time: the row is not as it was exported")
        rulings = self._rulings(message, verdict.wish, verdict.by, verdict.why)
        if {_said(one) for one in rulings} <= {_said(self._as_named_now(one)) for one in message.rulings}:
            return ()
        self._possible(message, rulings)
        return rulings

    def _as_named_now(self, ruling: Ruling) -> Ruling:
        """The ruling with the name that its organization has now, where the registry has renamed it."""
        if ruling.organization is None:
            return ruling
        try:
            return replace(ruling, organization=self._named(ruling.organization).name)
        except UsageError:
            return ruling


def entry_of(record: OrganizationRecord) -> StaffEntry:
    """What staff have noted of an organization so far."""
    return StaffEntry(
        organization=record.name,
        track=record.track,
        paper_received=record.paper_received,
        paper_sealed=record.paper_sealed,
        staff_points=record.staff_points,
        note=record.note,
    )


def _signed(by: str, why: str) -> None:
    if not by.strip() or not why.strip():
        raise UsageError("a decision is kept with who decided and why: --by WHO --why TEXT")


def _stands(given: Sequence[Ruling], rulings: Sequence[Ruling]) -> bool:
    """Whether the newest rulings say the same already, whoever says it again."""

    def said(one: Ruling) -> tuple[object, ...]:
        return (one.kind, one.organization, one.sentence)

    return [said(one) for one in rulings[-len(given) :]] == [said(one) for one in given]


def _said(one: Ruling) -> tuple[object, ...]:
    return (one.kind, one.organization, one.sentence, one.by, one.why)

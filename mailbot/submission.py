"""A submission: what an organization held after each of its messages, and which version of it counts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from mailbot.model import (
    Code,
    Contribution,
    Finding,
    Outline,
    Piece,
    Request,
    Role,
    Severity,
    Status,
    Track,
    Version,
    doubted,
    finding,
)

AnyVersion = TypeVar("AnyVersion", bound=Outline)

MISSING = {
    Code.FORM_MISSING: Role.FORM,
    Code.SUMMARY_MISSING: Role.SUMMARY,
    Code.PLAN_MISSING: Role.PLAN,
}
"""Which document never came, by the finding that says so."""
LACKS = MISSING | {Code.FORM_BLANK: Role.FORM}
"""Which document is missing, by the finding that says so: it never came, or came back blank."""
_CODES = {role: code for code, role in MISSING.items()}
_NO_VERSION = frozenset(
    {
        Code.SENDER_UNAUTHENTICATED,
        Code.DELIVERY_IN_JUNK,
        Code.ORGANIZATION_MISMATCH,
        Code.MESSAGE_INQUIRY,
    }
)
"""A mail with one of these adds no version to a submission: who sent it is not sure, or it hands in nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the campaign asks for."""

    opens: datetime
    deadline: datetime
    requires: Mapping[Track, tuple[Role, ...]]


def on_time(received_at: datetime, deadline: datetime) -> bool:
    """Whether a mail came in time: 17:30:00 does, 17:30:01 does not (whole seconds)."""
    return received_at.replace(microsecond=0) <= deadline


def sides_differ(one: datetime | None, other: datetime, deadline: datetime) -> bool:
    """Whether two times for the same mail disagree about the deadline: one is in time, the other is late."""
    return one is not None and on_time(one, deadline) != on_time(other, deadline)


def fold(contributions: Iterable[Contribution], track: Track, terms: Terms) -> tuple[Version, ...]:
    """The versions of a submission: what was held after each message, by receipt time, oldest first.

    A newer document replaces the older one of its role. Mails that are not trusted, and mere inquiries, add no
    version. While a required document is missing and an earlier mail waits for a person, that mail may hold it: the
    state is `review`.
    """
    versions: list[Version] = []
    held: dict[Role, Piece] = {}
    form_findings: tuple[Finding, ...] = ()
    waiting: tuple[Finding, ...] = ()
    total = None
    blank: str | None = None
    requests: tuple[Request, ...] = ()
    for one in sorted(contributions, key=lambda c: (c.received_at, c.message)):
        if any(f.code in _NO_VERSION for f in one.review):
            continue
        pieces = {Role.FORM: one.form, Role.SUMMARY: one.summary, Role.PLAN: one.plan}
        asked = () if one.request is None else (one.request,)
        requests = (*_unanswered(requests, pieces, held), *asked)
        held.update({role: piece for role, piece in pieces.items() if piece is not None})
        if one.form is not None:
            form_findings, total = on_what_is_owed(one.form_findings, terms.requires[track]), one.total
        blank = one.blank_form if one.blank_form is not None else blank
        if one.read_by_hand is not None:
            held.update({role: one.read_by_hand for role in terms.requires[track] if role not in held})
        lacking = [role for role in terms.requires[track] if role not in held]
        review = left_open(on_what_is_owed(one.review, terms.requires[track]), lacking)
        waiting = left_open((*waiting, *review), lacking) if lacking else ()
        against = (*_lacks(lacking, blank), *form_findings)
        versions.append(
            Version(
                number=len(versions) + 1,
                message=one.message,
                received_at=one.received_at,
                on_time=on_time(one.received_at, terms.deadline),
                state=_state(against, (*waiting, *review), requests),
                form=held.get(Role.FORM),
                summary=held.get(Role.SUMMARY),
                plan=held.get(Role.PLAN),
                total=total,
                findings=against,
                requests=requests,
            )
        )
    return tuple(versions)


def on_what_is_owed(findings: Iterable[Finding], required: Collection[Role]) -> tuple[Finding, ...]:
    """The findings without those on a form that is not owed: nobody mends what nobody asked for.

    Whose a form is may be known only later, so that what a mail contributes keeps all of them.
    """
    owed = Role.FORM in required
    return tuple(f for f in findings if owed or not f.code.is_about_the_form)


def left_open(findings: Iterable[Finding], lacking: Iterable[Role]) -> tuple[Finding, ...]:
    """The findings without those doubts that no longer matter.

    A doubt whether a document is the summary or the plan (`model.doubt`) matters only while that one is missing.
    """
    lack = frozenset(lacking)
    return tuple(f for f in findings if not (may_be := doubted(f)) or not lack.isdisjoint(may_be))


def _unanswered(
    requests: Sequence[Request], pieces: Mapping[Role, Piece | None], held: Mapping[Role, Piece]
) -> tuple[Request, ...]:
    """The requests that still stand after a mail has brought `pieces` to what was `held`.

    A request speaks of one message. It is met when a document of that message is replaced; where none of its
    documents is held, by any document that comes.
    """
    new = {role for role, piece in pieces.items() if piece is not None}
    return tuple(
        request
        for request in requests
        if not new
        & ({role for role, piece in held.items() if piece.message == request.message} or set(held) | new)
    )


def _lacks(lacking: Sequence[Role], blank: str | None) -> Iterable[Finding]:
    """A finding for each missing document; a form that came back blank (`blank`: its file name) is named as that."""
    for role in lacking:
        if role is Role.FORM and blank is not None:
            yield finding(Code.FORM_BLANK, document=blank or None)
        else:
            yield finding(_CODES[role])


def _state(against: Sequence[Finding], waiting: Sequence[Finding], requests: Sequence[Request]) -> Status:
    if waiting or any(f.code.asks_a_person for f in against):
        return Status.REVIEW
    if requests or any(f.severity is Severity.ERROR for f in against):
        return Status.INCOMPLETE
    return Status.COMPLETE


def counting(versions: Sequence[AnyVersion]) -> AnyVersion | None:
    """The version that counts: the last complete one received by the deadline; where there is none, the newest."""
    in_time = [v for v in versions if v.on_time and v.state is Status.COMPLETE]
    if in_time:
        return in_time[-1]
    return versions[-1] if versions else None


def status(versions: Sequence[Outline]) -> Status:
    """Where an organization stands, by the version that counts."""
    version = counting(versions)
    return version.state if version else Status.NOT_RECEIVED

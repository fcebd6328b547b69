"""Random histories of one organization's mails: what holds whatever comes in whatever order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mailbot.model import Code, Contribution, Piece, Role, Severity, Status, Track, finding
from mailbot.submission import Terms, counting, fold, status

DEADLINE = datetime(2021, 1, 15, 9, 30, tzinfo=UTC)
TERMS = Terms(
    opens=datetime(2020, 12, 28, 16, tzinfo=UTC),
    deadline=DEADLINE,
    requires={
        Track.SOCIETY: (Role.FORM, Role.SUMMARY, Role.PLAN),
        Track.ENTERPRISE: (Role.SUMMARY, Role.PLAN),
    },
)
_PIECES = st.none() | st.builds(
    Piece, filename=st.just("a"), sha256=st.just("a" * 64), message=st.integers(1, 9)
)
_DOUBTS = st.lists(
    st.sampled_from(
        [
            Code.DOCUMENT_DANGEROUS,
            Code.ORGANIZATION_UNKNOWN,
            Code.ORGANIZATION_MISMATCH,
            Code.SENDER_UNAUTHENTICATED,
            Code.DELIVERY_IN_JUNK,
        ]
    ),
    max_size=1,
)
_FORM_FAULTS = st.lists(
    st.sampled_from([Code.SCORE_OVER_MAX, Code.FORM_LOW_CONFIDENCE, Code.TOTAL_MISSING]), max_size=1
)


@st.composite
def contributions(draw: st.DrawFn) -> list[Contribution]:
    """A random history: parts, whole mails, faulty and doubtful ones, around the deadline, some in one second."""
    made = []
    for message in range(1, draw(st.integers(0, 7)) + 1):
        made.append(
            Contribution(
                message=message,
                received_at=DEADLINE + timedelta(seconds=draw(st.integers(-3, 3))),
                form=draw(_PIECES),
                summary=draw(_PIECES),
                plan=draw(_PIECES),
                form_findings=tuple(finding(c) for c in draw(_FORM_FAULTS)),
                total=Decimal(message),
                review=tuple(finding(c) for c in draw(_DOUBTS)),
                blank_form=draw(st.sampled_from([None, None, "表.xlsx"])),
            )
        )
    return made


@given(contributions(), st.randoms(use_true_random=False), st.sampled_from(Track))
def test_the_order_of_decision_changes_nothing(
    history: list[Contribution], rng: Random, track: Track
) -> None:
    expected = fold(history, track, TERMS)
    rng.shuffle(history)
    assert fold(history, track, TERMS) == expected


@given(contributions(), st.sampled_from(Track))
def test_what_counts_was_complete_in_time_if_anything_was(history: list[Contribution], track: Track) -> None:
    versions = fold(history, track, TERMS)
    counts = counting(versions)
    assert [v.number for v in versions] == list(range(1, len(versions) + 1))
    complete_in_time = [v for v in versions if v.received_at <= DEADLINE and v.state is Status.COMPLETE]
    if complete_in_time:
        assert counts is complete_in_time[-1]
        assert counts.on_time
        assert status(versions) is Status.COMPLETE
    elif versions:
        assert counts is versions[-1]
    else:
        assert counts is None
    for version in versions:
        held = {Role.FORM: version.form, Role.SUMMARY: version.summary, Role.PLAN: version.plan}
        if version.state is Status.COMPLETE:
            assert all(held[role] for role in TERMS.requires[track])
            assert not any(f.severity is Severity.ERROR or f.code.asks_a_person for f in version.findings)


@given(contributions(), contributions(), st.sampled_from(Track))
def test_later_mails_change_no_earlier_version(
    history: list[Contribution], more: list[Contribution], track: Track
) -> None:
    later = [replace(c, message=c.message + 100, received_at=c.received_at + timedelta(days=1)) for c in more]
    before = fold(history, track, TERMS)
    assert fold([*history, *later], track, TERMS)[: len(before)] == before


@given(contributions(), st.sampled_from(Track))
def test_mails_not_trusted_are_as_if_they_had_not_come(history: list[Contribution], track: Track) -> None:
    distrusted = {Code.ORGANIZATION_MISMATCH, Code.SENDER_UNAUTHENTICATED, Code.DELIVERY_IN_JUNK}
    trusted = [c for c in history if not distrusted & {f.code for f in c.review}]
    assert fold(history, track, TERMS) == fold(trusted, track, TERMS)

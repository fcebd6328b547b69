"""The staff's digest: facts in, subject, text, HTML and pictures out. The prose is in `mailbot/templates/`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.config import Config
from mailbot.records import Counts, FolderHealth, MessageRecord, OrganizationRecord
from mailbot.report import digest_cases as cases
from mailbot.report import digest_lists as lists
from mailbot.report.digest_cases import Picture
from mailbot.report.digest_health import Health, health
from mailbot.report.figures import day, moment
from mailbot.report.rendering import environment, inlined, tidy
from mailbot.report.wording import span
from mailbot.rubric import Rubric

_NEAR = timedelta(days=7)
"""From when on the time that is left is shown large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestFacts:
    """Everything the digest may say."""

    config: Config
    rubric: Rubric
    organizations: Sequence[OrganizationRecord]
    """The roster: who has written, and who should have."""
    news: Sequence[MessageRecord]
    """Decided since the last digest."""
    for_a_person: Sequence[MessageRecord]
    """Waiting for a person: outcome `review`, or with a reply that did not go out."""
    nameless: Sequence[MessageRecord] = ()
    """To be corrected, and of no organization that could be told."""
    passed_over: Sequence[MessageRecord] = ()
    """All mails with documents that were ignored and that no person has judged, not only new ones."""
    counts: Counts
    folders: Sequence[FolderHealth]
    now: datetime
    since: datetime | None = None
    """Time of the last digest; None where this is the first."""
    alarms: Sequence[str] = ()
    disk_free_octets: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A mail to the staff. The HTML shows `pictures` by `cid:` and their content id."""

    subject: str
    text: str
    html: str
    pictures: tuple[Picture, ...] = ()
    news: Sequence[MessageRecord] = ()
    """The decisions that it tells of."""


def digest(facts: DigestFacts) -> Digest:
    """The digest, also of a day on which nothing happened.

    Raises jinja2.TemplateError where a template of the office's is faulty.
    """
    pictures = cases.Pictures()
    zone = facts.config.campaign.timezone
    waiting = cases.waiting(facts.for_a_person, facts.organizations, facts.rubric, facts.config, pictures)
    junk = cases.junk(facts.for_a_person, facts.config)
    passed_over = cases.passed_over(facts.news, facts.config)
    asked = cases.asked(facts.news, zone)
    unsent = cases.unsent((*facts.for_a_person, *facts.news), facts.organizations, facts.counts, zone)
    state = _health(facts)
    clocks = lists.times(facts.organizations, (*facts.news, *facts.for_a_person), facts.config)
    things = waiting.total + unsent.total + len(state.alarms)
    looks = asked.total + junk.total + passed_over.total + clocks.to_verify
    context: dict[str, object] = {
        "title": facts.config.campaign.title,
        "day": day(facts.now, zone),
        "now": moment(facts.now, zone),
        "since": moment(facts.since, zone) if facts.since else "",
        "things": things,
        "headline": _headline(waiting.total, unsent.total, len(state.alarms)),
        "looks": _looks(asked.total, junk.total, passed_over.total, clocks.to_verify),
        "waiting": waiting,
        "asked": asked,
        "junk": junk,
        "passed_over": passed_over,
        "unsent": unsent,
        "health": state,
        **_time_left(facts),
        **lists.where_it_stands(facts.organizations),
        **lists.what_came(facts.news, facts.organizations, facts.config),
        **lists.who_lacks(
            facts.organizations, facts.nameless, (*facts.for_a_person, *facts.passed_over), facts.rubric
        ),
        "late": clocks.late,
        "late_corrections": clocks.late_corrections,
        "disputed": clocks.disputed,
        **lists.scores(facts.organizations, facts.rubric),
    }
    templates = environment(facts.config.templates)
    return Digest(
        subject=_subject(facts, things, looks),
        text=tidy(templates.get_template("digest.txt").render(context)),
        html=inlined(templates.get_template("digest.html").render(context)),
        pictures=pictures.all,
        news=facts.news,
    )


def _health(facts: DigestFacts) -> Health:
    return health(
        facts.folders,
        facts.counts,
        disk_free=facts.disk_free_octets,
        alarms=facts.alarms,
        now=facts.now,
        config=facts.config,
    )


def _subject(facts: DigestFacts, things: int, looks: int) -> str:
    what = f"{things}件需人工处理" if things else f"{looks}件请过目" if looks else "无需人工处理"
    return f"【收件日报】{day(facts.now, facts.config.campaign.timezone)}：{what}"


def _headline(waiting: int, unsent: int, alarms: int) -> str:
    """What there is to do, without a full stop."""
    parts = ((waiting, "封来件待核对"), (unsent, "封答复未能发出"), (alarms, "条系统警报"))
    return "、".join(f"{number}{words}" for number, words in parts if number)


def _looks(asked: int, junk: int, passed_over: int, to_verify: int) -> str:
    """What there is to look at, without a full stop."""
    parts = (
        f"有{asked}封报送邮件另有提问，请答复" if asked else "",
        f"垃圾箱中有{junk}封来件，请看是否误判" if junk else "",
        f"有{passed_over}封未处理的邮件带有附件，请看是否漏收" if passed_over else "",
        f"有{to_verify}封来件是否按时有两种记载，请核实" if to_verify else "",
    )
    return "；".join(part for part in parts if part)


def _time_left(facts: DigestFacts) -> dict[str, object]:
    deadline = facts.config.campaign.deadline
    left = deadline - facts.now
    return {
        "deadline": moment(deadline, facts.config.campaign.timezone),
        "over": left < timedelta(0),
        "time_left": span(abs(left)),
        "near": timedelta(0) <= left <= _NEAR,
    }

"""Two bots talking are parted; from a flood of them all sending stops, nothing is lost, and a person lets it go on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from mailbot.app import App
from mailbot.cli import app as cli
from mailbot.config import load
from mailbot.desk import ReplyWish
from mailbot.report.status import to_text
from mailbot.reports import Reports
from tests.e2e.office import IN_TIME, Office, mail, papers
from tests.e2e.test_reminders import Clock
from tests.e2e.test_templates import subjects


@pytest.fixture
def clock() -> Clock:
    return Clock(IN_TIME + timedelta(minutes=1))


def round_at(office: Office, clock: Clock) -> bool:
    with App.open(load(office.config_path), clock=clock) as app:
        return app.run(once=True)


def words(number: int, sender: str) -> bytes:
    """A robot's mail without any of the signs of one."""
    return mail(
        {}, sender=sender, message_id=f"<{number}@robot.example.com>", body="您的请求已收到，我们会尽快处理。"
    )


def letters(office: Office) -> list[str]:
    return [one.to[0] for one in office.sent if one.to != ("staff@example.org",)]


def talk(office: Office, clock: Clock, sender: str, times: int) -> None:
    """A robot that answers each letter of ours at once; `sender` may hold a place for a number."""
    for number in range(times):
        before = len(letters(office))
        office.deliver(words(number, sender.format(number)), clock.now)
        round_at(office, clock)
        clock.now += timedelta(seconds=40)
        if len(letters(office)) == before:
            return


def release(office: Office, clock: Clock) -> str:
    with App.open(load(office.config_path), clock=clock) as app:
        return app.desk.resume(by="章伟", why="已在网页邮箱核对")


def few(office: Office) -> None:
    """Let the breaker open soon."""
    office.configure(replies="min_interval_seconds = 0\nmax_to_words_per_hour = 5")


def test_two_bots_that_talk_are_parted_and_others_get_their_letters(office: Office, clock: Clock) -> None:
    talk(office, clock, "robot@robot.example.com", 30)
    assert letters(office) == ["robot@robot.example.com"] * 10
    office.deliver(mail(papers()), clock.now)
    assert round_at(office, clock)
    assert letters(office)[10:] == ["office@yunling.example.com"]
    with office.opened() as app:
        assert "STOPPED" not in to_text(Reports(app).status())


def test_a_flood_stops_all_and_staff_are_told_once(office: Office, clock: Clock) -> None:
    few(office)
    talk(office, clock, "ticket{}@robot.example.com", 30)
    office.deliver(mail(papers()), clock.now)
    for _ in range(3):
        assert round_at(office, clock)
        clock.now += timedelta(minutes=10)
    assert len(letters(office)) == 5
    assert [s for s in subjects(office) if "停止" in s] == ["【需处理】自动答复已全部停止"]
    states = [reply["state"] for message in office.export()["messages"] for reply in message["replies"]]
    assert states == ["sent"] * 5 + ["queued"] * 2
    with App.open(load(office.config_path), clock=clock) as app:
        digest = Reports(app).digest()[0].text
        assert "一小时内有6封答复" in digest
        assert digest.index("自动答复已全部停止") < digest.index("■ 待人工核对的来件")
        assert to_text(Reports(app).status()).startswith("ALL SENDING HAS STOPPED")


def test_a_flood_from_ever_new_addresses_is_stopped_within_the_limit(office: Office, clock: Clock) -> None:
    office.configure(replies="min_interval_seconds = 0\nmax_to_words_per_hour = 12")
    talk(office, clock, "ticket{}@robot.example.com", 60)
    assert len(letters(office)) == 12


def test_a_flood_that_came_all_at_once_is_not_answered(office: Office, clock: Clock) -> None:
    for number in range(41):
        office.deliver(words(number, f"ticket{number}@robot.example.com"), clock.now)
    round_at(office, clock)
    assert len(letters(office)) <= 40
    sent = len(letters(office))
    round_at(office, clock)
    assert len(letters(office)) == sent


def test_questions_over_hours_and_many_submissions_are_answered_all(office: Office, clock: Clock) -> None:
    for number in range(45):
        at = clock.now + timedelta(minutes=2 * number)
        office.deliver(words(number, f"person{number}@example.com"), at)
    for number in range(100, 150):
        name = f"浙江省第{number}学会"
        file = {"自评表.xlsx": papers(name)["自评表.xlsx"]}
        office.deliver(
            mail(file, sender=f"a{number}@example.com", message_id=f"<{number}@example.com>"), clock.now
        )
    clock.now += timedelta(hours=2)
    round_at(office, clock)
    assert len(letters(office)) == 95


def test_a_person_lets_it_go_on_and_what_waited_goes_once(office: Office, clock: Clock) -> None:
    few(office)
    talk(office, clock, "ticket{}@robot.example.com", 30)
    office.deliver(mail(papers()), clock.now)
    round_at(office, clock)
    command = ["review", "--resume", "--config", str(office.config_path)]
    refused = CliRunner().invoke(cli, command)
    assert (refused.exit_code, "--by WHO" in refused.output) == (2, True)
    with office.opened() as app:
        (robots,) = [
            r for m in app.store.messages() for r in m.replies if r.state == "queued" and "robot" in r.to
        ]
        app.desk.settle_reply(ReplyWish(reply=robots.id, drop=True), by="章伟", why="自动程序")
    assert release(office, clock) == "letters go out again"
    again = CliRunner().invoke(cli, [*command, "--by", "章伟", "--why", "已核对"])
    assert (again.exit_code, again.output) == (0, "nothing was stopped\n")
    for _ in range(2):
        assert round_at(office, clock)
    assert letters(office)[5:] == ["office@yunling.example.com"]
    assert max(office.sent_ids().values()) == 1
    with office.opened() as app:
        assert "已全部停止" not in Reports(app).digest()[0].text
        assert "STOPPED" not in to_text(Reports(app).status())


def test_a_robot_that_goes_on_afterwards_is_stopped_again_and_told_again(
    office: Office, clock: Clock
) -> None:
    few(office)
    talk(office, clock, "ticket{}@robot.example.com", 30)
    release(office, clock)
    clock.now += timedelta(minutes=1)
    talk(office, clock, "other{}@robot.example.com", 30)
    round_at(office, clock)
    told = [s for s in subjects(office) if "停止" in s]
    assert len(told) == 2
    assert sum(to.startswith("other") for to in letters(office)) == 5


def test_drafts_go_on_since_a_person_sends_them(office: Office, clock: Clock) -> None:
    office.configure(replies='min_interval_seconds = 0\nmode = "draft"\nmax_to_words_per_hour = 1')
    for number in range(4):
        office.deliver(words(number, f"ticket{number}@robot.example.com"), clock.now)
    round_at(office, clock)
    assert [m["replies"][0]["state"] for m in office.export()["messages"]] == ["drafted"] * 4

"""The report's pages: what they say, that nothing in them runs or is fetched, and how a real browser shows them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import lxml.html
import pdfplumber
import pytest
from PIL import Image

from mailbot.model import ReplyKind, ReplyState, Ruling, RulingKind, Status, Track, Version
from mailbot.records import SUPERSEDED, MessageRecord, OrganizationRecord, ReminderRecord, ReplyRecord
from mailbot.report.site import INDEX, OTHERS, Site, page_name, pages
from mailbot.report.summary import Doubts
from tests.conftest import require
from tests.unit.report.sample import CONFIG, HOSTILE_NAME, MESSAGES, NOW, ORGANIZATIONS, RUBRIC, at


def mails(name: str | None) -> Iterable[MessageRecord]:
    return [m for m in MESSAGES if m.organization == name]


def versions(name: str) -> Sequence[Version]:
    return next(record.versions for record in ORGANIZATIONS if record.name == name)


SITE = Site(
    config=CONFIG,
    rubric=RUBRIC,
    organizations=ORGANIZATIONS,
    versions=versions,
    mails=mails,
    doubts=Doubts(),
    reminders=(
        ReminderRecord(
            organization="浙江省示例庚学会",
            recipient="geng@example.com",
            day=at(12, 9, 0).date(),
            mailbox="societies",
            subject="【报送提醒】",
            state=ReplyState.SENT,
            at=at(12, 9, 0, 5),
        ),
    ),
    received=[m.received_at for m in MESSAGES],
    now=NOW,
)
PAGES = dict(pages(SITE))
NUMBER = {record.name: number for number, record in enumerate(ORGANIZATIONS, 1)}


def shown(name: str) -> str:
    body = lxml.html.fromstring(PAGES[name]).find("body")
    assert body is not None
    return " ".join("".join(str(t) for t in body.itertext()).split())


def page_of(name: str) -> str:
    return shown(page_name(NUMBER[name]))


def test_there_is_an_overview_and_a_page_for_each_organization_named_by_a_number() -> None:
    assert set(PAGES) == {INDEX, OTHERS, *(page_name(n) for n in range(1, len(ORGANIZATIONS) + 1))}
    assert all(re.fullmatch(r"[a-z0-9-]+\.html", name) for name in PAGES)
    links = {a.get("href") for a in lxml.html.fromstring(PAGES[INDEX]).iter("a")}
    assert links == set(PAGES) - {INDEX}


def test_every_link_leads_to_a_page_of_the_report() -> None:
    for html in PAGES.values():
        assert {a.get("href") for a in lxml.html.fromstring(html).iter("a")} <= set(PAGES)


def test_nothing_runs_and_nothing_is_fetched() -> None:
    for html in PAGES.values():
        tree = lxml.html.fromstring(html)
        tags = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
        assert not tags & {
            "script",
            "img",
            "link",
            "iframe",
            "object",
            "embed",
            "form",
            "base",
            "image",
            "use",
        }
        assert not [e for e in tree.iter() for name in e.attrib if name.startswith("on") or name == "src"]
        assert not re.findall(r"url\(|@import", html)
        assert "default-src 'none'" in html


def test_nothing_from_a_mail_becomes_markup() -> None:
    whole = "".join(PAGES.values())
    assert HOSTILE_NAME not in whole
    assert "<script" not in whole
    assert HOSTILE_NAME in shown(INDEX)
    assert "\x08" not in whole


def test_the_overview_says_where_it_stands() -> None:
    said = shown(INDEX)
    for record in ORGANIZATIONS:
        assert record.name in said
    assert "已截止15小时" in said
    assert "9应报或已报单位 4已齐全 1待补正 2待核对 2未报送 1逾期" in said
    assert re.search(r"浙江省示例丁协会 ?省级学会 ?已齐全 ?逾期 ?✓ ?✓ ?✓", said)
    assert "缺可读取的下一年度工作计划" in said


def test_an_organizations_page_holds_documents_readings_findings_and_history() -> None:
    said = page_of("浙江省示例乙学会")
    assert "自评表.xlsx" in said
    assert "工作计划 未收到" in re.sub(r"(?<=\S)(?=未收到)", " ", said)
    assert "第8项（举办会员继续教育培训）自评分“3”超过分值2" in said
    assert "Sheet1!F11" in said
    assert "填报总分：99" in said
    assert "来件编号2 2021年1月15日16:02:40" in said.replace("　", " ")
    assert "补正通知：发送失败" in said
    assert "已电话提醒" in said
    assert said.count("年度举办2期以上") == 1


def test_versions_say_which_one_counts_and_reminders_are_history() -> None:
    said = page_of("浙江省示例丙研究会")
    assert "第1版（计入）" in said
    assert "第2版" in said
    silent = page_of("浙江省示例庚学会")
    assert "geng@example.com" in silent
    assert "2021年1月12日9:00:05 geng@example.com 已发" in silent.replace("　", " ")
    assert "没有来件" in silent


def test_mails_of_nobodys_are_listed_apart() -> None:
    said = shown(OTHERS)
    assert "请问自评表盖章是单位公章吗？" in said
    assert "wen@example.com" in said


def test_what_an_inquirer_wrote_is_quoted() -> None:
    asked = replace(MESSAGES[9], text="请问盖<i>章</i>用哪一枚？\n谢谢")
    made = dict(pages(replace(SITE, mails=lambda name: [asked] if name is None else [])))
    assert "请问盖&lt;i&gt;章&lt;/i&gt;用哪一枚？\n谢谢" in made[OTHERS]


def test_what_persons_decided_stands_in_the_history_with_who_when_and_why() -> None:
    ruled = replace(
        MESSAGES[9],
        rulings=(
            Ruling(
                message=10, kind=RulingKind.ASSIGN, by="章伟", why="电话核实<i>", at=at(15, 14, 0, 5),
                organization="浙江省示例甲学会", track=Track.SOCIETY,
            ),
            Ruling(
                message=10, kind=RulingKind.CORRECT, by="李敏", why="未盖章", at=at(15, 15, 0),
                sentence="请盖章后再发。",
            ),
        ),
        replies=tuple(
            ReplyRecord(
                id=n, message=10, mailbox="societies", kind=ReplyKind.RECEIPT, to="wen@example.com",
                message_id=f"<{n}@x>", subject="", state=ReplyState.HELD, queued_at=at(15, 13, 0), dropped=why,
            )
            for n, why in ((31, ""), (32, "章伟：已电话答复"), (33, SUPERSEDED))
        ),
    )  # fmt: skip
    made = dict(pages(replace(SITE, mails=lambda name: [ruled] if name is None else [])))[OTHERS]
    said = " ".join("".join(lxml.html.fromstring(made).itertext()).split())
    assert "人工处理 2021年1月15日14:00:05 归入单位：浙江省示例甲学会（章伟：电话核实<i>）" in said
    assert "人工处理 2021年1月15日15:00 请其补正：请盖章后再发。（李敏：未盖章）" in said
    assert "答复编号31 收到通知：暂缓，" in said
    assert "答复编号32 收到通知：暂缓，不再发出（章伟：已电话答复）" in said
    assert "答复编号33 收到通知：暂缓，不再发出（已按新的处理结果答复）" in said


def test_a_campaign_that_has_not_begun_has_a_report_too() -> None:
    empty = replace(SITE, organizations=(), mails=lambda _: [], reminders=(), received=[])
    made = dict(pages(empty))
    assert set(made) == {INDEX, OTHERS}


def test_five_hundred_organizations_make_a_small_overview() -> None:
    many = [
        OrganizationRecord(name=f"浙江省第{n}学会", track=Track.SOCIETY, status=Status.NOT_RECEIVED)
        for n in range(500)
    ]
    first = next(pages(replace(SITE, organizations=many)))
    assert first[0] == INDEX
    assert len(first[1].encode()) < 400_000


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("report")
    for name, html in PAGES.items():
        (directory / name).write_text(html, encoding="utf-8")
    return directory


def browse(page: Path, *options: str) -> None:
    command = [require("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    subprocess.run([*command, profile, *options, page.as_uri()], check=True, capture_output=True, timeout=120)


@pytest.mark.parametrize("width", [1100, 420])
def test_a_browser_shows_the_charts_in_their_colours(written: Path, width: int) -> None:
    target = written / f"{width}.png"
    browse(written / INDEX, f"--screenshot={target}", f"--window-size={width},1400")
    with Image.open(target) as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20) or ()}
    assert {(0x5B, 0x9F, 0x4A), (0xE0, 0x7B, 0x28), (0x2E, 0x75, 0xB6)} <= colours


def test_a_browser_prints_a_page_on_a4_with_all_items(written: Path) -> None:
    target = written / "page.pdf"
    browse(
        written / page_name(NUMBER["浙江省示例乙学会"]), f"--print-to-pdf={target}", "--no-pdf-header-footer"
    )
    with pdfplumber.open(target) as printed:
        sizes = {(round(page.width), round(page.height)) for page in printed.pages}
        text = "".join(page.extract_text() for page in printed.pages)
    assert sizes <= {(595, 842), (594, 841), (596, 842), (595, 841), (596, 843)}
    assert "总览" not in text
    for item in RUBRIC.items:
        assert re.search(rf"(?m)^{item.no} ", text), item.no


def test_a_question_beside_papers_stands_out_from_the_mail() -> None:
    asks = [replace(m, question="请问纸质件<b>可以晚寄吗？") for m in mails("浙江省示例甲学会")]
    made = dict(pages(replace(SITE, mails=lambda name: asks if name == "浙江省示例甲学会" else mails(name))))
    told = [
        text
        for text in made.values()
        if "报送材料时另有提问，请答复：请问纸质件&lt;b&gt;可以晚寄吗？" in text
    ]
    assert len(told) == 1

"""The digest as staff read it. MAILBOT_GOLDEN=write writes the golden texts anew, for review."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import lxml.html
import pytest
from jinja2 import UndefinedError

from mailbot.config import Config
from mailbot.model import (
    Code,
    Format,
    Organization,
    Outcome,
    ReadBy,
    ReplyKind,
    ReplyState,
    Role,
    Ruling,
    RulingKind,
    Severity,
    Status,
    Track,
    doubt,
    finding,
)
from mailbot.records import Counts, DocumentRecord, FolderHealth
from mailbot.report import watch
from mailbot.report.digest import Digest, DigestFacts, digest
from mailbot.report.roster import roster
from tests.conftest import ROOT
from tests.unit.report.sample import (
    CONFIG,
    COUNTS,
    FOLDERS,
    HOSTILE_NAME,
    MESSAGES,
    NOW,
    ORGANIZATIONS,
    REGISTERED,
    RUBRIC,
    WRITTEN,
    assessment,
    at,
    documents,
    folder,
    message,
    organization,
    version,
)

GOLDEN = ROOT / "tests" / "golden" / "digest"
NOTHING = Counts(messages=0, waiting=0, by_outcome={}, replies={})

BUSY = DigestFacts(
    config=CONFIG,
    rubric=RUBRIC,
    organizations=ORGANIZATIONS,
    news=[m for m in MESSAGES if m.received_at >= at(15, 8, 30)],
    for_a_person=[m for m in MESSAGES if m.outcome is Outcome.REVIEW],
    counts=COUNTS,
    folders=FOLDERS,
    now=NOW,
    since=at(15, 8, 30),
    disk_free_octets=48 * 2**30,
)
QUIET = replace(
    BUSY,
    organizations=roster(WRITTEN[:1], REGISTERED[:1]),
    news=(),
    for_a_person=(),
    counts=Counts(messages=1, waiting=0, by_outcome={Outcome.ACKNOWLEDGED: 1}, replies={ReplyState.SENT: 1}),
    folders=[
        folder("societies", on_server=1, last_uid=1, last_good_round=at(14, 8, 28)),
        folder("enterprises", on_server=0, last_uid=0, last_good_round=at(14, 8, 28)),
    ],
    now=at(14, 8, 30),
    since=at(13, 8, 30),
)
FIRST_DAY = replace(
    QUIET,
    organizations=roster((), REGISTERED),
    counts=NOTHING,
    folders=(),
    now=at(4, 8, 30),
    since=None,
    disk_free_octets=None,
)
ASKED = replace(
    QUIET,
    news=[
        message(
            41, at(13, 9, 0), Outcome.ACKNOWLEDGED, sender="jia@example.com", name="浙江省示例甲学会",
            reply=(ReplyKind.ACKNOWLEDGEMENT, ReplyState.SENT), carried=documents(Role.FORM),
            question="请问纸质盖章件可以晚几天寄吗？<b>",
        ),
        message(
            42, at(13, 10, 0), Outcome.CORRECTION, finding(Code.ORGANIZATION_MISSING), sender="ren@example.com",
            question="麻烦告知联系电话。",
        ),
        message(
            43, at(13, 11, 0), Outcome.REVIEW, finding(Code.MESSAGE_INQUIRY), sender="wen@example.com",
            question="请问在哪里下载表格？",
        ),
        message(
            44, at(13, 12, 0), Outcome.IGNORED, finding(Code.MESSAGE_DUPLICATE, found="41"), sender="jia@example.com",
            question="请问纸质盖章件可以晚几天寄吗？",
        ),
    ],
)  # fmt: skip
BROKEN = replace(
    FIRST_DAY,
    organizations=(),
    counts=replace(NOTHING, messages=3, by_outcome={Outcome.IGNORED: 3}, replies={ReplyState.DRAFTED: 2}),
    folders=[
        folder(
            "societies",
            last_good_round=at(3, 20, 0),
            last_error="LOGIN failed: 授权码错误",
            last_error_at=at(4, 8, 25),
            on_server=5,
        ),
        folder("enterprises", last_good_round=None, on_server=None),
    ],
    alarms=[
        watch.alarm(
            folder("enterprises", last_good_round=None, on_server=None, last_error="授权码错误"), CONFIG
        )
    ],
    disk_free_octets=300 * 2**20,
)
CASES = {"busy": BUSY, "quiet": QUIET, "first_day": FIRST_DAY, "broken": BROKEN, "asked": ASKED}


def page(made: Digest) -> str:
    body = lxml.html.fromstring(made.html).find("body")
    assert body is not None
    return " ".join(str(text) for text in body.itertext())


@pytest.mark.parametrize("name", CASES)
def test_the_text_is_the_golden_one(name: str) -> None:
    made = digest(CASES[name])
    text = f"{made.subject}\n\n{made.text}"
    golden = GOLDEN / f"{name}.txt"
    if os.environ.get("MAILBOT_GOLDEN") == "write":
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_the_html_says_the_same_as_the_text(name: str) -> None:
    made = digest(CASES[name])
    in_text, in_html = facts_of(made.text), facts_of(page(made))
    assert len(in_text) > 10
    assert in_text == in_html
    for record in CASES[name].organizations:
        assert (record.name in made.text) == (record.name in page(made))


def facts_of(words: str) -> set[str]:
    """Every number, time and address: what stands in ASCII."""
    return {word.strip(".") for word in re.findall(r"[\w.@:/-]*\w[\w.@:/-]*", words, flags=re.ASCII)}


def test_the_first_line_says_whether_anything_needs_a_person() -> None:
    busy, quiet = digest(BUSY), digest(QUIET)
    assert busy.text.splitlines()[0].startswith("【需要人工处理】共7件：")
    assert quiet.text.splitlines()[0].startswith("【无需人工处理】")
    assert busy.subject == "【收件日报】2021年1月16日：7件需人工处理"
    assert quiet.subject == "【收件日报】2021年1月14日：无需人工处理"
    assert page(busy).strip().split("。")[:2] == [
        "需要人工处理，共7件：4封来件待核对、3封答复未能发出",
        "另请过目：垃圾箱中有1封来件，请看是否误判；有1封来件是否按时有两种记载，请核实",
    ]


def test_nothing_from_a_mail_becomes_markup() -> None:
    made = digest(BUSY)
    assert "<script" not in made.html
    assert HOSTILE_NAME not in made.html
    assert "&lt;b&gt;己&lt;/b&gt;" in made.html
    assert HOSTILE_NAME in page(made)
    assert "\nBcc:" not in made.text
    assert "\x08" not in made.html + made.text


def test_the_html_is_what_mail_clients_show() -> None:
    made = digest(BUSY)
    tree = lxml.html.fromstring(made.html)
    tags = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert not tags & {"script", "svg", "link", "style", "iframe", "form", "canvas"}
    assert {image.get("src") for image in tree.iter("img")} == {
        f"cid:{picture.content_id}" for picture in made.pictures
    }
    assert "url(" not in made.html
    assert all(cell.get("style") for cell in tree.iter("td"))


def test_a_doubtful_cell_comes_as_a_picture() -> None:
    made = digest(BUSY)
    (picture,) = made.pictures
    assert picture.content_id == "cell-7-14@mailbot"
    assert picture.data.startswith(b"\x89PNG")
    assert "把握62%" in made.text


def test_a_doubt_of_the_evidence_is_none_of_the_score() -> None:
    """A score that was read surely was said to be doubtful, 把握50%, where its evidence was."""
    read = assessment("浙江省示例戊学会", read_by=ReadBy.OCR, doubtful=14)
    told = next(i for i in read.items if i.no == 14)
    long = f"{told.evidence}\n共12场" + "，参会人次众多" * 9
    sure = replace(read, items=tuple(replace(i, evidence=long) if i.no == 14 else i for i in read.items))
    for found, is_score in ((" ".join(long.split())[:39] + "…", False), (told.score_text, True), ("", True)):
        doubtful = finding(Code.FORM_LOW_CONFIDENCE, item=14, found=found)
        waits = message(35, at(13, 9, 0), Outcome.REVIEW, doubtful, sender="wu@example.com", assessment=sure)
        assert ("存疑：第14项自评分" in digest(replace(QUIET, for_a_person=[waits])).text) is is_score


def test_the_progress_bar_is_full_and_shows_every_state() -> None:
    tree = lxml.html.fromstring(digest(BUSY).html)
    widths = [int(td.get("width").rstrip("%")) for td in tree.iter("td") if td.get("height") == "20"]
    assert len(widths) == len(Status)
    assert sum(widths) == 100


def test_a_mail_that_later_ones_settled_goes_last_and_is_marked() -> None:
    settled = message(
        20, at(11, 9, 0), Outcome.REVIEW, finding(Code.FORM_CONFLICTING), sender="jia@example.com",
        name="浙江省示例甲学会",
    )  # fmt: skip
    made = digest(replace(BUSY, for_a_person=[settled, *BUSY.for_a_person]))
    assert made.text.count("该单位其后来件已齐全") == 1
    assert "5. 浙江省示例甲学会，来件编号20（该单位其后来件已齐全）" in made.text


def test_papers_under_a_robots_sign_are_listed_with_the_number_that_a_person_gives() -> None:
    robot = message(
        22, at(15, 9, 0), Outcome.IGNORED, finding(Code.MESSAGE_AUTOMATIC, found="Auto-Submitted: yes"),
        sender="oa@example.com", subject="转发：自评材料",
    )  # fmt: skip
    papers = (*documents(Role.FORM), *documents(Role.PLAN) * 9)
    made = digest(replace(QUIET, news=[replace(robot, documents=papers), robot]))
    assert made.subject.endswith("：1件请过目")
    assert "有1封未处理的邮件带有附件，请看是否漏收" in made.text.splitlines()[0]
    (line,) = [line for line in made.text.splitlines() if "转发：自评材料" in line]
    assert "oa@example.com" in line
    assert "自动邮件），来件编号22，文件：自评表.xlsx（自评表）、" in line
    assert line.endswith("，另有2个")


def test_what_a_person_decided_is_told_with_what_came_of_it() -> None:
    """Mails that staff called no submission were counted as 自动回复、重复等; of the others nothing was said."""

    def ruled(number: int, *kinds: RulingKind) -> tuple[Ruling, ...]:
        return tuple(Ruling(message=number, kind=k, by="章伟", why="已核实", at=at(14, 9, 0)) for k in kinds)

    earlier = replace(ruled(51, RulingKind.NO_SUBMISSION)[0], at=at(13, 9, 0))
    news = [
        message(
            51, at(12, 9, 0), Outcome.ACKNOWLEDGED, sender="a@example.com", name="示例港口集团科协",
            carried=documents(Role.FORM), rulings=(earlier, *ruled(51, RulingKind.ASSIGN, RulingKind.ACCEPT)),
        ),
        message(
            52, at(12, 9, 1), Outcome.IGNORED, finding(Code.MESSAGE_INQUIRY), sender="b@example.com",
            rulings=ruled(52, RulingKind.NO_SUBMISSION),
        ),
        message(53, at(12, 9, 2), Outcome.IGNORED, finding(Code.MESSAGE_AUTOMATIC), sender="c@example.com"),
    ]  # fmt: skip
    made = digest(replace(QUIET, news=news))
    for said in (made.text, page(made)):
        assert "人工处理：归入单位、按现状接收" in said
        assert "按处理意见不作报送1封：来件编号52。" in said
        assert "另有自动回复、重复等1封未作处理。" in said


def test_who_was_not_written_to_is_not_said_to_have_been() -> None:
    """已回执 was said of a mail under a robot's sign that staff had accepted, and that nobody answers."""
    told = message(
        57, at(12, 9, 0), Outcome.ACKNOWLEDGED, sender="a@example.com", name="示例港口集团科协",
        reply=(ReplyKind.ACKNOWLEDGEMENT, ReplyState.SENT),
    )  # fmt: skip
    assert "示例港口集团科协：来信，已回执" in digest(replace(QUIET, news=[told])).text
    untold = replace(told, replies=())
    assert "示例港口集团科协：来信，已齐全（未回信）" in digest(replace(QUIET, news=[untold])).text


def test_a_file_that_was_not_taken_is_one_place_to_mend_with_what_lacks_for_it() -> None:
    empty = finding(Code.DOCUMENT_EMPTY, document="工作总结.docx")
    news = [
        message(
            54, at(12, 9, 0), Outcome.CORRECTION, *found, sender="a@example.com", name="示例港口集团科协",
            reply=(ReplyKind.CORRECTION, ReplyState.SENT),
        )
        for found in ((empty, finding(Code.SUMMARY_MISSING)), (empty,))
    ]  # fmt: skip
    assert digest(replace(QUIET, news=news)).text.count("请补正，需补正1处") == 2


def test_who_answers_a_digest_is_told_that_nobody_acts_on_it() -> None:
    """His decisions were counted among 自动回复、重复等, and he heard nothing of them."""
    sign = "In-Reply-To: <mailbot.digest.20210113083000@example.org>"
    answer = message(
        55,
        at(13, 9, 0),
        Outcome.IGNORED,
        finding(Code.MESSAGE_AUTOMATIC, found=sign),
        sender="staff@example.org",
    )
    robot = replace(answer, id=56, findings=(finding(Code.MESSAGE_AUTOMATIC, found="Precedence: bulk"),))
    made = digest(replace(QUIET, news=[answer, robot]))
    for said in (made.text, page(made)):
        assert "对日报或系统提醒的回复1封，系统不作处理；其中如有处理意见，请填入汇总表“待核对”页" in said
        assert "另有自动回复、重复等1封未作处理。" in said


def test_who_looks_at_a_paper_in_doubt_is_told_how_to_judge_it() -> None:
    """It said that the program could not process it, which was not so, and not what to do."""
    told = doubt("2021年行事历.docx", "?", (Role.PLAN,))
    waits = message(33, at(13, 9, 0), Outcome.REVIEW, told, sender="kx@example.com", name="示例港口集团科协")
    case = digest(replace(QUIET, for_a_person=[waits])).text.split("■ 待人工核对")[1].split("■")[0]
    assert "请办：请打开来件判断：是应报材料的，按现状接收；不是的，请其补正。" in case
    assert "程序未能处理" not in case


def test_who_has_answered_a_question_is_told_how_it_leaves_the_list() -> None:
    asks = message(34, at(13, 9, 0), Outcome.REVIEW, finding(Code.MESSAGE_INQUIRY), sender="kx@example.com")
    assert "已答复或不需答复的，处理意见填“不作报送”" in digest(replace(QUIET, for_a_person=[asks])).text


def test_whose_registered_mailbox_has_sent_what_waits_is_not_said_to_be_silent() -> None:
    silent = next(o for o in ORGANIZATIONS if o.status is Status.NOT_RECEIVED and o.emails)
    mail = message(
        31, at(13, 9, 0), Outcome.REVIEW, finding(Code.ORGANIZATION_MISMATCH, found="x", wanted="y"),
        sender=silent.emails[0].lower(),
    )  # fmt: skip
    waits = f"{silent.name}：{'、'.join(silent.emails[:3])}；该邮箱有来件待核对（来件编号31）"
    assert waits in digest(replace(BUSY, for_a_person=[replace(mail, documents=documents(Role.FORM))])).text
    assert waits not in digest(replace(BUSY, for_a_person=[replace(mail, documents=())])).text


def test_whose_registered_mailbox_sent_papers_that_were_passed_over_is_not_said_to_be_silent() -> None:
    """It was named on one day's digest, and its sender in the list of the silent of each."""
    silent = next(o for o in ORGANIZATIONS if o.status is Status.NOT_RECEIVED and o.emails)
    robot = message(
        36, at(11, 9, 0), Outcome.IGNORED, finding(Code.MESSAGE_AUTOMATIC), sender=silent.emails[0].lower(),
        carried=documents(Role.FORM),
    )  # fmt: skip
    said = f"{silent.name}：{'、'.join(silent.emails[:3])}；该邮箱有来件未处理，请看是否漏收（来件编号36）"
    assert said in digest(replace(BUSY, passed_over=[robot])).text
    assert "来件编号36" not in digest(replace(BUSY, passed_over=[replace(robot, documents=())])).text


def test_who_was_asked_for_the_name_stays_on_the_list() -> None:
    asked = message(
        32, at(13, 9, 0), Outcome.CORRECTION, finding(Code.ORGANIZATION_MISSING), sender="ren@example.com"
    )
    text = digest(replace(QUIET, nameless=[asked])).text
    assert "单位不明（ren@example.com）：看不出报送单位，已去信请其写明；来件编号32" in text


FORM = documents(Role.FORM)
LOGO = (replace(FORM[0], filename="logo.png", format=Format.IMAGE, role=Role.OTHER),)


@pytest.mark.parametrize(
    ("sign", "message_id", "papers"),
    [
        ("Auto-Submitted: auto-replied", "<1@example.com>", ()),
        ("Auto-Submitted: auto-replied", "<1@example.com>", LOGO),
        ("From: societies@example.org", "<mailbot.digest-1@example.org>", FORM),
        ("From: societies@example.org", "<1@example.org>", LOGO),
        ("Message-ID: <mailbot.1@example.org>", "<mailbot.1@example.org>", FORM),
        ("Content-Type: multipart/report", "<1@example.com>", FORM),
        ("From: postmaster@example.com", "<1@example.com>", FORM),
    ],
)
def test_what_is_surely_no_submission_is_not_listed(
    sign: str, message_id: str, papers: tuple[DocumentRecord, ...]
) -> None:
    robot = replace(
        message(
            22, at(15, 9, 0), Outcome.IGNORED, finding(Code.MESSAGE_AUTOMATIC, found=sign),
            sender=sign.rpartition(" ")[2],
        ),
        message_id=message_id,
    )  # fmt: skip
    made = digest(replace(QUIET, news=[replace(robot, documents=papers)]))
    assert "请看是否漏收" not in made.text
    assert "自动回复、重复等1封未作处理" in made.text


def test_a_question_beside_papers_that_were_answered_is_quoted_for_the_staff() -> None:
    made = digest(ASKED)
    assert made.subject.endswith("：2件请过目")
    assert "有2封报送邮件另有提问，请答复" in made.text.splitlines()[0]
    assert "来信：请问纸质盖章件可以晚几天寄吗？" in made.text
    assert "单位不明，来件编号42" in made.text
    assert "来件编号43" not in made.text
    assert "来件编号44" not in made.text


def test_a_question_beside_papers_that_wait_for_a_person_stands_with_them() -> None:
    waits = message(
        45, at(13, 9, 0), Outcome.REVIEW, finding(Code.FORM_CONFLICTING), sender="jia@example.com",
        text="材料见附件。请问纸质件寄到哪里？", question="请问纸质件寄到哪里？",
    )  # fmt: skip
    assert "来信：材料见附件。请问纸质件寄到哪里？" in digest(replace(QUIET, for_a_person=[waits])).text


def test_a_mail_too_large_to_take_says_where_it_is() -> None:
    large = message(
        21, at(15, 9, 0), Outcome.REVIEW,
        finding(Code.DOCUMENT_TOO_LARGE, severity=Severity.WARNING), sender="da@example.com",
    )  # fmt: skip
    text = digest(replace(QUIET, for_a_person=[large])).text
    assert "原因：文件或邮件超过大小限制" in text
    assert "请办：邮件过大，未下载，仍在邮箱中，请到邮箱查看。" in text


def test_of_a_mail_that_stayed_on_the_server_nothing_is_said_that_nobody_has_seen() -> None:
    """It was 来信, 无附件 and （无主题）, from nobody."""
    large = replace(
        message(
            23, at(15, 9, 0), Outcome.REVIEW, finding(Code.DOCUMENT_TOO_LARGE, severity=Severity.WARNING),
            sender="", subject="",
        ),
        sha256="",
    )  # fmt: skip
    text = digest(replace(QUIET, for_a_person=[large], news=[large])).text
    assert "来件：1月15日 9:00:00，不明，至societies@example.org" in text
    assert "主题：（未下载）" in text
    assert "文件：（未下载）" in text
    assert "发件人不明：来件，待人工核对，未下载" in text


def test_words_of_the_mail_that_may_hold_a_paper_are_quoted() -> None:
    told = doubt("", "?", (Role.PLAN,))
    waits = message(
        37,
        at(13, 9, 0),
        Outcome.REVIEW,
        told,
        sender="kx@example.com",
        text="2021年工作计划如下：一、办好学术年会。",
    )
    assert "来信：2021年工作计划如下" in digest(replace(QUIET, for_a_person=[waits])).text


def test_errors_that_were_kept_back_are_shown_to_the_staff() -> None:
    text = digest(BUSY).text
    assert "另有问题：第52项（按时报送年检材料）未填自评分" in text


def test_more_unsent_replies_than_are_named_are_counted() -> None:
    counts = replace(COUNTS, replies={**COUNTS.replies, ReplyState.FAILED: 9})
    made = digest(replace(BUSY, counts=counts))
    assert "■ 未能发出的答复（11）" in made.text
    assert "其余8封见汇总表" in made.text


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (at(15, 16, 30), "距截止还有1小时（2021年1月15日17:30）"),
        (at(15, 17, 30), "距截止还有"),
        (at(15, 18, 30), "收取已于2021年1月15日17:30截止（1小时前）"),
        (at(1, 8, 30), "截止时间：2021年1月15日17:30（还有14天9小时）"),
    ],
)
def test_the_time_that_is_left(now: object, words: str) -> None:
    assert words in digest(replace(QUIET, now=now)).text  # type: ignore[arg-type]


def test_a_silent_mailbox_is_named_once() -> None:
    made = digest(BROKEN)
    alarms = made.text.split("■ 系统警报（4）")[1].split("■")[0]
    assert alarms.count("societies@example.org") == 1
    assert alarms.count("enterprises@example.org") == 1
    assert "邮箱服务器上的邮件比登记的多2封" in alarms
    assert "磁盘空间不足，剩余300 MB" in alarms


def test_an_alarm_calls_a_mailbox_by_its_address_as_all_else_that_staff_read_does() -> None:
    """It said 邮箱 enterprises（INBOX）, a name of the configuration, and the time by ISO."""
    at_work = CONFIG.mailboxes[1].model_copy(update={"address": "240679544@example.com"})
    config = CONFIG.model_copy(update={"mailboxes": (CONFIG.mailboxes[0], at_work)})
    silent = folder("enterprises", last_good_round=at(14, 8, 28, 5), last_error="授权码错误")
    said = "邮箱240679544@example.com（收件箱）无法读取，最近一次成功读取：2021年1月14日8:28:05；原因：授权码错误"
    assert watch.alarm(silent, config) == said
    assert watch.silent(silent, config).subject == "【需处理】邮箱240679544@example.com无法读取"
    assert "邮箱240679544@example.com（收件箱）已恢复读取" in watch.works_again(silent, config).text
    assert watch.books_open("enterprises", "INBOX", (7,), config).startswith(
        "邮箱240679544@example.com（收件箱）对账不符"
    )
    alarms = digest(
        replace(BROKEN, config=config, folders=[silent], alarms=[watch.alarm(silent, config)])
    ).text
    assert "超过1小时未能收取" not in alarms


@pytest.mark.parametrize("alarm", [watch.missing_alarm, watch.alarm])
def test_another_alarm_of_a_mailbox_does_not_hide_that_nobody_has_read_it(
    alarm: Callable[[FolderHealth, Config], str],
) -> None:
    """Its Junk folder is missing, say, and the worker does not run."""
    inbox = folder("societies", last_good_round=at(14, 4, 0))
    junk = replace(inbox, folder="Junk", on_server=None)
    said = digest(replace(BUSY, folders=[inbox], alarms=[alarm(junk, CONFIG)])).text
    assert ("超过1小时未能收取" in said) == (alarm is watch.missing_alarm)


def test_a_template_of_the_offices_goes_before_ours(tmp_path: Path) -> None:
    (tmp_path / "digest.txt").write_text("{{ title }}：{{ things }}", encoding="utf-8")
    config = CONFIG.model_copy(update={"templates": tmp_path})
    assert digest(replace(BUSY, config=config)).text == "2020年度省级学会和省属企业科协工作总结：7\n"
    other = CONFIG.model_copy(update={"templates": tmp_path / "other"})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "digest.txt").write_text("{{ nobody_knows }}", encoding="utf-8")
    with pytest.raises(UndefinedError):
        digest(replace(BUSY, config=other))


def test_five_hundred_organizations_fit_into_a_mail() -> None:
    records, mails = [], []
    for number in range(500):
        name = f"浙江省示例第{number}号科学技术研究学会"
        read = assessment(name, lost={1: "1"})
        faults = [finding(Code.EVIDENCE_MISSING, item=item.no) for item in RUBRIC.items]
        state = (Status.COMPLETE, Status.INCOMPLETE, Status.REVIEW)[number % 3]
        records.append(
            organization(
                name, Track.SOCIETY, version(1, number, at(15, 10, 0), state, findings=faults),
                sender=f"office{number}@example.com", read=read,
            )
        )  # fmt: skip
        mails.append(
            message(
                number, at(15, 10, 0) + timedelta(seconds=number), Outcome.REVIEW,
                *(finding(Code.FORM_LOW_CONFIDENCE, item=item.no, found="4.5") for item in RUBRIC.items),
                sender=f"office{number}@example.com", name=name, assessment=read,
            )
        )  # fmt: skip
    silent = [
        Organization(name=f"浙江省示例未报第{n}号学会", track=Track.SOCIETY, emails=(f"x{n}@example.com",))
        for n in range(200)
    ]
    facts = replace(BUSY, organizations=roster(records, silent), news=mails, for_a_person=mails)
    made = digest(facts)
    assert len(made.html.encode()) < 300_000
    assert len(made.text.encode()) < 100_000
    assert "其余470件见汇总表“接收登记”" in made.text
    assert "其余120家见汇总表" in made.text

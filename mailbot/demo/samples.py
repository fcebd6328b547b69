"""The mails of the demo: what arrives in an office's two mailboxes around the deadline, right, wrong and strange."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from mailbot.demo import mails
from mailbot.demo.forms import (
    DATA,
    Society,
    docx_form,
    docx_text,
    evidence,
    filled,
    scores,
    societies,
    texts,
    total,
    xlsx_form,
    zipped,
)
from mailbot.demo.mails import FOXMAIL, NETEASE, OLD, QQ, Draft, Style
from mailbot.model import Outcome
from mailbot.rubric import Rubric

CHINA = timezone(timedelta(hours=8))
SOCIETIES = "societies"
ENTERPRISES = "enterprises"
ADDRESSES = {SOCIETIES: "societies@example.org", ENTERPRISES: "enterprises@example.org"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One mail, and what is to become of it."""

    mailbox: str
    internaldate: datetime
    octets: bytes
    what: str
    """What is special about it, in one line."""
    expected: Outcome
    folder: str = "INBOX"


def january(day: int, hour: int, minute: int, second: int = 0) -> datetime:
    """A moment of January 2021 in China."""
    return datetime(2021, 1, day, hour, minute, second, tzinfo=CHINA)


class _Office:
    """Makes the societies' documents and mails."""

    def __init__(self, rubric: Rubric) -> None:
        self._rubric = rubric

    def form(self, society: Society, kind: str = "xlsx", **changes: Any) -> dict[str, bytes]:
        """The filled form. `score` and `why` change single items, `stated` the total."""
        of = scores(society, self._rubric) | changes.get("score", {})
        why = evidence(society, self._rubric) | changes.get("why", {})
        stated = changes.get("stated") or total(scores(society, self._rubric))
        make = docx_form if kind == "docx" else xlsx_form
        data = make(self._rubric, society.name, of, why, stated)
        return {f"{self.called('form', society)}.{kind}": data}

    def blank(self) -> dict[str, bytes]:
        data = docx_form(self._rubric, "________", {}, {}, "")
        return {f"{texts()['names']['blank']}.docx": data}

    def text(self, society: Society, kind: str) -> dict[str, bytes]:
        """The summary, the plan, or an enterprise's both in one."""
        told = texts()[kind]
        named = {"enterprise": "both"}.get(kind, kind)
        data = docx_text(
            filled(told["title"], society),
            [filled(paragraph, society, "item 1") for paragraph in told["paragraphs"]],
            society.name,
            "2021年1月8日",
        )
        return {f"{self.called(named, society)}.docx": data}

    def both(self, society: Society) -> dict[str, bytes]:
        return {**self.text(society, "summary"), **self.text(society, "plan")}

    def called(self, kind: str, society: Society) -> str:
        return filled(texts()["names"][kind], society)

    def ready(self, file: str, name: str) -> dict[str, bytes]:
        """A ready-made file of the demo under the name it was sent with."""
        return {name: (DATA / file).read_bytes()}


def draft(
    society: Society,
    kind: str,
    files: Mapping[str, bytes],
    at: datetime,
    *,
    to: str = SOCIETIES,
    style: Style = QQ,
    address: str = "",
    **more: Any,
) -> Draft:
    """A society's mail of some kind, written three minutes before it arrived."""
    told, subject = texts()["mail"], texts()["subject"][kind]
    text = (
        told[kind]
        if kind in ("enterprise", "inquiry")
        else "\n".join((told["greeting"], told[kind], "", told["closing"]))
    )
    return Draft(
        name=society.name,
        address=address or society.email,
        to=ADDRESSES[to],
        subject=filled(subject, society),
        text=filled(text, society),
        sent_at=at - timedelta(minutes=3),
        files=files,
        style=style,
        **more,
    )


def sample(
    one: Draft, at: datetime, what: str, expected: Outcome, *, to: str = SOCIETIES, folder: str = "INBOX"
) -> Sample:
    """The mail as it lies in the mailbox."""
    return Sample(
        mailbox=to,
        internaldate=at,
        octets=mails.octets(one, at),
        what=what,
        expected=expected,
        folder=folder,
    )


def samples(rubric: Rubric) -> tuple[Sample, ...]:
    """All mails of the demo in the order of their arrival."""
    office = _Office(rubric)
    every = (*_right(office), *_wrong(office), *_in_time(office), *_strange(office), *_robots())
    return tuple(sorted(every, key=lambda one: one.internaldate))


def _right(office: _Office) -> Iterator[Sample]:
    known, fine = societies(), Outcome.ACKNOWLEDGED
    one, at = known["yunling"], january(11, 9, 12, 3)
    files = {**office.form(one), **office.both(one)}
    yield sample(draft(one, "submission", files, at), at, "all right, form as xlsx", fine)
    one, at = known["xinghe"], january(11, 14, 40, 51)
    files = {**office.form(one, "docx", why={8: texts()["other"]["one_course"]}), **office.both(one)}
    what = "all right, form as docx; one course where two are asked is a hint to staff"
    yield sample(draft(one, "submission", files, at, style=NETEASE), at, what, fine)
    one, at = known["qinglan"], january(12, 10, 5, 20)
    files = {
        **office.ready("qinglan-form.pdf", f"{office.called('form', one)}.pdf"),
        **office.ready("qinglan-summary.pdf", f"{office.called('summary', one)}.pdf"),
        **office.text(one, "plan"),
    }
    yield sample(draft(one, "submission", files, at, style=FOXMAIL), at, "all right, form as PDF", fine)
    one, at = known["cangyue"], january(12, 16, 33, 8)
    archive = zipped({**office.form(one), **office.both(one)})
    files = {f"{office.called('zip', one)}.zip": archive}
    yield sample(draft(one, "zipped", files, at), at, "all in a zip with GBK names", fine)
    one, at = known["zherong"], january(13, 8, 58, 44)
    files = {**office.form(one, "docx"), **office.both(one)}
    what = "says gb2312 and means GB18030: 喆, 镕, bare 8-bit names"
    yield sample(draft(one, "submission", files, at, style=OLD), at, what, fine)
    one, at = known["xinlan"], january(13, 15, 21, 37)
    letter = draft(one, "enterprise", office.text(one, "enterprise"), at, to=ENTERPRISES, style=FOXMAIL)
    yield sample(letter, at, "an enterprise: summary and plan in one file", fine, to=ENTERPRISES)


def _wrong(office: _Office) -> Iterator[Sample]:
    known, faulty = societies(), Outcome.CORRECTION
    one, at = known["fenghe"], january(12, 11, 2, 19)
    files = {**office.form(one, score={8: "5"}, stated="99"), **office.both(one)}
    what = "item 8 over its maximum, total does not add up"
    yield sample(draft(one, "submission", files, at), at, what, faulty)
    at = january(13, 9, 30, 2)
    letter = draft(one, "corrected", office.form(one), at)
    yield sample(letter, at, "the same society mends its form", Outcome.ACKNOWLEDGED)
    one, at = known["baiwu"], january(13, 10, 44, 30)
    files = {**office.form(one, "docx", why={4: "", 8: "", 14: ""}), **office.both(one)}
    yield sample(
        draft(one, "submission", files, at, style=NETEASE), at, "no evidence for three items", faulty
    )
    one, at = known["zhulan"], january(13, 16, 10, 0)
    files = {**office.form(one), **office.text(one, "summary")}
    yield sample(draft(one, "no_plan", files, at), at, "no plan for the next year", faulty)
    one, at = known["songtao"], january(14, 9, 1, 27)
    other = texts()["other"]
    files = {**office.form(one, score={11: other["not_a_number"], 24: other["range"]}), **office.both(one)}
    yield sample(draft(one, "submission", files, at), at, "two scores that are no numbers", faulty)
    one, at = known["yanyu"], january(14, 11, 25, 13)
    files = {**office.blank(), **office.both(one)}
    yield sample(draft(one, "blank", files, at), at, "the blank form came back", faulty)
    one, at = known["liuying"], january(14, 15, 48, 59)
    encrypted = office.ready("liuying-form-encrypted.xlsx", f"{office.called('form', one)}.xlsx")
    letter = draft(one, "encrypted", {**encrypted, **office.both(one)}, at)
    yield sample(letter, at, "the form needs a password", faulty)
    one, at = known["chenglu"], january(14, 20, 12, 40)
    letter = _with_cloud_link(draft(one, "cloud", office.text(one, "plan"), at), office.called("form", one))
    yield sample(letter, at, "form and summary only as a cloud link", faulty)


def _in_time(office: _Office) -> Iterator[Sample]:
    known, fine = societies(), Outcome.ACKNOWLEDGED
    one, at = known["nanqu"], january(15, 17, 30, 0)
    files = {**office.form(one), **office.both(one)}
    yield sample(draft(one, "submission", files, at), at, "at 17:30:00: on time", fine)
    one, at = known["jiyun"], january(15, 17, 30, 1)
    files = {**office.form(one, "docx"), **office.both(one)}
    letter = draft(one, "late", files, at, style=NETEASE)
    yield sample(letter, at, "at 17:30:01: late, and said so; its Date claims 17:27", fine)
    one, at = known["muxi"], january(14, 9, 40, 5)
    letter = draft(one, "first_half", office.form(one), at)
    yield sample(letter, at, "first of two mails: the form", Outcome.CORRECTION)
    at = january(15, 10, 18, 33)
    yield sample(draft(one, "second_half", office.both(one), at), at, "second of two mails: the rest", fine)


def _strange(office: _Office) -> Iterator[Sample]:
    known, person = societies(), Outcome.REVIEW
    one, at = known["chuhua"], january(14, 14, 3, 11)
    files = {**office.form(one), **office.both(one)}
    letter = draft(one, "wrong_mailbox", files, at, to=ENTERPRISES)
    yield sample(letter, at, "sent to the other mailbox", Outcome.ACKNOWLEDGED, to=ENTERPRISES)
    one, at = known["shutong"], january(15, 11, 59, 58)
    files = {**office.form(one, "docx"), **office.both(one)}
    letter = draft(one, "both", files, at)
    yield sample(letter, at, "the same mail to both mailboxes: the first", Outcome.ACKNOWLEDGED)
    again = at + timedelta(seconds=4)
    yield sample(letter, again, "… and its copy", Outcome.IGNORED, to=ENTERPRISES)
    one, at = known["yunling"], january(14, 23, 47, 9)
    failed = (
        "Authentication-Results",
        "mx.qq.com; spf=fail smtp.mailfrom=example.com;\r\n\tdmarc=fail header.from=example.com",
    )
    letter = replace(draft(one, "forged", office.form(one, score={1: "1"}), at), headers=(failed,))
    yield sample(letter, at, "somebody else in a society's name (DMARC failed)", person)
    near = texts()["other"]["near_name"]
    one, at = replace(known["guixing"], name=near, email="office@example.net"), january(15, 11, 6, 45)
    files = {**office.form(one), **office.both(one)}
    letter = draft(one, "submission", files, at)
    yield sample(letter, at, "a name one word from a known one: never guessed", person)
    one, at = known["guixing"], january(15, 8, 20, 16)
    files = {**office.form(one), **office.both(one)}
    letter = draft(one, "junk", files, at)
    yield sample(letter, at, "a genuine mail in Junk: shown, not answered", person, folder="Junk")
    one, at = known["yuanxiu"], january(15, 10, 52, 31)
    yield sample(draft(one, "inquiry", {}, at), at, "only a question", person)


def _robots() -> Iterator[Sample]:
    known, ignored = societies(), Outcome.IGNORED
    one, at = known["xinghe"], january(11, 14, 41, 30)
    letter = _plain(one, "vacation", at, ("X-QQ-HolidayReply", "1"))
    yield sample(letter, at, "vacation notice without Auto-Submitted", ignored)
    at = january(13, 9, 31, 5)
    letter = replace(_plain(one, "bounce", at), name="PostMaster", address="PostMaster@qq.example.net")
    yield sample(letter, at, "a bounce", ignored)
    one, at = known["shisui"], january(12, 8, 0, 0)
    listed = ("List-Id", f"{texts()['other']['list_name']} <members.lists.example.com>")
    letter = replace(_plain(one, "list", at, listed), address="news@lists.example.com")
    yield sample(letter, at, "a newsletter", ignored)


def _plain(society: Society, kind: str, at: datetime, *headers: tuple[str, str]) -> Draft:
    """A mail that no person wrote."""
    return Draft(
        name=society.name,
        address=society.email,
        to=ADDRESSES[SOCIETIES],
        subject=filled(texts()["subject"][kind], society),
        text=texts()["mail"][kind],
        sent_at=at,
        headers=tuple(
            (name, mails.words(value, QQ) if not value.isascii() else value) for name, value in headers
        ),
    )


def _with_cloud_link(one: Draft, form: str) -> Draft:
    """QQ's 超大附件: a block of text and HTML in place of the file."""
    other = texts()["other"]
    url = (
        "http://mail.qq.com/cgi-bin/ftnExs_download?t=exs_ftn_download&k=0c3366376f2b8f9e5c4e2f&code=5f67b1c2"
    )
    block = f"\n\n{other['link_notice']}\n\n{form}.rar (128.03M, {other['link_expires']}){other['download']}{url}\n"
    html = (
        f"<div>{one.text.replace(chr(10), '<br>')}</div><div id='QQMailBigAttach'><b>{other['link_notice']}</b>"
        f"<div><a href='{url}'>{form}.rar</a> (<span>128.03M</span>, {other['link_expires']})</div></div>"
    )
    return replace(one, text=one.text + block, html=html)

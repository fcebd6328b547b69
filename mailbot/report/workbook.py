"""The 汇总表 as a workbook: who sent what, what waits, points by item, findings, receipts, and figures with charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING

from mailbot.config import Config
from mailbot.model import Finding, Outcome, Severity
from mailbot.records import MessageRecord, OrganizationRecord
from mailbot.report import verdicts
from mailbot.report.figures import wall_clock
from mailbot.report.labels import OUTCOMES, ROLES, SEVERITIES, answer, result, short
from mailbot.report.sheets import GREEN, GREY, RED, YELLOW, Colouring, Column, Sheet
from mailbot.report.standing import addresses, folder_name, in_time, may_hold_papers
from mailbot.report.statistics import add_statistics
from mailbot.report.summary import LACKING, LATE, ON_TIME, Doubts, columns, rows
from mailbot.report.wording import detail, points
from mailbot.rubric import Rubric

if TYPE_CHECKING:
    from openpyxl import Workbook

_WIDTHS = {
    "序号": 5,
    "单位名称": 20,
    "类别": 8,
    "首次接收时间": 18,
    "末次有效接收时间": 18,
    "版本数": 5,
    "纸质件": 11,
    "问题": 34,
    "来件邮箱": 20,
    "备注": 26,
}
_OTHER_WIDTH = 7
_LEFT_OUT = "本页未列全：另有{number}封较早且未计入的来件没有列出，完整记录见导出的数据（mailbot export --format json）。"
_LEFT = {"单位名称", "问题", "来件邮箱", "备注"}


def summary_workbook(
    *,
    config: Config,
    rubric: Rubric,
    organizations: Sequence[OrganizationRecord],
    messages: Iterable[MessageRecord],
    now: datetime,
    left_out: int = 0,
) -> bytes:
    """The workbook's octets. `messages` are gone through once and not held; the sheets say how many are `left_out`."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    heading = f"{config.campaign.title}汇总表"
    summary = _summary_sheet(book, rubric, heading)
    waiting = verdicts.new_sheet(book, heading)
    by_item = _item_sheet(book, rubric, heading)
    findings = _finding_sheet(book, heading)
    receipts = _receipt_sheet(book, heading)
    counting = {v.message for o in organizations if (v := o.counts) is not None}
    doubts = Doubts()
    for message in messages:
        doubts.add(message)
        if message.waits_for_a_person or may_hold_papers(message):
            waiting.append(verdicts.row(message, rubric, config))
        receipts.append(_receipt(message, config))
        if message.outcome is not Outcome.IGNORED:
            for each in message.findings:
                findings.append(_finding(each, message, rubric, config, counts=message.id in counting))
    for row in rows(config, rubric, organizations, doubts):
        summary.append(row)
    for record in organizations:
        if record.assessment is not None:
            by_item.append(_points_by_item(record, rubric))
    for sheet in (summary, by_item, findings, receipts):
        sheet.finish()
    verdicts.finish(waiting)
    if left_out > 0:
        for sheet in (findings, receipts):
            sheet.remark(_LEFT_OUT.format(number=left_out))
    add_statistics(book, config, rubric, organizations, now)
    octets = BytesIO()
    book.save(octets)
    return octets.getvalue()


def _summary_sheet(book: Workbook, rubric: Rubric, heading: str) -> Sheet:
    titles = columns(rubric)
    at = {title: number for number, title in enumerate(titles, 1)}
    letters = {title: _letter(number) for title, number in at.items()}
    return Sheet(
        book=book,
        title="汇总表",
        heading=heading,
        frozen_columns=2,
        pages_wide=2,
        head_lines=6,
        columns=[
            Column(
                title=title,
                width=_WIDTHS.get(title, _OTHER_WIDTH),
                wrap=title in _LEFT or title == "类别",
                centre=title not in _LEFT,
            )
            for title in titles
        ],
        colourings=[
            Colouring(
                first=at["工作总结"],
                last=at["自评表"],
                formula=f'AND({letters["工作总结"]}2="{LACKING}",${letters["版本数"]}2>0)',
                fill=RED,
            ),
            _same(at["是否按时"], LATE, RED),
            _same(at["是否按时"], ON_TIME, GREEN),
            Colouring(first=at["差额"], last=at["差额"], formula=f"N({letters['差额']}2)<>0", fill=YELLOW),
            Colouring(first=1, last=at["类别"], formula=f"${letters['版本数']}2=0", fill=GREY),
        ],
    )


def _same(column: int, text: str, fill: str) -> Colouring:
    return Colouring(first=column, last=column, formula=f'{_letter(column)}2="{text}"', fill=fill)


def _letter(column: int) -> str:
    from openpyxl.utils import get_column_letter

    return get_column_letter(column)


def _item_sheet(book: Workbook, rubric: Rubric, heading: str) -> Sheet:
    names = [f"{i.no}\n{i.group}\n{points(i.points)}分" for i in rubric.items]
    return Sheet(
        book=book,
        title="逐项得分",
        heading=heading,
        frozen_columns=1,
        head_lines=4,
        columns=[
            Column(title="单位名称", width=26, wrap=True),
            *(Column(title=name, width=8, centre=True) for name in names),
        ],
        colourings=[
            colouring
            for number, item in enumerate(rubric.items, 2)
            for colouring in (
                Colouring(
                    first=number,
                    last=number,
                    formula=f"AND(ISNUMBER({_letter(number)}2),OR({_letter(number)}2>{item.points},{_letter(number)}2<0))",
                    fill=RED,
                ),
                Colouring(
                    first=number, last=number, formula=f"NOT(ISNUMBER({_letter(number)}2))", fill=YELLOW
                ),
            )
        ],
    )


def _points_by_item(record: OrganizationRecord, rubric: Rubric) -> list[object]:
    """The scores as claimed; where none could be read, what stood there."""
    read = {item.no: item for item in record.assessment.items} if record.assessment else {}
    cells: list[object] = [record.name]
    for item in rubric.items:
        reading = read.get(item.no)
        cells.append(
            None if reading is None else reading.score if reading.score is not None else reading.score_text
        )
    return cells


def _finding_sheet(book: Workbook, heading: str) -> Sheet:
    return Sheet(
        book=book,
        title="问题清单",
        heading=heading,
        columns=[
            Column(title="单位名称", width=26, wrap=True),
            Column(title="接收时间", width=19, centre=True),
            Column(title="类型", width=9, centre=True),
            Column(title="问题", width=18, centre=True),
            Column(title="序号", width=6, centre=True),
            Column(title="说明", width=60, wrap=True),
            Column(title="文件", width=28, wrap=True),
            Column(title="位置", width=16, wrap=True),
            Column(title="计入版本", width=9, centre=True),
        ],
        colourings=[
            _same(3, SEVERITIES[Severity.ERROR], RED),
            _same(3, SEVERITIES[Severity.WARNING], YELLOW),
        ],
    )


def _finding(
    each: Finding, message: MessageRecord, rubric: Rubric, config: Config, *, counts: bool
) -> tuple[object, ...]:
    return (
        message.organization or message.sender,
        wall_clock(message.received_at, config.campaign.timezone),
        SEVERITIES[each.severity],
        short(each),
        each.item,
        detail(each, rubric),
        each.document,
        each.place,
        "是" if counts else "否",
    )


def _receipt_sheet(book: Workbook, heading: str) -> Sheet:
    return Sheet(
        book=book,
        title="接收登记",
        heading=heading,
        frozen_columns=1,
        pages_wide=2,
        columns=[
            Column(title="来件编号", width=9, centre=True),
            Column(title="接收时间", width=19, centre=True),
            Column(title="是否按时", width=9, centre=True),
            Column(title="邮箱", width=12, centre=True),
            Column(title="文件夹", width=10, centre=True),
            Column(title="发件人", width=22, wrap=True),
            Column(title="主题", width=28, wrap=True),
            Column(title="单位名称", width=22, wrap=True),
            Column(title="文件", width=34, wrap=True),
            Column(title="处理结果", width=12, wrap=True, centre=True),
            Column(title="答复", width=20, wrap=True),
            Column(title="服务器记录时间", width=19, centre=True),
            Column(title="发件人所写时间", width=19, centre=True),
            Column(title="校验值", width=18),
        ],
        colourings=[
            _same(3, LATE, RED),
            _same(10, OUTCOMES[Outcome.REVIEW], YELLOW),
            Colouring(first=10, last=10, formula=f'LEFT(J2,3)="{OUTCOMES[Outcome.IGNORED]}"', fill=GREY),
        ],
    )


def _receipt(message: MessageRecord, config: Config) -> tuple[object, ...]:
    ignored = message.outcome is Outcome.IGNORED
    return (
        message.id,
        wall_clock(message.received_at, config.campaign.timezone),
        ON_TIME if in_time(message, config) else LATE,
        addresses(config).get(message.mailbox, message.mailbox),
        folder_name(message.mailbox, message.folder, config),
        message.sender,
        message.subject,
        message.organization,
        "\n".join(f"{d.filename}（{ROLES[d.role]}）" for d in message.documents),
        _outcome(message, ignored=ignored),
        "\n".join(map(answer, message.replies)),
        wall_clock(message.header_received, config.campaign.timezone),
        wall_clock(message.header_date, config.campaign.timezone),
        message.sha256[:16],
    )


def _outcome(message: MessageRecord, *, ignored: bool) -> str:
    if message.outcome is None:
        return "待处理"
    reasons = "、".join(map(short, message.findings)) if ignored else ""
    return f"{result(message)}（{reasons}）" if reasons else result(message)

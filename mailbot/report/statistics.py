"""The sheet 统计: a few figures, each with a native chart beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mailbot.config import Config
from mailbot.model import Status, Track
from mailbot.records import OrganizationRecord
from mailbot.report.distribution import bands, by_category, how_many
from mailbot.report.figures import moment
from mailbot.report.labels import STATUSES, TRACKS
from mailbot.report.sheets import HEAD_COLOUR, lay_out_page
from mailbot.rubric import Rubric

if TYPE_CHECKING:
    from openpyxl import Workbook

_CHART_ROWS = 16
"""Rows that a chart and its figures take."""
_WIDTH_CM, _HEIGHT_CM = 15.5, 7.4
_BLUE, _PALE = "2E75B6", "BDD7EE"
_STATUS_COLOURS = {
    Status.COMPLETE: "70AD47",
    Status.INCOMPLETE: "ED7D31",
    Status.REVIEW: "FFC000",
    Status.NOT_RECEIVED: "A6A6A6",
}


class _Page:
    """The sheet under way: blocks of figures one below the other, each with its chart to the right."""

    def __init__(self, book: Workbook, heading: str) -> None:
        self._sheet: Any = book.create_sheet("统计")
        self._row = 1
        for letter, width in zip("ABCDEFG", (26, 9, 9, 9, 9, 9, 3), strict=True):
            self._sheet.column_dimensions[letter].width = width
        lay_out_page(self._sheet, f"{heading} · 统计")
        self._sheet.page_setup.orientation, self._sheet.page_setup.fitToHeight = "portrait", 1

    def line(self, text: str) -> None:
        """A line of plain words."""
        self._append([self._cell(text)])
        self._append([])

    def block(
        self,
        title: str,
        head: Sequence[str],
        figures: Sequence[Sequence[object]],
        colours: Sequence[str],
        *,
        lying: bool = False,
    ) -> None:
        """A title, a head and figures; one column of figures is drawn for each colour."""
        top = self._row
        self._append([self._cell(title, bold=True)])
        self._append([self._cell(text, head=True) for text in head])
        for row in figures:
            self._append([self._cell(value) for value in row])
        if figures:
            self._sheet.add_chart(self._chart(title, top + 1, figures, colours, lying=lying), f"H{top}")
        for _ in range(max(1, _CHART_ROWS - len(figures) - 2)):
            self._append([])

    def _chart(
        self,
        title: str,
        head: int,
        figures: Sequence[Sequence[object]],
        colours: Sequence[str],
        *,
        lying: bool,
    ) -> Any:
        from openpyxl.chart import BarChart, Reference

        chart: Any = BarChart()
        chart.type, chart.title = "bar" if lying else "col", title
        chart.width, chart.height = _WIDTH_CM, _HEIGHT_CM
        chart.x_axis.delete = chart.y_axis.delete = False
        chart.y_axis.majorGridlines, chart.gapWidth = None, 60
        chart.y_axis.scaling.min, chart.y_axis.majorUnit = 0, _unit(figures, len(colours), stacked=not lying)
        if lying:
            chart.x_axis.scaling.orientation = "maxMin"
        else:
            chart.grouping, chart.overlap = "stacked", 100
        last = head + len(figures)
        data = Reference(self._sheet, min_col=2, max_col=len(colours) + 1, min_row=head, max_row=last)
        chart.add_data(data, titles_from_data=True)
        chart.set_categories(Reference(self._sheet, min_col=1, min_row=head + 1, max_row=last))
        for series, colour in zip(chart.series, colours, strict=True):
            series.graphicalProperties.solidFill = colour
        if len(colours) == 1:
            chart.legend = None
        return chart

    def _cell(self, value: object, *, bold: bool = False, head: bool = False) -> object:
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Alignment, Font, PatternFill

        cell: Any = WriteOnlyCell(self._sheet)
        cell.value = value
        if bold:
            cell.font = Font(bold=True, size=12)
        if head:
            cell.font = Font(bold=True, color="FFFFFF")
            cell.fill = PatternFill("solid", fgColor=HEAD_COLOUR)
            cell.alignment = Alignment(horizontal="center", wrap_text=True)
        return cell

    def _append(self, cells: Iterable[object]) -> None:
        self._sheet.append(list(cells))
        self._row += 1


def add_statistics(
    book: Workbook, config: Config, rubric: Rubric, organizations: Sequence[OrganizationRecord], now: datetime
) -> None:
    """Add the sheet to the workbook."""
    zone = config.campaign.timezone
    page = _Page(book, f"{config.campaign.title}汇总表")
    page.line(f"统计时间：{moment(now, zone)}　截止时间：{moment(config.campaign.deadline, zone)}")
    counted, left_out = how_many(organizations)
    if left_out:
        page.line(f"得分按{counted}家统计；另有{left_out}家自评表未填全或年度不符，未计入")
    page.block(
        "报送情况（家）",
        ("类别", *STATUSES.values(), "合计"),
        _by_status(organizations),
        [_STATUS_COLOURS[status] for status in Status],
    )
    page.block(
        "各类平均得分",
        ("类别", "平均分", "分值", "最低分", "最高分"),
        [
            (spread.name, spread.mean, spread.points, spread.least, spread.most)
            for spread in by_category(organizations, rubric)
        ],
        (_BLUE, _PALE),
        lying=True,
    )
    page.block("核算总分分布（家）", ("分数段", "家数"), bands(organizations, rubric), (_BLUE,))
    page.block("首次报送日期（家）", ("日期", "家数"), _by_day(organizations, config), (_BLUE,))


def _unit(figures: Sequence[Sequence[object]], columns: int, *, stacked: bool) -> int:
    """A whole step for the axis, about five to its length."""
    rows = [[float(str(value or 0)) for value in row[1 : columns + 1]] for row in figures]
    longest = max(sum(row) if stacked else max(row) for row in rows)
    return max(1, round(longest / 5))


def _by_status(organizations: Sequence[OrganizationRecord]) -> list[tuple[object, ...]]:
    count = Counter((record.track, record.status) for record in organizations)
    return [
        (
            TRACKS[track],
            *(count[track, status] for status in Status),
            sum(count[track, status] for status in Status),
        )
        for track in Track
    ]


def _by_day(organizations: Sequence[OrganizationRecord], config: Config) -> list[tuple[object, ...]]:
    days = Counter(
        at.astimezone(config.campaign.timezone).date()
        for record in organizations
        if record.status is not Status.NOT_RECEIVED
        and (at := record.first_received_at or (record.versions[0].received_at if record.versions else None))
    )
    return [(f"{day.month}月{day.day}日", days[day]) for day in sorted(days)]

"""Times, sizes and foreign text as they stand in the staff's mails, sheets and tables."""

from __future__ import annotations

from datetime import datetime, tzinfo
from decimal import Decimal

from mailbot.names import UNSEEN
from mailbot.report.wording import exact, plain, points, shortened


def moment(value: datetime, zone: tzinfo) -> str:
    """`2021年1月15日17:30`, with seconds where there are any."""
    return exact(value.astimezone(zone))


def short_moment(value: datetime, zone: tzinfo) -> str:
    """`1月15日 17:30:01`: to the second, without the year, for lists."""
    local = value.astimezone(zone)
    return f"{local.month}月{local.day}日 {local.hour}:{local:%M:%S}"


def day(value: datetime, zone: tzinfo) -> str:
    """`2021年1月15日`."""
    local = value.astimezone(zone)
    return f"{local.year}年{local.month}月{local.day}日"


def iso(value: datetime, zone: tzinfo) -> str:
    """ISO 8601 with the campaign's offset, to the second."""
    return value.astimezone(zone).replace(microsecond=0).isoformat()


def wall_clock(value: datetime | None, zone: tzinfo) -> datetime | None:
    """As a workbook's cell holds it: to the second, without a zone."""
    return value.astimezone(zone).replace(tzinfo=None, microsecond=0) if value else None


def points_or_dash(value: Decimal | None) -> str:
    """Points, or — where none could be read."""
    return "—" if value is None else points(value)


def octets(value: int) -> str:
    """A size on disk or in a mail: `3.4 MB`."""
    size = float(value)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


def one_line(text: str, most: int = 120) -> str:
    """Foreign text made harmless for a line of a mail, and not endless."""
    return shortened(plain(text), most)


def plain_text(text: str) -> str:
    """Foreign text with its line breaks kept, and without what is unseen or what a sheet cannot hold."""
    return UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))

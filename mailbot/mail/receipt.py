"""The receipt time and its witness: INTERNALDATE counts, the receiving server's Received stands beside it.

Ground: 电子签名法 art. 11 and 民法典 art. 137; contract, "Receipt time".
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

from mailbot.submission import sides_differ

_TOLERANCE = timedelta(minutes=5)
_CHINA = timedelta(hours=8)
_OFFSET = re.compile(r"[+-]\d{4}\b")
_NAMED_OFFSET = re.compile(r"\b(?:GMT|UTC?)\s?([+-])(\d{1,2}):?(\d{2})?\b")
_CST = re.compile(r"\bCST\b")


def parse_date(text: str) -> datetime | None:
    """An RFC 5322 date-time in UTC; `CST` is China's +08:00, `GMT+08:00` what it says. None where it is no date."""
    text = text.partition("(")[0]
    if len(text) > 200:
        return None
    text = _NAMED_OFFSET.sub(lambda m: f"{m[1]}{int(m[2]):02}{m[3] or '00'}", text)
    try:
        fields = parsedate_tz(text)
        if fields is None:
            return None
        year, month, day, hour, minute, second = fields[:6]
        local = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        named_cst = _CST.search(text) is not None and _OFFSET.search(text) is None
        return local - (_CHINA if named_cst else timedelta(seconds=fields[9] or 0))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def received_date(header: str) -> datetime | None:
    """The date-time of a Received header (RFC 5321 §4.4): what follows its last semicolon."""
    _, semicolon, date = header.rpartition(";")
    return parse_date(date.strip()) if semicolon else None


def disputed(received_at: datetime, witness: datetime | None, deadline: datetime) -> bool:
    """Whether INTERNALDATE and the receiving server's Received disagree: by more than five minutes, or about the deadline."""
    if witness is None:
        return False
    apart = abs(received_at.replace(microsecond=0) - witness.replace(microsecond=0))
    return apart > _TOLERANCE or sides_differ(witness, received_at, deadline)

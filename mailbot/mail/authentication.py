"""What the receiving server found out about the sender: Authentication-Results (RFC 8601), DMARC alone."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mailbot.reading import Authentication

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
_DMARC = re.compile(r";\s*dmarc\s*(?:/\s*\d+\s*)?=\s*(\w+)", re.I)
_MOST = 20_000


def dmarc(headers: Iterable[object], authserv_id: str | None) -> Authentication:
    """The DMARC result of the topmost header, or of the topmost by `authserv_id` where that is configured.

    Headers further down were there before the mail reached us: anybody can write them.
    """
    for header in headers:
        value = _bare(" ".join(str(header)[:_MOST].split()))
        name = value.split(";")[0].split()
        if authserv_id and (not name or name[0].lower() != authserv_id.lower()):
            continue
        results = [result.lower() for result in _DMARC.findall(value)]
        if "fail" in results:
            return Authentication.FAILED
        return Authentication.PASSED if "pass" in results else Authentication.UNKNOWN
    return Authentication.UNKNOWN


def _bare(value: str) -> str:
    """The header without comments, which nest, and without what stands in quoted strings (RFC 5322 §3.2)."""
    kept: list[str] = []
    depth = at = 0
    while at < len(value):
        character = value[at]
        quoted = _QUOTED.match(value, at) if character == '"' and not depth else None
        if character == "(":
            depth += 1
        elif character == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(character if quoted is None else '""')
        at = quoted.end() if quoted else at + (2 if character == "\\" else 1)
    return "".join(kept)

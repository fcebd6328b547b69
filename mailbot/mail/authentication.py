"""What the receiving server found out about the sender: Authentication-Results (RFC 8601), DMARC alone."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mailbot.reading import Authentication

_COMMENT = re.compile(r"\([^()]*\)")
_DMARC = re.compile(r";\s*dmarc\s*=\s*(\w+)", re.I)


def dmarc(headers: Iterable[object], authserv_id: str | None) -> Authentication:
    """The DMARC result of the topmost header, or of the topmost by `authserv_id` where that is configured.

    Headers further down were there before the mail reached us: anybody can write them.
    """
    for header in headers:
        value = _COMMENT.sub(" ", _COMMENT.sub(" ", " ".join(str(header).split())[:10_000]))
        name = value.split(";")[0].split()
        if authserv_id and (not name or name[0].lower() != authserv_id.lower()):
            continue
        results = [result.lower() for result in _DMARC.findall(value)]
        if "fail" in results:
            return Authentication.FAILED
        return Authentication.PASSED if "pass" in results else Authentication.UNKNOWN
    return Authentication.UNKNOWN

"""What a server answers to FETCH, taken apart: the two shapes that our questions are answered with, quickly.

All else, and all that a server puts in another order, goes to the library, which reads a mail's answer word by word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from imapclient.datetime_util import parse_to_datetime
from imapclient.response_parser import parse_fetch_response

Answer = dict[int, dict[bytes, Any]]
Said = Sequence[bytes | tuple[bytes, bytes] | None]
"""As imaplib gives it: a line, or a line with the literal that it ends in, and then the line after that."""

_LISTED = re.compile(rb'\d+ \(UID (\d+) INTERNALDATE "([^"\\]+)" RFC822\.SIZE (\d+)\)')
_GIVEN = re.compile(rb"\d+ \(UID (\d+) (BODY\[\](?:<\d+>)?) \{(\d+)\}")


class _OtherwiseError(Exception):
    """The answer has another shape."""


def parsed(said: Said) -> Answer:
    """Data by UID and name. Raises what the library raises for what is no IMAP."""
    take = _listed if said and isinstance(said[0], bytes) else _given
    try:
        return take(said)
    except (_OtherwiseError, ValueError):
        return dict(parse_fetch_response(list(said), normalise_times=False))


def _listed(said: Said) -> Answer:
    answer: Answer = {}
    for line in said:
        uid, date, size = _groups(_LISTED.fullmatch, line)
        answer[int(uid)] = {
            b"INTERNALDATE": parse_to_datetime(date, normalise=False),
            b"RFC822.SIZE": int(size),
        }
    return answer


def _given(said: Said) -> Answer:
    answer: Answer = {}
    for given, closing in zip(said[::2], said[1::2], strict=True):
        if not isinstance(given, tuple) or closing != b")":
            raise _OtherwiseError
        uid, name, size = _groups(_GIVEN.fullmatch, given[0])
        if int(size) != len(given[1]):
            raise _OtherwiseError
        answer.setdefault(int(uid), {})[name] = given[1]
    return answer


def _groups(match: Callable[[bytes], re.Match[bytes] | None], line: object) -> tuple[bytes, ...]:
    found = match(line) if isinstance(line, bytes) else None
    if found is None:
        raise _OtherwiseError
    return found.groups()

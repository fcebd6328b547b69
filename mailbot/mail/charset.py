"""Text out of bytes as Chinese mail really labels them: gb2312 that is GB18030, words cut inside a character."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
import unicodedata

_GB = frozenset(
    {"gb2312", "gb_2312-80", "gb2312-80", "gbk", "x-gbk", "cp936", "ms936", "hz-gb-2312", "euc-cn"}
)
_VAGUE = frozenset(
    {"", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252", "unknown-8bit", "default"}
)
_WORD = re.compile(r"=\?([A-Za-z0-9_:.\-]+)(?:\*[^?]*)?\?([BbQq])\?([^?\s]*(?:\s[^?=]*)?)\?=")
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)


def codec(charset: str | None) -> str:
    """The codec for a declared charset; every GB label means GB18030, which holds them all."""
    name = (charset or "").strip().strip("\"'").lower()
    return "gb18030" if name in _GB else name


def decode(octets: bytes, charset: str | None = None) -> str:
    """Octets as text: as declared if that works, else UTF-8, else GB18030 (where the label is vague or lies)."""
    declared = codec(charset)
    tries = ["utf-8", "gb18030"] if declared in _VAGUE else [declared, "utf-8", "gb18030"]
    for name in tries:
        try:
            return octets.decode(name)
        except (UnicodeDecodeError, LookupError, ValueError):
            continue
    return octets.decode("gb18030" if declared == "gb18030" else "utf-8", "replace")


def raw(value: str) -> str:
    """A header as `email` keeps it, with its 8-bit octets decoded: UTF-8 strictly, else GB18030."""
    if value.isascii():
        return value
    try:
        return decode(value.encode("ascii", "surrogateescape"))
    except UnicodeEncodeError:
        return value


def words(value: str) -> str:
    """RFC 2047 encoded words decoded, wherever they stand; the octets of adjacent words are joined first."""
    value = raw(value)
    if "=?" not in value:
        return mended(value)
    text: list[str] = []
    pending, charset, end = b"", "", 0
    for match in _WORD.finditer(value):
        between = value[end : match.start()]
        if between.strip() or codec(match[1]) != charset:
            text.append(decode(pending, charset) if pending else "")
            pending = b""
            text.append(between if between.strip() or end == 0 else "")
        pending += _octets(match[2], match[3])
        charset, end = codec(match[1]), match.end()
    text.append(decode(pending, charset) if pending else "")
    text.append(value[end:])
    return mended("".join(text))


def _octets(encoding: str, payload: str) -> bytes:
    raw_payload = payload.encode("ascii", "ignore")
    if encoding in "Qq":
        return quopri.decodestring(raw_payload, header=True)
    try:
        return base64.b64decode(raw_payload + b"=" * (-len(raw_payload) % 4))
    except binascii.Error:
        return b""


def mended(text: str) -> str:
    """UTF-8 that somebody read as GBK (涓枃) put right; any other text as it is."""
    if text.isascii():
        return text
    try:
        again = text.encode("gb18030").decode("utf-8")
    except UnicodeError:
        return text
    plausible = all(c.isascii() or unicodedata.category(c) in ("Lo", "Po", "Ps", "Pe", "Pd") for c in again)
    return again if plausible and len(again) < len(text) else text


def visible(text: str) -> str:
    """A text on one line without control and direction characters: safe to show, never a header of its own."""
    return " ".join(_UNSEEN.sub("", text).split())


def readable(text: str) -> str:
    """A text of several lines without control and direction characters."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))

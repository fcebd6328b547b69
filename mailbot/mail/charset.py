"""Text out of bytes as Chinese mail really labels them: gb2312 that is GB18030, words cut inside a character."""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
import unicodedata

from mailbot.names import UNSEEN

_GB = frozenset({"gb2312", "gb_2312-80", "gb2312-80", "gbk", "x-gbk", "cp936", "ms936", "euc-cn"})
_VAGUE = frozenset(
    {"", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "windows-1252", "unknown-8bit", "default"}
)
_NO_CHARSET = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
)
"""Python codecs that no mail means; some take quadratic time."""
_WORD = re.compile(r"=\?([A-Za-z0-9_:.\-]+)(?:\*[^?]*)?\?([BbQq])\?([^?]*)\?=")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


def codec(charset: str | None) -> str:
    """The codec for a declared charset; every GB label means GB18030, which holds them all."""
    name = (charset or "").strip().strip("\"'").lower()
    return "gb18030" if name in _GB else name


def decode(octets: bytes, charset: str | None = None) -> str:
    """Octets as text: as declared if that works, else UTF-8, else GB18030 (where the label is vague or lies).

    A text cut inside a character, or with a few broken octets, stays in the encoding that most of it is in.
    """
    declared = codec(charset)
    named = () if declared in _VAGUE or not _known(declared) else (declared,)
    for name, attempt in (
        *((name, _strictly) for name in (*named, "utf-8")),
        ("utf-8", _mostly),
        ("gb18030", _strictly),
        ("gb18030", _mostly),
    ):
        text = attempt(octets, name)
        if text is not None:
            return text
    return octets.decode("gb18030" if declared == "gb18030" else "utf-8", "replace")


def _known(name: str) -> bool:
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return False
    return found.replace("_", "-") not in _NO_CHARSET


def _strictly(octets: bytes, name: str) -> str | None:
    try:
        return octets.decode(name)
    except (UnicodeError, LookupError):
        return None


def _mostly(octets: bytes, name: str) -> str | None:
    """The text with U+FFFD for what is broken; None unless by far the most of it is Chinese."""
    text = octets.decode(name, "replace")
    broken = text.count("\ufffd")
    chinese = sum("\u2e80" <= c != "\ufffd" for c in text)
    return text if chinese and (broken == 1 or broken * 10 <= chinese) else None


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
    octets = payload.encode("ascii", "ignore")
    if encoding in "Qq":
        return quopri.decodestring(octets, header=True)
    digits = _NOT_BASE64.sub(b"", octets)
    whole = digits[:-1] if len(digits) % 4 == 1 else digits
    try:
        return base64.b64decode(whole + b"=" * (-len(whole) % 4))
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
    plausible = all(c.isascii() or _is_chinese(c) for c in again)
    return again if plausible and _commonness(again) > _commonness(text) else text


def _is_chinese(character: str) -> bool:
    """Hanzi and what stands among them: full-width forms, brackets, quotation marks, dashes, ①."""
    if unicodedata.category(character) == "Lo":
        return "\u3400" <= character <= "\u9fff" or character >= "\U00020000"
    return unicodedata.category(character)[0] in "PSNZ" or "\uff00" <= character <= "\uffef"


def _commonness(text: str) -> float:
    """The share of everyday hanzi (level 1 of GB 2312) in what is not ASCII: misread text is full of rare ones."""
    foreign = [c for c in text if not c.isascii()]
    common = sum(b"\xb0\xa1" <= c.encode("gb2312", "ignore") <= b"\xd7\xf9" for c in foreign)
    return common / len(foreign)


def visible(text: str) -> str:
    """A text on one line without control and direction characters: safe to show, never a header of its own."""
    return " ".join(UNSEEN.sub("", text).split())


def readable(text: str) -> str:
    """A text of several lines without control and direction characters."""
    return UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))

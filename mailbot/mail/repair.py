"""Mends a message in place before anybody reads it: raw 8-bit headers and GB labels that mean GB18030."""

from __future__ import annotations

import re
from email.message import Message

from mailbot.mail import charset

_STRUCTURED = frozenset({"content-type", "content-disposition"})
_GB_LABEL = re.compile(
    r"(?i)(\*\d*\*?\s*=\s*[\"']?|charset\s*=\s*[\"']?)(?:gb_?2312(?:-80)?|x-gbk|gbk|cp936|ms936)(?=['\";\s]|$)"
)


def repair(message: Message) -> None:
    """Give the message and all its parts headers of plain text, structure kept, encoded words as they are."""
    for part in message.walk():
        mended = [(name, _mend(name.lower(), str(value))) for name, value in part.raw_items()]
        for name in {name for name, _ in mended}:
            del part[name]
        for name, value in mended:
            part[name] = value


def _mend(name: str, value: str) -> str:
    value = charset.raw(value)
    return _GB_LABEL.sub(r"\1gb18030", value) if name in _STRUCTURED else value


def filename(part: Message) -> str:
    """The decoded file name of a part (RFC 2183, RFC 2231, and RFC 2047 words inside the quotes); '' without one."""
    name = part.get_filename("")
    return charset.words(name.replace("\n", " "))

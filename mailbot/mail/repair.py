"""Mends a message in place before anybody reads it: raw 8-bit headers, transfer encodings with something after them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

from mailbot.mail import charset

_ENCODING = re.compile(r"^\s*[\"']?([A-Za-z0-9-]+)[\"']?[;,\s(].*$", re.S)


def repair(message: Message) -> None:
    """Give the message and its parts headers of plain text, structure kept, encoded words as they are.

    Mails within the mail stay as they came: they are read on their own, from their octets.
    """
    for part in _parts(message):
        given = [(name, str(value)) for name, value in part.raw_items()]
        mended = [(name, _mend(name.lower(), value)) for name, value in given]
        if mended == given:
            continue
        for name in {name.lower() for name, _ in given}:
            del part[name]
        for name, value in mended:
            part[name] = value


def _parts(message: Message) -> Iterator[Message]:
    yield message
    if message.is_multipart() and message.get_content_maintype() == "multipart":
        for child in message.get_payload():
            if isinstance(child, Message):
                yield from _parts(child)


def _mend(name: str, value: str) -> str:
    value = charset.raw(value)
    return _ENCODING.sub(r"\1", value) if name == "content-transfer-encoding" else value


def filename(part: Message) -> str:
    """The decoded file name of a part; '' without one.

    RFC 2183, RFC 2231, and RFC 2047 words inside the quotes. Where the two places that can hold it differ in
    what could be read, the whole one counts.
    """
    names = [
        _parameter(part, "filename", "content-disposition"),
        _parameter(part, "name", "content-type"),
    ]
    whole = [name for name in names if name and "\ufffd" not in name and "?" not in name]
    return next((name for name in (*whole, *names) if name), "")


def _parameter(part: Message, parameter: str, header: str) -> str:
    try:
        value = part.get_param(parameter, "", header)
    except (ValueError, LookupError, TypeError):
        return ""
    if isinstance(value, tuple):
        label, _, encoded = value
        try:
            return charset.words(charset.decode(encoded.encode("latin-1"), label))
        except UnicodeEncodeError:
            return charset.words(encoded)
    return charset.words(str(value).replace("\r", "").replace("\n", " "))

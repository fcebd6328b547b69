"""The tree of a mail's parts: which are its words, which are files, and which are neither. Bounded on every side."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, field
from email.message import Message
from email.policy import compat32

from mailbot.errors import DangerousError, UnreadableError
from mailbot.mail import bulk, charset, uuencode
from mailbot.mail.body import html_to_lines
from mailbot.mail.repair import filename, repair
from mailbot.mail.smime import signed_content
from mailbot.names import safe_name
from mailbot.reading import Part
from mailbot.records import OUR_MESSAGE_ID

_MOST_PARTS = 500
_MOST_DEPTH = 20
_MOST_DELIMITERS = 20_000
_MOST_HEADER_OCTETS = 1_000_000
_MOST_HEADERS = 2_000
_SMALL_PICTURE = 40_000
"""Octets below which a picture shown within the body is taken for a logo or signature."""
_FORWARDED = frozenset({"message/rfc822", "message/global", "message/news"})
_SIGNED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_NO_DOCUMENT = frozenset(
    {
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/applefile",
        "text/calendar",
        "text/vcard",
        "text/x-vcard",
        "message/delivery-status",
        "message/disposition-notification",
        "text/rfc822-headers",
    }
)
_OUR_LETTER = re.compile(
    rb"(?:[!-9;-~]{1,80}:[^\n]*\n(?:[ \t][^\n]*\n)*){0,100}?Message-ID:\s*"
    + re.escape(OUR_MESSAGE_ID.encode()),
    re.I,
)
"""The head of a mail with a Message-ID that `compose` was given."""
_AS_IT_CAME = compat32.clone(max_line_length=0, linesep="\r\n")


@dataclass(slots=True)
class Tree:
    """What a walk over the parts gathers."""

    texts: list[str] = field(default_factory=list)
    """The words of the mail in their order; of alternatives the plain text, unless it is blank."""
    htmls: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    count: int = 0

    def add(self, name: str, kind: str, data: bytes, *, inline: bool = False, shown: bool = False) -> None:
        """Keep a file; a letter of ours that is sent back as one is none of the sender's."""
        if _OUR_LETTER.match(data):
            return
        key = str(len(self.parts) + 1)
        part = Part(key=key, filename=name, content_type=kind, data=data, inline=inline, shown=shown)
        self.parts.append(part)

    def shows(self, message: Message) -> bool:
        """Whether the HTML so far has a place for this part; in multipart/related it stands before what it shows."""
        identity = str(message.get("content-id", "")).strip().strip("<>")
        return bool(identity) and any(f"cid:{identity}" in html for html in self.htmls)


def open_message(octets: bytes) -> Message:
    """The octets as a repaired message. Raises DangerousError, UnreadableError."""
    if octets.count(b"-") > _MOST_DELIMITERS < octets.count(b"\n--") + octets.count(b"\r--"):
        raise DangerousError("a mail of very many parts")
    try:
        message = bulk.parsed(octets.removeprefix(b"\xef\xbb\xbf"))
        for part in message.walk():
            headers = list(part.raw_items())
            size = sum(len(name) + len(value) for name, value in headers)
            if size > _MOST_HEADER_OCTETS or len(headers) > _MOST_HEADERS:
                raise DangerousError("a mail with a very large head")
        repair(message)
    except RecursionError as error:
        raise DangerousError("a mail nested too deeply") from error
    except (ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
        raise UnreadableError(f"the mail cannot be taken apart: {error}") from error
    return message


def walk(message: Message) -> Tree:
    """The parts of a message. Raises DangerousError for too many or too deeply nested ones."""
    tree = Tree()
    _walk(message, tree, 0, alternative=False)
    return tree


def _walk(message: Message, tree: Tree, depth: int, *, alternative: bool) -> None:
    tree.count += 1
    if tree.count > _MOST_PARTS or depth > _MOST_DEPTH:
        raise DangerousError("a mail of too many or too deeply nested parts")
    kind = message.get_content_type()
    if kind in _FORWARDED:
        _add_forwarded(message, tree)
    elif message.is_multipart() and kind.startswith("multipart/"):
        _walk_children(message, kind, tree, depth, alternative=alternative)
    elif kind in _SIGNED and (content := signed_content(_payload(message))) is not None:
        _walk(open_message(content), tree, depth + 1, alternative=alternative)
    elif kind not in _NO_DOCUMENT:
        _add_leaf(message, kind, tree, alternative=alternative)


def _walk_children(message: Message, kind: str, tree: Tree, depth: int, *, alternative: bool) -> None:
    texts, htmls = len(tree.texts), len(tree.htmls)
    choice = alternative or kind == "multipart/alternative"
    for child in message.get_payload():
        if isinstance(child, Message):
            _walk(child, tree, depth + 1, alternative=choice)
    if choice and not alternative and not "".join(tree.texts[texts:]).strip():
        tree.texts += [html_to_lines(html) for html in tree.htmls[htmls:]]


def _add_leaf(message: Message, kind: str, tree: Tree, *, alternative: bool) -> None:
    name = safe_name(filename(message))
    data = _payload(message)
    disposition = message.get_content_disposition()
    if kind.startswith("multipart/"):
        kind = "text/plain"
    if kind in ("text/plain", "text/html") and not name and disposition != "attachment":
        body = charset.mended(charset.decode(data, message.get_content_charset()))
        _add_body(body, kind, tree, alternative=alternative)
        return
    inline = disposition == "inline" or (disposition is None and "content-id" in message)
    if inline and kind.startswith("image/") and len(data) < _SMALL_PICTURE:
        return
    if not name and not data.strip():
        return
    if not name and not inline and not kind.startswith("text/"):
        name = f"attachment{mimetypes.guess_extension(kind) or ''}"
    tree.add(name, kind, data, inline=inline, shown=inline and tree.shows(message))


def _add_body(body: str, kind: str, tree: Tree, *, alternative: bool) -> None:
    if kind == "text/html":
        tree.htmls.append(body)
        if not alternative:
            tree.texts.append(html_to_lines(body))
        return
    text, files = uuencode.split(charset.readable(body))
    tree.texts.append(text)
    for name, data in files:
        tree.add(safe_name(charset.words(name)), "application/octet-stream", data)


def _add_forwarded(message: Message, tree: Tree) -> None:
    """A mail within the mail is one document, opened like an archive; some clients encode it against RFC 2046 §5.2.1."""
    inner = message.get_payload()
    first = inner[0] if isinstance(inner, list) and inner else None
    encoding = str(message.get("content-transfer-encoding", "")).lower()
    if isinstance(first, Message) and encoding not in ("base64", "quoted-printable"):
        data = first.as_bytes(policy=_AS_IT_CAME)
    else:
        data = _encoded_again(first if isinstance(first, Message) else message, encoding)
    tree.add(safe_name(filename(message)) or "message.eml", "message/rfc822", data)


def _encoded_again(inner: Message, encoding: str) -> bytes:
    carrier = Message()
    carrier["Content-Transfer-Encoding"] = encoding or "7bit"
    carrier.set_payload(inner.as_string().lstrip("\n") if inner.keys() else inner.get_payload())
    return _payload(carrier)


def _payload(message: Message) -> bytes:
    data = message.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""

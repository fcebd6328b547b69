"""A mail taken apart: what it says of itself, and the files that it carries. Nothing in it is trusted.

mail-parser reads the head and the bodies of a repaired message without its attachments; the tree of parts is
walked here, so that each file keeps its octets and its place.
"""

from __future__ import annotations

import email
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from email.utils import getaddresses

from mailparser import MailParser

from mailbot.errors import DangerousError, UnreadableError
from mailbot.mail import automatic, charset
from mailbot.mail.authentication import dmarc
from mailbot.mail.body import claims_attachment, has_form_table, html_to_text, own_words
from mailbot.mail.links import find_links
from mailbot.mail.receipt import parse_date, received_date
from mailbot.mail.repair import filename, repair
from mailbot.reading import Address, MailHead, Part

_MOST_PARTS = 500
_MOST_DEPTH = 20
_MOST_DELIMITERS = 20_000
_MOST_HEADER_OCTETS = 1_000_000
_SMALL_PICTURE = 40_000
"""Octets below which a picture shown within the body is taken for a logo or signature."""
_LONG_BODY = 300
_NO_DOCUMENT = frozenset(
    {
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "text/calendar",
        "text/vcard",
        "text/x-vcard",
        "message/delivery-status",
        "message/disposition-notification",
        "text/rfc822-headers",
    }
)
_BODY_TITLE = re.compile(r"总结|计划")
_DEVICE = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMail:
    """One mail: its head, and the files it carries."""

    head: MailHead
    parts: tuple[Part, ...]


@dataclass(slots=True)
class _Tree:
    """What a walk over the parts gathers."""

    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    count: int = 0


def parse(octets: bytes, *, authserv_id: str | None, own_addresses: frozenset[str]) -> ParsedMail:
    """Take one mail apart.

    `authserv_id` names the receiving server whose Authentication-Results counts, `own_addresses` are ours in lower
    case. Raises DangerousError for a mail built to break readers, UnreadableError where it cannot be taken apart.
    """
    message = _message(octets)
    tree = _Tree()
    _walk(message, tree, depth=0)
    skeleton = MailParser(_without_files(message))
    text = charset.readable("\n".join(tree.texts))
    html = "\n".join(tree.htmls)
    if len(text.strip()) < 2:
        text = charset.readable(html_to_text(html))
    own_text = own_words(text)
    own_html = own_words(html)
    subject = charset.visible(str(skeleton.subject))
    parts = (*tree.parts, *_body_parts(own_text, html, len(tree.parts)))
    from_ = _addresses(message.get_all("from", []))
    head = MailHead(
        message_id=_message_id(skeleton.message_id),
        subject=subject,
        from_=from_,
        reply_to=_addresses(message.get_all("reply-to", [])),
        to=_clean(skeleton.to),
        cc=_clean(skeleton.cc),
        date=parse_date(_one(message, "date")),
        in_reply_to=_message_id(_one(message, "in-reply-to")),
        references=automatic.returned_ids(_one(message, "references")),
        received=_topmost_received(message),
        authentication=dmarc(message.get_all("authentication-results", []), authserv_id),
        automatic=_automatic(message, subject, from_, own_text, own_addresses),
        bounced_ids=_bounced(message, text),
        text=own_text[:20_000],
        links=find_links(own_text, own_html),
        claims_attachment=claims_attachment(subject, own_text),
        fingerprint=_fingerprint(message, parts, text),
    )
    return ParsedMail(head=head, parts=parts)


def _message(octets: bytes) -> Message:
    if octets.count(b"\n--") > _MOST_DELIMITERS:
        raise DangerousError("a mail of very many parts")
    try:
        message = email.message_from_bytes(octets)
        if sum(len(name) + len(value) for name, value in message.raw_items()) > _MOST_HEADER_OCTETS:
            raise DangerousError("a mail with a very large head")
        repair(message)
    except RecursionError as error:
        raise DangerousError("a mail nested too deeply") from error
    except (ValueError, TypeError, LookupError, AssertionError) as error:
        raise UnreadableError(f"the mail cannot be taken apart: {error}") from error
    return message


def _walk(message: Message, tree: _Tree, depth: int) -> None:
    tree.count += 1
    if tree.count > _MOST_PARTS or depth > _MOST_DEPTH:
        raise DangerousError("a mail of too many or too deeply nested parts")
    kind = message.get_content_type()
    if kind == "message/rfc822":
        _add_forwarded(message, tree)
    elif message.is_multipart() and kind.startswith("multipart/"):
        for child in message.get_payload():
            if isinstance(child, Message):
                _walk(child, tree, depth + 1)
    elif kind not in _NO_DOCUMENT:
        _add_leaf(message, kind, tree)


def _add_leaf(message: Message, kind: str, tree: _Tree) -> None:
    name = safe_name(filename(message))
    data = _payload(message)
    attached = message.get_content_disposition() == "attachment"
    if kind in ("text/plain", "text/html") and not name and not attached:
        body = charset.decode(data, message.get_content_charset())
        (tree.texts if kind == "text/plain" else tree.htmls).append(body)
        return
    inline = not attached and (message.get_content_disposition() == "inline" or "content-id" in message)
    if inline and kind.startswith("image/") and len(data) < _SMALL_PICTURE:
        return
    if not name and not data.strip():
        return
    tree.parts.append(
        Part(key=str(len(tree.parts) + 1), filename=name, content_type=kind, data=data, inline=inline)
    )


def _add_forwarded(message: Message, tree: _Tree) -> None:
    """A mail within the mail is one document, opened like an archive; some clients encode it against RFC 2046 §5.2.1."""
    inner = message.get_payload()
    first = inner[0] if isinstance(inner, list) and inner else None
    encoding = str(message.get("content-transfer-encoding", "")).lower()
    if isinstance(first, Message) and encoding not in ("base64", "quoted-printable"):
        data = first.as_bytes()
    else:
        data = _encoded_again(first if isinstance(first, Message) else message, encoding)
    name = safe_name(filename(message)) or "message.eml"
    tree.parts.append(
        Part(key=str(len(tree.parts) + 1), filename=name, content_type="message/rfc822", data=data)
    )


def _encoded_again(inner: Message, encoding: str) -> bytes:
    carrier = Message()
    carrier["Content-Transfer-Encoding"] = encoding or "7bit"
    carrier.set_payload(inner.as_string().lstrip("\n") if inner.keys() else inner.get_payload())
    return _payload(carrier)


def _payload(message: Message) -> bytes:
    data = message.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def safe_name(name: str) -> str:
    """A file name without folders, control characters or device names, at most 200 characters."""
    base = charset.visible(name).replace("\\", "/").rsplit("/", 1)[-1].strip(". ")
    base = _DEVICE.sub(lambda device: f"_{device.group()}", base)
    if len(base) > 200:
        stem, dot, ending = base.rpartition(".")
        base = f"{stem[: 199 - len(ending)]}{dot}{ending}" if dot and len(ending) < 10 else base[:200]
    return base


def _body_parts(text: str, html: str, before: int) -> Iterator[Part]:
    """The body itself as a document: a form pasted as a table, or a summary written straight into the mail."""
    if has_form_table(html):
        yield Part(
            key=str(before + 1), filename="", content_type="text/html", data=html.encode("utf-8", "replace")
        )
    elif len(text) > _LONG_BODY and _BODY_TITLE.search(text):
        yield Part(
            key=str(before + 1), filename="", content_type="text/plain", data=text.encode("utf-8", "replace")
        )


def _without_files(message: Message) -> Message:
    """The head alone, for mail-parser: its cost grows with what is attached."""
    bare = Message()
    for name, value in message.items():
        if name.lower() in ("message-id", "to", "cc"):
            bare[name] = value
        elif name.lower() == "subject" and name not in bare:
            bare[name] = charset.words(value)
    return bare


def _one(message: Message, name: str) -> str:
    return str(message.get(name, ""))


def _message_id(value: str) -> str:
    ids = automatic.returned_ids(value)
    return ids[0] if ids else charset.visible(value)[:250]


def _addresses(values: Iterable[object]) -> tuple[Address, ...]:
    """The addresses of a header; display names decoded, everything else dropped that could break a header."""
    return _clean(getaddresses([str(value)[:20_000].replace("\n", " ") for value in values]))


def _clean(pairs: Iterable[tuple[str, str]]) -> tuple[Address, ...]:
    clean = ((charset.visible(charset.words(name)), charset.visible(address)) for name, address in pairs)
    return tuple(
        dict.fromkeys(
            Address(name=name[:200], address=_lower_domain(address))
            for name, address in clean
            if re.fullmatch(r"[^\s<>,;\"()]{1,64}@[^\s<>,;\"()@]{1,255}", address)
        )
    )


def _lower_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


def _topmost_received(message: Message) -> datetime | None:
    first = message.get("received")
    return received_date(" ".join(str(first).split())) if first else None


def _automatic(
    message: Message, subject: str, from_: tuple[Address, ...], body: str, own: frozenset[str]
) -> str:
    headers = {name.lower(): charset.visible(charset.words(str(value))) for name, value in message.items()}
    headers["subject"] = subject
    return automatic.sign(
        headers,
        content_type=message.get_content_type(),
        sender=from_[0].address if from_ else "",
        body=body,
        own=own,
    )


def _bounced(message: Message, text: str) -> tuple[str, ...]:
    if message.get_content_type() != "multipart/report" and "<" not in text:
        return ()
    returned = [
        part.as_string()[:20_000]
        for part in message.walk()
        if part.get_content_type() == "text/rfc822-headers"
    ]
    nested = [
        str(inner.get("message-id", ""))
        for part in message.walk()
        if part.get_content_type() == "message/rfc822"
        for inner in (part.get_payload() if isinstance(part.get_payload(), list) else [])
        if isinstance(inner, Message)
    ]
    return automatic.returned_ids("\n".join((*returned, *nested, text[:20_000])))


def _fingerprint(message: Message, parts: Iterable[Part], text: str) -> str:
    """What the sender wrote, without what servers added on the way."""
    written = hashlib.sha256()
    for name in ("message-id", "from", "date", "subject"):
        written.update(f"{name}:{' '.join(_one(message, name).split())}\n".encode("utf-8", "replace"))
    written.update(" ".join(text.split()).encode("utf-8", "replace"))
    for part in parts:
        written.update(hashlib.sha256(part.data).digest())
    return written.hexdigest()


__all__ = ["ParsedMail", "parse", "safe_name"]

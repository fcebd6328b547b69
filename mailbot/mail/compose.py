"""Our own mails as octets: the same reply always becomes the same bytes, and no value becomes a header."""

from __future__ import annotations

import hashlib
import re
from base64 import encodebytes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.encoders import encode_base64
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.utils import format_datetime
from typing import TypeGuard

from mailbot.mail.addresses import is_address
from mailbot.mail.charset import visible
from mailbot.reading import Address
from mailbot.records import OUR_MESSAGE_ID

_MOST_REFERENCES = 20
_LONGEST_PLAIN = 70
_FOLD = "\r\n "
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,500}>")
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_SPECIAL = re.compile(r"[\"\\]")


_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a mail; with a `content_id` it is a picture shown within the HTML."""

    filename: str
    content_type: str
    data: bytes
    content_id: str = ""


def workbook_file(filename: str, data: bytes) -> Attachment:
    """An xlsx workbook that goes with a mail."""
    return Attachment(filename=filename, content_type=_XLSX, data=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """Everything a mail of ours says."""

    sender: Address
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    message_id: str
    """With its angle brackets."""
    date: datetime
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    auto_submitted: str = "auto-replied"
    """RFC 3834 §5: `auto-replied` for an answer, `auto-generated` for a digest."""


def reply_message_id(campaign: str, sha256: str, kind: str, domain: str) -> str:
    """The Message-ID of the one reply of this kind to this mail: made from both, so that it can be looked up again."""
    digest = hashlib.sha256(f"{campaign}\n{sha256}\n{kind}".encode()).hexdigest()
    return f"{OUR_MESSAGE_ID}{digest[:32]}@{domain}>"


def compose(mail: OutgoingMail) -> bytes:
    """The mail as RFC 5322 octets with CRLF, 7-bit clean, text and HTML side by side.

    Raises ValueError for an address or Message-ID that cannot stand in a header (RFC 5322 §3.4.1, §3.6.4).
    X-Auto-Response-Suppress keeps Exchange's robots quiet. There is no Precedence: it would brand an answer that
    somebody waits for as bulk.
    """
    message: Message = _alternatives(mail)
    files = [attachment for attachment in mail.attachments if not attachment.content_id]
    if files:
        message = _around("mixed", [message, *(_file(attachment) for attachment in files)])
    for name, value in _headers(mail):
        message[name] = value
    _fix_boundaries(message, mail.message_id)
    return "".join(_wire(message)).encode("ascii")


def _wire(part: Message) -> Iterator[str]:
    """What `email.generator` writes, where headers are folded and bodies encoded already."""
    for name, value in part.items():
        yield f"{name}: {value}\r\n"
    yield "\r\n"
    payload = part.get_payload()
    if isinstance(payload, str):
        yield payload.replace("\n", "\r\n")
        return
    boundary = part.get_boundary()
    for child in filter(_is_message, payload):
        yield f"--{boundary}\r\n"
        yield from _wire(child)
        yield "\r\n"
    yield f"--{boundary}--\r\n"


def _is_message(part: object) -> TypeGuard[Message]:
    return isinstance(part, Message)


def _headers(mail: OutgoingMail) -> Iterator[tuple[str, str]]:
    yield "From", _mailbox(mail.sender)
    yield "To", _FOLD.join(f"{_address(address)}," for address in mail.to).rstrip(",")
    yield "Subject", _encoded(mail.subject)
    yield "Date", format_datetime(mail.date)
    if not _MESSAGE_ID.fullmatch(mail.message_id):
        raise ValueError(f"no Message-ID: {mail.message_id!r}")
    yield "Message-ID", mail.message_id
    chain = _references(mail)
    if chain:
        yield "In-Reply-To", chain[-1]
        yield "References", _FOLD.join(chain)
    yield "Auto-Submitted", mail.auto_submitted
    yield "X-Auto-Response-Suppress", "All"


def _references(mail: OutgoingMail) -> tuple[str, ...]:
    """RFC 5322 §3.6.4: the chain that the answered mail names, and that mail; what is no Message-ID is left out."""
    if not _MESSAGE_ID.fullmatch(mail.in_reply_to):
        return ()
    above = (r for r in mail.references if _MESSAGE_ID.fullmatch(r) and r != mail.in_reply_to)
    return (*tuple(dict.fromkeys(above))[-_MOST_REFERENCES:], mail.in_reply_to)


def _encoded(text: str) -> str:
    """A short ASCII text as it is, anything else in RFC 2047 encoded words of at most 75 characters."""
    text = visible(text)
    if text.isascii() and "=?" not in text and len(text) <= _LONGEST_PLAIN:
        return text
    return _FOLD.join(Header(text, "utf-8", maxlinelen=72).encode().split())


def _mailbox(address: Address) -> str:
    name = _encoded(address.name)
    if not name:
        return _address(address.address)
    phrase = name if _PHRASE.fullmatch(name) or "=?" in name else f'"{_SPECIAL.sub(r"_", name)}"'
    return f"{phrase}{_FOLD}<{_address(address.address)}>"


def _address(address: str) -> str:
    if not is_address(address):
        raise ValueError(f"no address for a header: {address!r}")
    return address


def _alternatives(mail: OutgoingMail) -> Message:
    html = _text(mail.html, "html")
    pictures = [attachment for attachment in mail.attachments if attachment.content_id]
    if pictures:
        html = _around("related", [html, *(_picture(picture) for picture in pictures)])
    return _around("alternative", [_text(mail.text, "plain"), html])


def _text(text: str, subtype: str) -> Message:
    """RFC 2046 §4.1.1: lines end in CRLF, within base64 too."""
    part = MIMENonMultipart("text", subtype, charset="utf-8")
    part["Content-Transfer-Encoding"] = "base64"
    part.set_payload(
        encodebytes("\r\n".join((*text.splitlines(), "")).encode("utf-8", "replace")).decode("ascii")
    )
    return part


def _around(kind: str, parts: Sequence[Message]) -> Message:
    return MIMEMultipart(kind, _subparts=parts)


def _picture(picture: Attachment) -> Message:
    part = _octets(picture)
    part["Content-ID"] = f"<{picture.content_id}>"
    part["Content-Disposition"] = "inline"
    return part


def _file(attachment: Attachment) -> Message:
    """RFC 2047 words in `name` and `filename`: QQ's web mail shows an RFC 2231 name as tcmime….bin."""
    part = _octets(attachment)
    name = _encoded(_SPECIAL.sub("_", attachment.filename))
    part.replace_header("Content-Type", f'{attachment.content_type};\r\n name="{name}"')
    part["Content-Disposition"] = f'attachment;\r\n filename="{name}"'
    return part


def _octets(attachment: Attachment) -> Message:
    maintype, _, subtype = attachment.content_type.partition("/")
    part = MIMENonMultipart(maintype, subtype)
    part.set_payload(attachment.data)
    encode_base64(part)
    return part


def _fix_boundaries(message: Message, message_id: str) -> None:
    """Boundaries made from the Message-ID: the same mail is the same bytes each time it is composed."""
    seed = hashlib.sha256(message_id.encode()).hexdigest()[:24]
    for number, part in enumerate(p for p in message.walk() if p.is_multipart()):
        part.set_boundary(f"=_{seed}_{number}")

"""Our own mails as octets: the same reply always becomes the same bytes, and no value becomes a header."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.encoders import encode_base64
from email.generator import BytesGenerator
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from io import BytesIO

from mailbot.mail.charset import visible
from mailbot.reading import Address

_MOST_REFERENCES = 20
_WIRE = compat32.clone(linesep="\r\n", max_line_length=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a mail; with a `content_id` it is a picture shown within the HTML."""

    filename: str
    content_type: str
    data: bytes
    content_id: str = ""


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
    return f"<mailbot.{digest[:32]}@{domain}>"


def compose(mail: OutgoingMail) -> bytes:
    """The mail as RFC 5322 octets with CRLF, 7-bit clean, text and HTML side by side.

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
    octets = BytesIO()
    BytesGenerator(octets, mangle_from_=False, policy=_WIRE).flatten(message)
    return octets.getvalue()


def _headers(mail: OutgoingMail) -> Iterator[tuple[str, str]]:
    yield "From", _phrase(mail.sender)
    yield "To", ", ".join(visible(address) for address in mail.to)
    yield "Subject", _encoded(visible(mail.subject), "\r\n ")
    yield "Date", format_datetime(mail.date)
    yield "Message-ID", mail.message_id
    if mail.in_reply_to:
        chain = (*mail.references[-_MOST_REFERENCES:], mail.in_reply_to)
        yield "In-Reply-To", visible(mail.in_reply_to)
        yield "References", "\r\n ".join(dict.fromkeys(visible(reference) for reference in chain))
    yield "Auto-Submitted", mail.auto_submitted
    yield "X-Auto-Response-Suppress", "All"


def _encoded(text: str, between: str) -> str:
    """RFC 2047: encoded words of at most 75 characters, as many as the text needs."""
    if text.isascii():
        return text
    return between.join(Header(text, "utf-8", maxlinelen=72).encode().split())


def _phrase(address: Address) -> str:
    return f"{_encoded(address.name, ' ')} <{address.address}>" if address.name else address.address


def _alternatives(mail: OutgoingMail) -> Message:
    html: Message = MIMEText(mail.html, "html", "utf-8")
    pictures = [attachment for attachment in mail.attachments if attachment.content_id]
    if pictures:
        html = _around("related", [html, *(_picture(picture) for picture in pictures)])
    return _around("alternative", [MIMEText(mail.text, "plain", "utf-8"), html])


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
    name = _encoded(visible(attachment.filename).replace('"', "'").replace("\\", "_"), " ")
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

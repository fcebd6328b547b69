"""Mails as QQ, NetEase and old desktop programs really write them, made by hand so that no library tidies them up."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a mail program labels and encodes."""

    label: str
    """The charset as it is written."""
    codec: str
    """The charset as it is."""
    mailer: str
    word_octets: int = 500
    """Octets in one encoded word: some programs cut inside a character."""
    raw_names: bool = False
    """File names as bare 8-bit octets."""
    hop: str = "smtpbg.example.net"


QQ = Style(label="gb18030", codec="gb18030", mailer="QQMail 2.x")
NETEASE = Style(label="GBK", codec="gbk", mailer="Coremail Webmail Server Version XT5.0.10", word_octets=44)
FOXMAIL = Style(label="utf-8", codec="utf-8", mailer="Foxmail 7.2.19.158[cn]", word_octets=45)
OLD = Style(
    label="gb2312", codec="gb18030", mailer="Foxmail 6, 15, 201, 26 [cn]", word_octets=31, raw_names=True
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a person wrote, and to whom."""

    name: str
    address: str
    to: str
    subject: str
    text: str
    sent_at: datetime
    files: Mapping[str, bytes] = field(default_factory=dict)
    html: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """More headers, above the sender's own: those of the receiving server."""
    style: Style = QQ


def octets(draft: Draft, received_at: datetime) -> bytes:
    """The mail as the receiving server keeps it: CRLF, its own Received on top."""
    seed = hashlib.sha256(f"{draft.address}\n{draft.subject}\n{draft.sent_at}".encode()).hexdigest()
    boundary = f"----=_NextPart_{seed[:8].upper()}_0{seed[8:15].upper()}_{seed[16:24].upper()}"
    head = [*_received(draft, received_at, seed), *draft.headers, *_own(draft, seed)]
    lines = [f"{name}: {value}".encode(draft.style.codec) for name, value in head]
    lines.append(b'Content-Type: multipart/mixed;\r\n\tboundary="' + boundary.encode() + b'"')
    lines += [b"", b"This is a multi-part message in MIME format.", b""]
    for part in (_text(draft, boundary), *(_file(draft, *file) for file in draft.files.items())):
        lines += [b"--" + boundary.encode(), part]
    return b"\r\n".join([*lines, b"--" + boundary.encode() + b"--", b""])


def words(text: str, style: Style) -> str:
    """RFC 2047 encoded words, as the program cuts them."""
    if text.isascii():
        return text
    raw = text.encode(style.codec)
    pieces = [raw[at : at + style.word_octets] for at in range(0, len(raw), style.word_octets)]
    return "\r\n ".join(f"=?{style.label}?B?{base64.b64encode(piece).decode()}?=" for piece in pieces)


def _received(draft: Draft, received_at: datetime, seed: str) -> list[tuple[str, str]]:
    """The hop into the mailbox, and QQ's own witness of the time."""
    stamp = int(received_at.timestamp())
    hop = (
        f"from {draft.style.hop} ([203.0.113.{int(seed[:2], 16)}])\r\n\tby newxmmxszc{int(seed[2], 16)}.qq.com (NewMX) "
        f"with SMTP id {seed[24:32].upper()}\r\n\tfor <{draft.to}>; {format_datetime(received_at)}"
    )
    return [("Received", hop), ("X-QQ-mid", f"xmmx{int(seed[2], 16)}t{stamp}t{seed[32:41]}")]


def _own(draft: Draft, seed: str) -> list[tuple[str, str]]:
    """The headers of the sender's program."""
    domain = draft.address.rpartition("@")[2]
    return [
        ("From", f'"{words(draft.name, draft.style)}" <{draft.address}>'),
        ("To", f'"{draft.to.partition("@")[0]}" <{draft.to}>'),
        ("Subject", words(draft.subject, draft.style)),
        ("Date", format_datetime(draft.sent_at)),
        ("Message-ID", f"<tencent_{seed[40:60].upper()}@{domain}>"),
        ("X-Priority", "3"),
        ("X-Mailer", draft.style.mailer),
        ("MIME-Version", "1.0"),
    ]


def _text(draft: Draft, boundary: str) -> bytes:
    """Text and HTML side by side."""
    inner = f"{boundary}_A".encode()
    html = draft.html or f"<div>{draft.text.replace(chr(10), '<br>')}</div>"
    lines = [b'Content-Type: multipart/alternative;\r\n\tboundary="' + inner + b'"', b""]
    for kind, text in (("plain", draft.text), ("html", html)):
        lines += [
            b"--" + inner,
            f'Content-Type: text/{kind};\r\n\tcharset="{draft.style.label}"'.encode(),
            b"Content-Transfer-Encoding: base64",
            b"",
            base64.encodebytes(text.encode(draft.style.codec)).replace(b"\n", b"\r\n"),
        ]
    return b"\r\n".join([*lines, b"--" + inner + b"--", b""])


def _file(draft: Draft, name: str, data: bytes) -> bytes:
    """An attachment; QQ puts the encoded words inside the quotes."""
    style = draft.style
    shown = name if style.raw_names else words(name, style)
    head = (
        f'Content-Type: application/octet-stream;\r\n\tcharset="{style.label}";\r\n\tname="{shown}"\r\n'
        f'Content-Disposition: attachment; filename="{shown}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    return head.encode(style.codec) + base64.encodebytes(data).replace(b"\n", b"\r\n")

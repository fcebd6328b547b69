"""Mails written octet by octet, as the programs that are remembered here write them."""

from __future__ import annotations

import base64

from mailbot.mail.parse import ParsedMail, parse

OWN = frozenset({"societies@example.org", "enterprises@example.org"})


def read(octets: bytes, authserv_id: str | None = None) -> ParsedMail:
    return parse(octets, authserv_id=authserv_id, own_addresses=OWN)


def mail(
    *headers: str | bytes,
    body: bytes = "您好".encode(),
    kind: str = "text/plain; charset=utf-8",
    sender: str = "zhang@society.example.com",
) -> bytes:
    """A mail of one part; later headers of a name stand below earlier ones."""
    given = [h.encode() if isinstance(h, str) else h for h in headers]
    names = {h.partition(b":")[0].lower() for h in given}
    usual = [
        h
        for name, h in (
            (b"from", f"From: <{sender}>".encode()),
            (b"to", b"To: societies@example.org"),
            (b"message-id", b"Message-ID: <1@society.example.com>"),
            (b"date", b"Date: Thu, 14 Jan 2021 09:12:03 +0800"),
            (b"content-type", f"Content-Type: {kind}".encode()),
        )
        if name not in names
    ]
    return b"\r\n".join((*given, *usual, b"MIME-Version: 1.0", b"", body))


def part(kind: str, data: bytes, *headers: str | bytes, encoding: str = "base64") -> bytes:
    given = [h.encode() if isinstance(h, str) else h for h in headers]
    content = base64.encodebytes(data) if encoding == "base64" else data
    return b"\r\n".join(
        (
            f"Content-Type: {kind}".encode(),
            f"Content-Transfer-Encoding: {encoding}".encode(),
            *given,
            b"",
            content,
        )
    )


def attached(data: bytes, disposition: bytes, kind: str = "application/octet-stream") -> bytes:
    return part(kind, data, b"Content-Disposition: " + disposition)


def multipart(*parts: bytes, headers: tuple[str | bytes, ...] = (), kind: str = "mixed") -> bytes:
    return mail(
        *headers,
        f"Content-Type: multipart/{kind}; boundary=B-{kind}",
        body=joined(*parts, boundary=f"B-{kind}"),
    )


def joined(*parts: bytes, boundary: str) -> bytes:
    delimiter = f"--{boundary}".encode()
    return b"".join(delimiter + b"\r\n" + p + b"\r\n" for p in parts) + delimiter + b"--\r\n"


def nested(*parts: bytes, kind: str) -> bytes:
    """A multipart within another one."""
    return f"Content-Type: multipart/{kind}; boundary=B-{kind}\r\n\r\n".encode() + joined(
        *parts, boundary=f"B-{kind}"
    )


TEXT = part("text/plain; charset=utf-8", "见附件".encode())
XLSX = b"PK\x03\x04 octets of a workbook"

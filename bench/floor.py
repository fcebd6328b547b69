"""The floor: a bare intake in Python that does nothing it could leave out, and judges nothing.

Fetches in batches, keeps each mail with fsync, splits MIME as little as possible, reads forms with calamine and
pypdfium2 in one other process, commits once a batch, and answers over one SMTP connection.

`floor.py IMAP_PORT SMTP_PORT ADDRESS PASSWORD DIRECTORY`
"""

from __future__ import annotations

import base64
import hashlib
import imaplib
import io
import os
import re
import smtplib
import sqlite3
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

_BATCH = 50
_PART = re.compile(
    rb"\nContent-Disposition: attachment(?:[^\r\n]|\r?\n[ \t])*\r?\n(?:[^\r\n]+\r?\n)*\r?\n([A-Za-z0-9+/=\r\n]+)"
)


def main(imap_port: int, smtp_port: int, address: str, password: str, directory: Path) -> None:
    database = sqlite3.connect(directory / "floor.db")
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE m (sha TEXT, chars INT)"
    )
    imap = imaplib.IMAP4("127.0.0.1", imap_port)
    imap.login(address, password)
    _, (exists,) = imap.select("INBOX", readonly=True)
    with ProcessPoolExecutor(1) as reader, smtplib.SMTP("127.0.0.1", smtp_port) as smtp:
        smtp.login(address, password)
        pending: list[tuple[list[str], Future[list[int]]]] = []
        last = int(exists or b"0")
        for first in range(1, last + 1, _BATCH):
            _, answer = imap.fetch(f"{first}:{min(first + _BATCH - 1, last)}", "(BODY.PEEK[])")
            mails = [item[1] for item in answer if isinstance(item, tuple)]
            hashes = [_keep(mail, directory) for mail in mails]
            pending.append((hashes, reader.submit(_read_all, mails)))
            if len(pending) > 1:
                _finish(*pending.pop(0), database, smtp, address)
        for hashes, reading in pending:
            _finish(hashes, reading, database, smtp, address)
    imap.logout()


def _keep(mail: bytes, directory: Path) -> str:
    sha = hashlib.sha256(mail).hexdigest()
    with (directory / sha).open("wb") as file:
        file.write(mail)
        file.flush()
        os.fsync(file.fileno())
    return sha


def _read_all(mails: list[bytes]) -> list[int]:
    return [_read(mail) for mail in mails]


def _read(mail: bytes) -> int:
    import pypdfium2
    from python_calamine import CalamineWorkbook

    for part in _PART.finditer(mail):
        data = base64.b64decode(part[1])
        if data.startswith(b"%PDF"):
            pdf = pypdfium2.PdfDocument(data)
            return sum(len(page.get_textpage().get_text_range()) for page in pdf)
        if b"xl/workbook.xml" in data:
            sheet = CalamineWorkbook.from_object(io.BytesIO(data)).get_sheet_by_index(0)
            return sum(len(str(cell)) for row in sheet.to_python() for cell in row)
    raise ValueError("a mail without a form")


def _finish(
    hashes: list[str],
    reading: Future[list[int]],
    database: sqlite3.Connection,
    smtp: smtplib.SMTP,
    address: str,
) -> None:
    with database:
        database.executemany("INSERT INTO m VALUES (?, ?)", zip(hashes, reading.result(), strict=True))
    for sha in hashes:
        smtp.sendmail(address, ["office@example.com"], f"From: {address}\r\nSubject: {sha[:8]}\r\n\r\nok\r\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], Path(sys.argv[5]))

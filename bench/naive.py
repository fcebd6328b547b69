"""The script people write: log in, read every mail, open its attachments, answer; one after the other.

`naive.py IMAP_PORT SMTP_PORT ADDRESS PASSWORD`
"""

from __future__ import annotations

import email
import imaplib
import io
import smtplib
import sys
from email.message import EmailMessage, Message
from email.policy import default


def main(imap_port: int, smtp_port: int, address: str, password: str) -> None:
    imap = imaplib.IMAP4("127.0.0.1", imap_port)
    imap.login(address, password)
    imap.select("INBOX", readonly=True)
    _, (numbers,) = imap.search(None, "ALL")
    for number in (numbers or b"").decode().split():
        _, fetched = imap.fetch(number, "(BODY.PEEK[])")
        octets = next(bytes(part[1]) for part in fetched if isinstance(part, tuple))
        message = email.message_from_bytes(octets, policy=default)
        answer(message, total_of(message), smtp_port, address, password)
    imap.logout()


def total_of(message: Message) -> float:
    total = 0.0
    for part in message.walk():
        name = str(part.get_filename() or "")
        data = part.get_payload(decode=True)
        if isinstance(data, bytes) and name.endswith(".xlsx"):
            total = xlsx_total(data)
        elif isinstance(data, bytes) and name.endswith(".pdf"):
            total = pdf_total(data)
    return total


def xlsx_total(data: bytes) -> float:
    import openpyxl

    sheet = openpyxl.load_workbook(io.BytesIO(data), data_only=True).worksheets[0]
    scores = [row[5] for row in sheet.iter_rows(min_row=4, values_only=True)]
    return sum(float(score) for score in scores[:-1] if isinstance(score, int | float))


def pdf_total(data: bytes) -> float:
    import pdfplumber

    total = 0.0
    with pdfplumber.open(io.BytesIO(data)) as pdf:
        for page in pdf.pages:
            for table in page.extract_tables():
                total += sum(float(r[5]) for r in table if r[0] and r[0].isdigit() and r[5])
    return total


def answer(message: Message, total: float, smtp_port: int, address: str, password: str) -> None:
    reply = EmailMessage()
    reply["From"], reply["To"] = address, str(message["From"])
    reply["Subject"] = f"Re: {message['Subject']}"
    reply.set_content(f"已收到，合计 {total} 分。")
    with smtplib.SMTP("127.0.0.1", smtp_port) as smtp:
        smtp.login(address, password)
        smtp.send_message(reply)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])

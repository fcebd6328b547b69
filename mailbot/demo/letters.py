"""The letters that the demo's submission server took, as files that a person can open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from mailbot.demo.servers import SentMail
from mailbot.records import MessageRecord

_UNSAFE = re.compile(r"[^\w.\-]+")


def write_letters(
    directory: Path, taken: Sequence[SentMail], messages: Sequence[MessageRecord]
) -> tuple[Path, ...]:
    """Write each mail as .eml, its HTML and its attachments; returns the directory and the HTML pages."""
    directory.mkdir(parents=True, exist_ok=True)
    names = {reply.message_id: (reply.kind.value, m) for m in messages for reply in m.replies}
    pages = []
    for number, mail in enumerate(taken, 1):
        message = message_from_bytes(mail.octets, policy=default)
        kind, answered = names.get(str(message["Message-ID"]), ("staff", None))
        whose = (answered.organization or answered.sender) if answered else "digest"
        stem = _UNSAFE.sub("-", f"{number:02d}-{kind}-{whose}")
        (directory / f"{stem}.eml").write_bytes(mail.octets)
        for suffix, content in _parts(message):
            (directory / f"{stem}{suffix}").write_bytes(content)
            if suffix == ".html":
                pages.append(directory / f"{stem}.html")
    return (directory, *pages)


def _parts(message: EmailMessage) -> Iterator[tuple[str, bytes]]:
    html = message.get_body(("html",))
    if html is not None:
        yield ".html", html.get_content().encode()
    for attachment in message.iter_attachments():
        content = attachment.get_content()
        if isinstance(content, bytes) and (suffix := Path(attachment.get_filename() or "").suffix):
            yield suffix, content

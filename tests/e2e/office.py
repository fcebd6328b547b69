"""An office for the tests: two mailboxes on real servers on loopback, and mails as societies send them."""

from __future__ import annotations

import email
import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import docx
import pytest
from typer.testing import CliRunner

from mailbot import rubric as rubrics
from mailbot.app import App
from mailbot.cli import app as cli
from mailbot.config import load
from mailbot.demo.servers import ImapServer, SentMail, SmtpServer
from mailbot.mail.smtp import Submission
from mailbot.reports import Reports
from mailbot.store.archive import Archive
from mailbot.store.store import Store
from tests.conftest import ROOT
from tests.forms import writers

CHINA = timezone(timedelta(hours=8))
DEADLINE = datetime(2021, 1, 15, 17, 30, tzinfo=CHINA)
IN_TIME = datetime(2021, 1, 14, 9, 12, 3, tzinfo=CHINA)
ADDRESSES = {"societies": "societies@example.org", "enterprises": "enterprises@example.org"}
WRITES = (
    (Archive, "put_many"),
    (Store, "record_receipts"),
    (Store, "record_decisions"),
    (Store, "begin_sending"),
    (Store, "settle_replies"),
    (Submission, "send"),
)
"""Where a round changes anything: on the disk, in the database, at somebody else's."""
BORDERS = (*WRITES, (Submission, "_data"))
"""The steps of a round between which it may be cut off, the mail's body on the wire apart from its envelope."""
RUBRIC = rubrics.load(ROOT / "rubric" / "2020.toml")
SQLITE = "sqlite:///storage/mailbot.db"
KNOWN, OTHER = "浙江省云岭学会", "浙江省海塘学会"
STRANGER = "浙江省云岑学会"
REGISTRY = f"name,track,aliases,emails\n{KNOWN},society,,office@yunling.example.com\n{OTHER},society,,\n"
Files = Mapping[str, bytes]


@contextmanager
def bordered(
    pass_border: Callable[[], object], steps: Sequence[tuple[type, str]] = BORDERS
) -> Iterator[None]:
    """Within it that is called before and after each of these steps."""

    def surrounded(inner: Callable[..., Any]) -> Callable[..., Any]:
        def work(*args: Any, **kwargs: Any) -> Any:
            pass_border()
            result = inner(*args, **kwargs)
            pass_border()
            return result

        return work

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in steps:
            patch.setattr(owner, name, surrounded(getattr(owner, name)))
        yield


def form(organization: str = "浙江省云岭学会", **changes: Any) -> bytes:
    """A form without a fault; `scores` and `evidence` change single items."""
    scores = writers.full_scores(RUBRIC) | changes.pop("scores", {})
    evidence = writers.some_evidence(RUBRIC) | changes.pop("evidence", {})
    return writers.xlsx_form(RUBRIC, scores, evidence, organization=organization, **changes)


def text_document(title: str, organization: str) -> bytes:
    """A Word file of some paragraphs."""
    document = docx.Document()
    document.add_heading(f"{organization}{title}", level=1)
    for number in range(1, 6):
        document.add_paragraph(
            f"{number}. 学会围绕中心工作，组织学术交流、科学普及和决策咨询，各项任务按计划推进。"
        )
    octets = io.BytesIO()
    document.save(octets)
    return octets.getvalue()


def papers(organization: str = "浙江省云岭学会", **form_changes: Any) -> dict[str, bytes]:
    """All that a society owes."""
    return {
        "自评表.xlsx": form(organization, **form_changes),
        "工作总结.docx": text_document("2020年工作总结", organization),
        "工作计划.docx": text_document("2021年工作计划", organization),
    }


def mail(
    files: Files,
    *,
    sender: str = "office@yunling.example.com",
    subject: str = "2020年度工作总结材料",
    body: str = "您好，材料见附件，请查收。",
    message_id: str = "<1@yunling.example.com>",
    date: datetime = IN_TIME,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A mail with attachments."""
    message = EmailMessage()
    message["From"] = f"学会秘书处 <{sender}>"
    message["To"] = ADDRESSES["societies"]
    message["Subject"] = subject
    message["Date"] = format_datetime(date)
    if message_id:
        message["Message-ID"] = message_id
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(body)
    for name, data in files.items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


@dataclass
class Office:
    """Two mailboxes, a configuration and what was sent."""

    imap: ImapServer
    smtp: SmtpServer
    directory: Path
    database: str = SQLITE

    @property
    def config_path(self) -> Path:
        return self.directory / "config.toml"

    def configure(self, *, replies: str = "min_interval_seconds = 0", more: str = "", top: str = "") -> None:
        """Write the configuration; `top` goes into [campaign], `more` stands at the end."""
        mailboxes = "".join(self._mailbox(name) for name in ADDRESSES)
        self.config_path.write_text(
            _CONFIG.format(
                rubric=ROOT / "rubric" / "2020.toml",
                database=self.database,
                replies=replies,
                mailboxes=mailboxes,
                more=more,
                top=top,
            ),
            encoding="utf-8",
        )
        secret = self.directory / "secret"
        secret.write_text("open sesame")
        secret.chmod(0o600)

    def _mailbox(self, name: str) -> str:
        requires = '["form", "summary", "plan"]' if name == "societies" else '["summary", "plan"]'
        return _MAILBOX.format(
            name=name,
            track="society" if name == "societies" else "enterprise",
            address=ADDRESSES[name],
            requires=requires,
            imap_port=self.imap.port,
            smtp_port=self.smtp.port,
        )

    def deliver(
        self, octets: bytes, at: datetime = IN_TIME, *, mailbox: str = "societies", folder: str = "INBOX"
    ) -> int:
        return self.imap.deliver(ADDRESSES[mailbox], octets, at, folder)

    @contextmanager
    def opened(self) -> Iterator[App]:
        with App.open(load(self.config_path)) as app:
            yield app

    def round(self) -> bool:
        """One round, as `mailbot run --once` does it."""
        with self.opened() as app:
            return app.run(once=True)

    def export(self) -> dict[str, Any]:
        """The JSON export."""
        path = self.directory / "export.json"
        with self.opened() as app:
            Reports(app).export("json", path)
        exported: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return exported

    def outcomes(self) -> list[str]:
        return [message["outcome"] for message in self.export()["messages"]]

    def codes(self, index: int = 0) -> set[str]:
        return {finding["code"] for finding in self.export()["messages"][index]["findings"]}

    @property
    def sent(self) -> tuple[SentMail, ...]:
        return self.smtp.taken

    def sent_ids(self) -> Counter[str]:
        """How often each of our Message-IDs was accepted by the server."""
        return Counter(str(email.message_from_bytes(one.octets)["Message-ID"]) for one in self.sent)


@contextmanager
def open_office(directory: Path, database: str = SQLITE) -> Iterator[Office]:
    """An office with running servers; accepted mail is laid into the Sent folder, as QQ does."""
    accounts = dict.fromkeys(ADDRESSES.values(), "open sesame")
    with ImapServer(accounts) as imap:

        def keep(one: SentMail) -> None:
            imap.deliver(one.envelope_from, one.octets, IN_TIME, "Sent Messages")

        with SmtpServer(accounts, on_taken=keep) as smtp:
            office = Office(imap=imap, smtp=smtp, directory=directory, database=database)
            office.configure()
            yield office


@contextmanager
def staying(config: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`mailbot run` in a process of its own, which does not outlive the block."""
    command = [sys.executable, "-m", "mailbot", "run", "--config", str(config)]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stderr=subprocess.PIPE, text=True) as worker:
        try:
            yield worker
        finally:
            worker.kill()


def comes_true(what: Callable[[], object]) -> bool:
    """Whether it does within a minute."""
    until = time.monotonic() + 60
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


_CONFIG = """\
[campaign]
name = "2020"
title = "2020年度省级学会和省属企业科协工作总结"
notice = "浙科协学发〔2020〕27号"
opens = 2020-12-29T00:00:00+08:00
deadline = 2021-01-15T17:30:00+08:00
timezone = "Asia/Shanghai"
rubric = "{rubric}"
{top}
[storage]
directory = "storage"
database = "{database}"
[staff]
digest_to = ["staff@example.org"]
[replies]
{replies}
{mailboxes}
{more}
"""
_MAILBOX = """
[[mailbox]]
name = "{name}"
track = "{track}"
address = "{address}"
requires = {requires}
[mailbox.imap]
host = "127.0.0.1"
port = {imap_port}
tls = "none"
username = "{address}"
password_file = "secret"
junk_folder = "Junk"
[mailbox.smtp]
host = "127.0.0.1"
port = {smtp_port}
tls = "none"
username = "{address}"
password_file = "secret"
[mailbox.contact]
name = "章伟"
phone = "0571-88091396"
"""


def run(office: Office, *arguments: str, status: int = 0) -> str:
    """What a command says that ends with that status."""
    result = CliRunner(env={"COLUMNS": "140"}).invoke(cli, [*arguments, "--config", str(office.config_path)])
    assert result.exit_code == status, result.output
    return result.output

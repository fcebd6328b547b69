"""The demo: a week of the campaign on embedded mail servers, driven as an operator's cron would drive it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from mailbot.app import App
from mailbot.config import load
from mailbot.demo.forms import DATA
from mailbot.demo.letters import write_letters
from mailbot.demo.samples import ADDRESSES, Sample, january, samples
from mailbot.demo.servers import ImapServer, SentMail, SmtpServer
from mailbot.errors import UsageError
from mailbot.log import writing_to
from mailbot.records import MessageRecord
from mailbot.reports import Reports
from mailbot.rubric_file import of_the_notice
from mailbot.settle import Step

_PASSWORD = "abcdefghijklmnop"  # noqa: S105
_MARK = "# Made by `mailbot demo`."
_ROUNDS = (
    january(11, 18, 0),
    january(12, 18, 0),
    january(13, 18, 0),
    january(14, 18, 0),
    january(15, 12, 0),
    january(15, 18, 0),
)
"""When the rounds are run; each finds what has come since the one before."""


class DemoClock:
    """A clock that is set to the time of each round and goes on from there."""

    def __init__(self, now: datetime) -> None:
        self.set(now)

    def __call__(self) -> datetime:
        return self._from + timedelta(seconds=time.monotonic() - self._since)

    def set(self, now: datetime) -> None:
        """Put the clock forward."""
        self._from, self._since = now.astimezone(UTC), time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrived:
    """A sample that was delivered, and where it lies."""

    sample: Sample
    uid: int


def run_demo(output: Path, console: Console | None = None) -> int:
    """Run the demo into a directory, which is made afresh; 0 where everything became what it should.

    Raises UsageError where the directory holds anything but an earlier demo.
    """
    console = console or Console()
    _start_afresh(output)
    accounts = dict.fromkeys(ADDRESSES.values(), _PASSWORD)
    clock = DemoClock(_ROUNDS[0])
    with ImapServer(accounts) as imap:

        def into_sent(mail: SentMail) -> None:
            imap.deliver(mail.envelope_from, mail.octets, clock(), "Sent Messages", "\\Seen")

        with (
            SmtpServer(accounts, on_taken=into_sent) as smtp,
            _logging_to(output / "mailbot.log"),
            App.open(load(_write_config(output, imap.port, smtp.port)), clock=clock) as app,
        ):
            arrived = _campaign(app, imap, clock, samples(app.rubric), console)
            quiet = _nothing_new(app, smtp)
            _, files = Reports(app).digest(send=True, directory=output)
            Reports(app).export("json", output / "export.json")
            records = {(m.mailbox, m.folder, m.uid): m for m in app.store.messages()}
            written = write_letters(output / "letters", smtp.taken, tuple(records.values()))
            became = [(each, records.get(_place(each))) for each in arrived]
            console.print(_table(became))
            return _conclusion(console, became, quiet, (*files, *written), output)


def _start_afresh(output: Path) -> None:
    """Remove an earlier demo, and nothing else."""
    if output.exists():
        config = output / "config.toml"
        if not output.is_dir() or (any(output.iterdir()) and not _is_demo(config)):
            raise UsageError(f"{output}: is not an earlier demo's directory; name another with --output")
        shutil.rmtree(output)
    output.mkdir(parents=True)


def _rubric() -> Path:
    path = of_the_notice()
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file here; run the demo in the project's directory")
    return path


def _is_demo(config: Path) -> bool:
    return config.is_file() and config.read_text(encoding="utf-8").startswith(_MARK)


def _write_config(output: Path, imap_port: int, smtp_port: int) -> Path:
    shutil.copyfile(_rubric(), output / "rubric.toml")
    shutil.copyfile(DATA / "organizations.csv", output / "organizations.csv")
    password = output / "password"
    password.touch(mode=0o600)
    password.write_text(_PASSWORD, encoding="utf-8")
    template = Template((DATA / "config.toml").read_text(encoding="utf-8"))
    config = output / "config.toml"
    config.write_text(
        template.substitute(imap_port=imap_port, smtp_port=smtp_port, directory=output), encoding="utf-8"
    )
    return config


@contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """The log into a file, so that it does not run through the picture."""
    with path.open("w", encoding="utf-8") as stream, writing_to(stream):
        yield


def _campaign(
    app: App, imap: ImapServer, clock: DemoClock, mails: Sequence[Sample], console: Console
) -> list[_Arrived]:
    """Deliver each round's mails and run the round."""
    arrived: list[_Arrived] = []
    with _progress(console) as progress:
        bar = progress.add_task("", total=len(mails))

        def count(step: Step, _message: int) -> None:
            if step is Step.COMMITTED:
                progress.advance(bar)

        app.observe = count
        for at in _ROUNDS:
            clock.set(at)
            progress.update(bar, description=f"{at:%d %B %H:%M}")
            for sample in mails[len(arrived) :]:
                if sample.internaldate > at:
                    break
                uid = imap.deliver(
                    ADDRESSES[sample.mailbox], sample.octets, sample.internaldate, sample.folder
                )
                arrived.append(_Arrived(sample=sample, uid=uid))
            app.run(once=True)
    return arrived


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("mails decided"),
    )
    return Progress(*columns, console=console)


def _nothing_new(app: App, smtp: SmtpServer) -> bool:
    """Whether one more round over the unchanged mailboxes sends nothing."""
    before = len(smtp.taken)
    app.run(once=True)
    return len(smtp.taken) == before


def _place(each: _Arrived) -> tuple[str, str, int]:
    return each.sample.mailbox, each.sample.folder, each.uid


def _as_expected(each: _Arrived, record: MessageRecord | None) -> bool:
    return record is not None and record.outcome is each.sample.expected


def _table(became: Sequence[tuple[_Arrived, MessageRecord | None]]) -> Table:
    table = Table(title="What became of each mail")
    for column in ("received", "mailbox", "outcome"):
        table.add_column(column, no_wrap=True)
    table.add_column("the mail, and its letter", overflow="fold")
    for each, record in became:
        letters = [escape(f"→ {reply.subject}") for reply in record.replies] if record else []
        table.add_row(
            f"{each.sample.internaldate:%m-%d %H:%M:%S}",
            each.sample.mailbox if each.sample.folder == "INBOX" else each.sample.folder,
            _outcome(each, record),
            "\n".join((escape(each.sample.what), *letters)),
        )
    return table


def _outcome(each: _Arrived, record: MessageRecord | None) -> str:
    outcome = record.outcome.value if record and record.outcome else "none"
    if _as_expected(each, record):
        return f"[green]{outcome}[/]"
    return f"[red]{outcome}, not\n{each.sample.expected.value}[/]"


def _conclusion(
    console: Console,
    became: Sequence[tuple[_Arrived, MessageRecord | None]],
    quiet: bool,
    files: Sequence[Path],
    output: Path,
) -> int:
    right = sum(_as_expected(each, record) for each, record in became)
    console.print(f"{right} of {len(became)} mails became what was expected.")
    console.print(
        "One more round over the unchanged mailboxes sent " + ("nothing." if quiet else "mail again!")
    )
    console.print("To look at:")
    for file in files:
        console.print(f"  {file}", soft_wrap=True, highlight=False)
    console.print(f"  {output / 'export.json'}\n  {output / 'mailbot.log'}", soft_wrap=True, highlight=False)
    console.print(
        f"Or ask it:  mailbot status --config {output / 'config.toml'}", soft_wrap=True, highlight=False
    )
    return 0 if right == len(became) and quiet else 1

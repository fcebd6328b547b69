"""The commands: one short function each. No logic; each imports only what it needs, so that it starts at once."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from mailbot.commandline import (
    CONFIG,
    FAULTY,
    OK,
    TEMPFAIL,
    WRONG,
    ConfigOption,
    exit_statuses,
    load,
    load_if_there,
    opened_app,
    opened_reports,
    target,
)
from mailbot.log import writing_to

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="The configuration file, also after the command.")
    ] = None,
) -> None:
    """E-mail intake for an office that collects yearly reports."""
    context.with_resource(writing_to(sys.stderr))
    context.obj = config
    if version:
        from importlib import metadata

        typer.echo(f"mailbot {metadata.version('mailbot')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(WRONG)


class ReadFormat(StrEnum):
    TABLE = "table"
    JSON = "json"


class ExportFormat(StrEnum):
    JSON = "json"
    XLSX = "xlsx"
    CSV = "csv"


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Where the demo puts what it makes.")] = Path("demo-output"),
    _config: ConfigOption = CONFIG,
) -> None:
    """The whole job on sample mails, on an embedded mail server.

    No account, no network; the demo brings a configuration of its own, whatever --config names.
    """
    from mailbot.demo.run import run_demo

    with exit_statuses():
        raise typer.Exit(run_demo(output))


@app.command()
def check(config: ConfigOption = CONFIG) -> None:
    """Try configuration, storage, database and each login.

    Says what to mend.
    """
    from mailbot.check import Mark
    from mailbot.check import check as trials
    from mailbot.opened import utc_now

    with exit_statuses():
        marks = set()
        for result in trials(load(config), utc_now):
            marks.add(result.mark)
            typer.echo(f"{result.mark.value:<10}{result.what}{': ' if result.said else ''}{result.said}")
        if Mark.FAULT in marks:
            raise typer.Exit(WRONG)
        raise typer.Exit(TEMPFAIL if Mark.UNREACHED in marks else OK)


@app.command()
def run(
    config: ConfigOption = CONFIG,
    once: Annotated[bool, typer.Option("--once", help="One round, then exit (for cron); no digest.")] = False,
) -> None:
    """The worker: stay, wait for mail, send the digest at its hour."""
    from mailbot.app import App

    with exit_statuses(), App.open_to_work(load(config, mail=True)) as mailbot:
        good = mailbot.run(once=once)
    if mailbot.starts_anew:
        from mailbot.changes import start_anew

        start_anew()
    raise typer.Exit(OK if good else TEMPFAIL)


@app.command()
def ingest(
    paths: Annotated[list[Path], typer.Argument(help=".eml and mbox files, Maildir folders.")],
    mailbox: Annotated[str, typer.Option(help="Name of the mailbox that they came to.")],
    config: ConfigOption = CONFIG,
) -> None:
    """The same pipeline over mails from files.

    Replies are queued for the next round.
    """
    with opened_app(config) as mailbot:
        seen, new = mailbot.ingest(mailbox, paths)
        typer.echo(f"{seen} mails, {new} of them new")


@app.command()
def read(
    file: Annotated[Path, typer.Argument(help="A spreadsheet, Word file, PDF, scan or archive.")],
    output: Annotated[ReadFormat, typer.Option("--format", help="How to show it.")] = ReadFormat.TABLE,
    rubric: Annotated[
        Path | None,
        typer.Option(help="The rubric.", show_default="the configuration's, else rubric/2020.toml"),
    ] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Read and score one document; nothing is stored or sent."""
    from mailbot import rubric as rubrics
    from mailbot.documents.scanner import Scanner
    from mailbot.reader import read_document
    from mailbot.report.status import read_json_text, reading_text
    from mailbot.rubric_file import of_the_notice

    with exit_statuses():
        loaded, registry = load_if_there(config)
        path = rubric or (loaded.campaign.rubric if loaded else of_the_notice())
        form = rubrics.load(path)
        limits, clamd = (loaded.limits, loaded.scanner and loaded.scanner.clamd) if loaded else (None, None)
        reading = read_document(file, path, limits, registry, Scanner(clamd) if clamd else None)
        show_it = read_json_text if output is ReadFormat.JSON else reading_text
        typer.echo(show_it(reading, form, clamd or ""))


@app.command()
def status(config: ConfigOption = CONFIG) -> None:
    """Where the campaign stands."""
    from mailbot.report.status import to_text

    with opened_reports(config) as reports:
        typer.echo(to_text(reports.status()))


@app.command()
def show(organization: str, config: ConfigOption = CONFIG) -> None:
    """One organization's whole file."""
    from mailbot.report.status import to_text

    with opened_reports(config) as reports:
        typer.echo(to_text(reports.file_of(organization)))


@app.command()
def digest(
    config: ConfigOption = CONFIG,
    date: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The digest as at the end of that day."),
    ] = None,
    send: Annotated[bool, typer.Option("--send", help="Mail it to staff.digest_to.")] = False,
    output: Annotated[Path | None, typer.Option(help="Write it into this directory.")] = None,
) -> None:
    """The staff's daily digest: printed, written or sent."""
    with opened_reports(config, mail=send) as reports:
        made, files = reports.digest(date.date() if date else None, send=send, directory=output)
        typer.echo("\n".join(map(str, files)) or made.text)


@app.command()
def remind(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show who would be reminded now, and how; send nothing.")
    ] = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Remind whose submission is not complete, on the days for it.

    Those of the registry, on the days of reminders.days.
    """
    with opened_app(config, mail=not dry_run) as mailbot:
        if dry_run:
            letters = list(mailbot.reminder_letters())
            for to, letter in letters:
                typer.echo(f"To: {', '.join(to)}\nSubject: {letter.subject}\n\n{letter.text}\n{'-' * 72}")
            typer.echo(f"{len(letters)} organizations would be reminded now; nothing was sent")
            return
        sent, day = mailbot.remind()
        nothing = f"no reminders now; their next day: {day or 'none is left'}"
        typer.echo(f"{sent} reminders" if sent else nothing)


@app.command()
def report(
    output: Annotated[Path, typer.Option(help="The directory for the pages.")],
    config: ConfigOption = CONFIG,
) -> None:
    """Pages to look at and to print: an overview, one an organization."""
    with opened_reports(config) as reports:
        typer.echo(reports.report(output))


@app.command()
def export(
    output_format: Annotated[
        ExportFormat, typer.Option("--format", help="json, or the 汇总表 as xlsx or csv.")
    ],
    output: Annotated[
        Path | None, typer.Option(help="The file; without it or for -, standard output.")
    ] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Everything as JSON; the 汇总表 as a workbook or csv."""
    with opened_reports(config) as reports:
        reports.export(output_format.value, target(output))


@app.command()
def verify(
    against: Annotated[
        Path | None, typer.Option(help="An exported ledger: the one here must still begin with it.")
    ] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Prove archive, database, ledger and books.

    Exit status 1 where something does not hold.
    """
    from mailbot.opened import Opened
    from mailbot.verify import differences, verify

    with exit_statuses(), Opened.open(load(config)) as opened:
        proof = verify(opened.store, opened.archive, now=opened.clock())
        behind = opened.behind()
        faults = (
            *([behind] if behind else []),
            *proof.faults,
            *(differences(against, opened.store) if against else ()),
        )
        for fault in faults:
            typer.echo(fault)
        typer.echo(
            f"{proof.mails} mails, {proof.replies} replies, {proof.links} links, newest {proof.head or '—'}"
        )
        if faults:
            raise typer.Exit(FAULTY)
        typer.echo("all of it holds")


@app.command()
def ledger(
    output: Annotated[
        Path | None, typer.Option(help="The file; without it or for -, standard output.")
    ] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """The ledger as JSON lines, in a chain of hashes.

    What was received, decided and sent.
    """
    with opened_reports(config) as reports:
        reports.export_ledger(target(output))


@app.command()
def paper(
    organization: str,
    received: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The day on which it came.")],
    sealed: Annotated[bool, typer.Option("--sealed", help="It bears the organization's seal.")] = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Note that an organization's paper copy came."""
    with opened_app(config) as mailbot:
        noted = mailbot.desk.paper(organization, received.date(), sealed=sealed)
        typer.echo(f"{noted.name}: {received:%Y-%m-%d}{', sealed' if sealed else ', not sealed'}")


@app.command("import")
def import_(
    workbook: Annotated[
        Path, typer.Argument(help="The 汇总表 with 纸质件, 考核分, 备注 or the sheet 待核对 filled in.")
    ],
    yes: Annotated[
        bool, typer.Option("--yes", help="Keep the changes; without it they are only shown.")
    ] = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Take back what staff filled in the 汇总表."""
    with opened_app(config) as mailbot:
        returned = mailbot.desk.take_back(workbook, write=yes)
        for change in returned.changes:
            typer.echo(f"{change.organization}  {'; '.join(change.lines)}")
        for verdict in returned.verdicts:
            typer.echo(f"mail {verdict.message}  {verdict.words}")
            if yes:
                typer.echo(mailbot.desk.outcome_of(verdict.message))
        kept = "kept" if yes else "nothing kept; --yes keeps them"
        said = f"{len(returned.changes)} organizations change, {len(returned.verdicts)} mails are decided; {kept}"
        typer.echo(said if returned.changes or returned.verdicts else "nothing changes")


@app.command()
def review(
    number: Annotated[
        int | None, typer.Argument(help="The mail's number; without it, all that waits.")
    ] = None,
    *,
    organization: Annotated[str | None, typer.Option(help="It is this organization's.")] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Take what came as it is.")] = False,
    correct: Annotated[str | None, typer.Option(help="Ask for a correction, with this sentence.")] = None,
    no_submission: Annotated[
        bool, typer.Option("--no-submission", help="A question answered by hand, or spam.")
    ] = False,
    reply: Annotated[int | None, typer.Option(help="Number of a reply that did not go out.")] = None,
    send: Annotated[bool, typer.Option("--send", help="Send that reply.")] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Never send that reply.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Let letters go out again after all sending stopped.")
    ] = False,
    by: Annotated[str, typer.Option(help="Who decides.")] = "",
    why: Annotated[str, typer.Option(help="Why.")] = "",
    config: ConfigOption = CONFIG,
) -> None:
    """What waits for a person, and a person's decision on it."""
    from mailbot.desk import ReplyWish
    from mailbot.records import Wish
    from mailbot.report.status import to_text

    wish = Wish(organization=organization, accept=accept, correct=correct, no_submission=no_submission)
    on_reply = ReplyWish(reply=reply, send=send, drop=drop)
    with opened_app(config) as mailbot:
        desk = mailbot.desk
        said = desk.resume(by=by, why=why) if resume else desk.review(number, wish, on_reply, by=by, why=why)
        typer.echo(said if isinstance(said, str) else to_text(said))


@app.command()
def rebuild(
    exported: Annotated[
        Path | None, typer.Option("--ledger", help="An exported ledger; without it, the database's own.")
    ] = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Make the database again from the archive and the ledger.

    Sends nothing, and keeps the old one.
    """
    from mailbot.opened import utc_now
    from mailbot.rebuild import rebuild

    with exit_statuses():
        made = rebuild(load(config), exported, utc_now())
        for words in made.differences:
            typer.echo(words)
        if made.held:
            typer.echo(f"{len(made.held)} letters that waited are held: mailbot review lists them")
        if made.kept:
            typer.echo(f"the database that was there is kept as {made.kept}")
        typer.echo(f"{made.mails} mails and {made.links} links; now run mailbot verify")


@app.command()
def rescore(
    config: ConfigOption = CONFIG,
    apply: Annotated[bool, typer.Option("--apply", help="Take it over; no letter is written.")] = False,
) -> None:
    """What today's rubric and reader would make of decided mails."""
    from mailbot.opened import utc_now
    from mailbot.rebuild import rescore

    with exit_statuses():
        differing = rescore(load(config), apply=apply, now=utc_now())
        for one in differing:
            typer.echo(f"message {one.message}: {one.words}")
        done = "changed" if apply else "would change"
        typer.echo(f"{len(differing)} messages {done}")

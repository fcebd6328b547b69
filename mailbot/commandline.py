"""What the commands share: the configuration that they are given, and the exit status by which each ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, NoReturn

import typer

from mailbot.errors import ConfigError, ConfigurationError, MailbotError, TemporaryError, UsageError

if TYPE_CHECKING:
    from mailbot.app import App
    from mailbot.config import Config
    from mailbot.registry import Registry
    from mailbot.reports import Reports

OK = 0
FAULTY = 1
"""What was examined is faulty (`verify`), or an error that none of the others is."""
WRONG = 2
"""Wrong usage or configuration: a person must mend it."""
TEMPFAIL = 75
"""Something could not be reached, and the next run goes on (EX_TEMPFAIL of sysexits.h)."""


def _named(context: typer.Context, parameter: typer.CallbackParam, value: Path) -> Path:
    """What was named after the command, else before it, else by MAILBOT_CONFIG."""
    source = context.get_parameter_source(parameter.name or "")
    after = source is not None and source.name == "COMMANDLINE"
    return value if after or context.obj is None else Path(context.obj)


ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        envvar="MAILBOT_CONFIG",
        help="The configuration file.",
        show_default=True,
        callback=_named,
    ),
]
CONFIG = Path("config.toml")


def load(config: Path, *, mail: bool = False) -> Config:
    """The configuration; with every password at hand where `mail` is fetched or sent."""
    from mailbot import config as configuration

    loaded = configuration.load(config)
    if mail:
        loaded.require_passwords()
    return loaded


def load_if_there(config: Path) -> tuple[Config | None, Registry | None]:
    """The configuration and its registry; None where none was named and none lies here."""
    if config == CONFIG and not config.exists():
        return None, None
    from mailbot.organizations import read_organizations
    from mailbot.registry import Registry

    loaded = load(config)
    path = loaded.campaign.organizations
    return loaded, Registry(read_organizations(path)) if path else None


def target(output: Path | None) -> Path | IO[bytes]:
    """Where an export goes: the file that was named, or standard output."""
    return sys.stdout.buffer if output is None or output == Path("-") else output


@contextmanager
def opened_app(config: Path, *, mail: bool = False) -> Iterator[App]:
    """The whole program on its configuration, for a command that changes something. `mail` as with `load`."""
    from mailbot.app import App

    with exit_statuses(), App.open(load(config, mail=mail)) as opened:
        yield opened


@contextmanager
def opened_reports(config: Path, *, mail: bool = False) -> Iterator[Reports]:
    """What the staff look at; with `mail` it is also sent, and every password is at hand."""
    from mailbot.opened import Opened
    from mailbot.reports import Reports

    with exit_statuses(), Opened.open(load(config, mail=mail)) as opened:
        if mail:
            opened.bear_witness()
        elif behind := opened.behind():
            typer.echo(f"mailbot: {behind}", err=True)
        yield Reports(opened)


@contextmanager
def exit_statuses() -> Iterator[None]:
    """Ends the command with the exit status and the words for every error that is raised on purpose."""
    try:
        yield
    except (ConfigurationError, ConfigError, UsageError) as error:
        _end(str(error), WRONG, error)
    except TemporaryError as error:
        _end(f"{error}; the next run picks up what is left", TEMPFAIL, error)
    except MailbotError as error:
        _end(str(error), FAULTY, error)


def _end(words: str, code: int, cause: Exception) -> NoReturn:
    typer.echo(f"mailbot: {words}", err=True)
    raise typer.Exit(code) from cause

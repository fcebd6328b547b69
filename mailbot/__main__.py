"""`python -m mailbot` and the command `mailbot`."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from io import TextIOWrapper
from typing import NoReturn

from mailbot.cli import app
from mailbot.commandline import FAULTY, TEMPFAIL

_OBJECTS_TO_COLLECTION = 20_000
"""Python looks for garbage after every 700 new objects: most of what is made here at the start stays for good."""


def main() -> None:
    """The entry point."""
    gc.set_threshold(_OBJECTS_TO_COLLECTION)
    atexit.register(gc.freeze)  # at the end Python looks through all that there is once more
    os.environ.setdefault(
        "PYDANTIC_DISABLE_PLUGINS", "__all__"
    )  # each start would look for some in all packages
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    _leave_what_is_closed_to_us()
    try:
        try:
            app()
        finally:
            if sys.stdout:
                sys.stdout.flush()
    except OSError as error:
        _end_unwritten(error)


def _leave_what_is_closed_to_us() -> None:
    """Root's working directory may be closed to the user that the service runs as, and no child starts in such."""
    if not os.access(os.curdir, os.X_OK):
        os.chdir("/")


def _end_unwritten(error: OSError) -> NoReturn:
    """Ends where the system refused something, standard output most likely; no second try at exit."""
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        sys.exit(FAULTY)
    print(f"mailbot: {error}", file=sys.stderr)
    sys.exit(TEMPFAIL)


if __name__ == "__main__":
    main()

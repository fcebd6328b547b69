"""A worker that kills itself (SIGKILL) at the n-th border between two steps: `killed_worker.py CONFIG N`."""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from pathlib import Path

from mailbot import outbox
from mailbot.app import App
from mailbot.config import load
from mailbot.mail.smtp import Submission
from tests.e2e.office import WRITES


def main(config: Path, border: int) -> int:
    borders = count(1)

    def pass_border(*_: object) -> None:
        if next(borders) == border:
            os.kill(os.getpid(), signal.SIGKILL)

    _watch_store_and_outbox(pass_border)
    with App.open(load(config)) as app:
        app.observe = pass_border
        app.run(once=True)
    return next(borders) - 1


def _watch_store_and_outbox(pass_border: object) -> None:
    """Borders that the intake's observer does not see: around each write, and around each sending."""
    for owner, name in (*WRITES, (Submission, "_data"), (outbox.Outbox, "_recover")):
        _surround(owner, name, pass_border)


def _surround(owner: type, name: str, pass_border: object) -> None:
    inner = getattr(owner, name)

    def surrounded(*args: object, **kwargs: object) -> object:
        pass_border()  # type: ignore[operator]
        result = inner(*args, **kwargs)
        pass_border()  # type: ignore[operator]
        return result

    setattr(owner, name, surrounded)


if __name__ == "__main__":
    sys.exit(0 if main(Path(sys.argv[1]), int(sys.argv[2])) < int(sys.argv[2]) else 1)

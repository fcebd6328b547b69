"""A worker that kills itself (SIGKILL) at the n-th border between two steps: `killed_worker.py CONFIG N`."""

from __future__ import annotations

import os
import signal
import sys
from itertools import count
from pathlib import Path

from mailbot.app import App
from mailbot.config import load
from mailbot.outbox import Outbox
from tests.e2e.office import BORDERS, bordered


def main(config: Path, border: int) -> int:
    borders = count(1)

    def pass_border(*_: object) -> None:
        if next(borders) == border:
            os.kill(os.getpid(), signal.SIGKILL)

    with bordered(pass_border, (*BORDERS, (Outbox, "_recover"))), App.open(load(config)) as app:
        app.observe = pass_border
        app.run(once=True)
    return next(borders) - 1


if __name__ == "__main__":
    sys.exit(0 if main(Path(sys.argv[1]), int(sys.argv[2])) < int(sys.argv[2]) else 1)

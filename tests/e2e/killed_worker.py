"""A worker that kills itself (SIGKILL) at the n-th border between two steps: `killed_worker.py CONFIG N WORK [NOW]`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from mailbot.app import App
from mailbot.config import load
from mailbot.mail.reply_folders import ReplyFolders
from mailbot.outbox import Outbox
from mailbot.store.store import Store
from tests.e2e.office import BORDERS, bordered

STEPS = (
    *BORDERS,
    (Outbox, "_recover"),
    (ReplyFolders, "append_draft"),
    (Store, "begin_reminder"),
    (Store, "settle_reminder"),
    (Store, "set_flag"),
)
WORK: dict[str, Callable[[App], object]] = {
    "round": lambda app: app.run(once=True),
    "remind": lambda app: app.remind(),
    "digest": lambda app: app.staff.by_the_clock(),
}


def main(config: Path, border: int, work: str, now: datetime | None) -> int:
    borders = count(1)

    def pass_border(*_: object) -> None:
        if next(borders) == border:
            os.kill(os.getpid(), signal.SIGKILL)

    clock = (lambda: now) if now else lambda: datetime.now(UTC)
    with bordered(pass_border, STEPS), App.open(load(config), clock=clock) as app:
        app.observe = pass_border
        WORK[work](app)
    return next(borders) - 1


if __name__ == "__main__":
    _, config, border, work, *now = sys.argv
    passed = main(Path(config), int(border), work, datetime.fromisoformat(now[0]) if now else None)
    sys.exit(0 if passed < int(border) else 1)

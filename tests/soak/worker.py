"""`worker.py CONFIG`: the service as it is, but for its patience: seconds where it would wait for minutes."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from mailbot import intake, outbox, watcher, worker
from mailbot.app import App
from mailbot.config import load
from mailbot.log import writing_to
from mailbot.mail import connection, imap, smtp


def main(config: Path) -> int:
    hasty = connection.Timeouts(connect=5.0, read=2.0, command=20.0)
    connection.Timeouts = lambda: hasty  # type: ignore[misc, assignment]
    smtp.Submission.__init__.__kwdefaults__["seconds"] = 2.0  # type: ignore[index]
    watcher._FIRST_BACKOFF_SECONDS, watcher._LONGEST_BACKOFF_SECONDS = 0.3, 2.0
    outbox._PAUSES = outbox._RETRY_AFTER = (timedelta(seconds=1),)
    outbox._SLOW_DOWN = outbox._LOGIN_PAUSE = timedelta(seconds=2)
    intake._RETRY_AFTER = timedelta(seconds=1)
    imap._FIRST_IDLE_SECONDS = worker._PULSE_SECONDS = 1.0
    with writing_to(sys.stderr), App.open(load(config)) as app:
        return 0 if app.run(once=False) else 75


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

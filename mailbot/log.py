"""The log: an event a line, as logfmt. Foreign text in it cannot begin a line of its own."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

_NEEDS_QUOTES = re.compile(r'[\s"=\\]')
_events = logging.getLogger("mailbot")


class Log:
    """Writes events with their facts to the standard library's logger `mailbot`. Thread-safe."""

    def info(self, event: str, **facts: object) -> None:
        _say(logging.INFO, event, facts)

    def warning(self, event: str, **facts: object) -> None:
        _say(logging.WARNING, event, facts)

    def error(self, event: str, **facts: object) -> None:
        _say(logging.ERROR, event, facts)

    def exception(self, event: str, **facts: object) -> None:
        """An error with the traceback of the exception that is being handled."""
        _say(logging.ERROR, event, facts, exc_info=True)


log = Log()
"""The log of the program."""


@contextmanager
def writing_to(stream: TextIO) -> Iterator[None]:
    """Within it events, and what libraries warn of, become lines of this stream and go nowhere else."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Logfmt())
    handlers, level = logging.root.handlers, _events.level
    logging.root.handlers = [handler]
    _events.setLevel(logging.INFO)
    try:
        yield
    finally:
        logging.root.handlers = handlers
        _events.setLevel(level)


def _say(level: int, event: str, facts: Mapping[str, object], *, exc_info: bool = False) -> None:
    _events.log(level, "%s", event, exc_info=exc_info, extra={"facts": facts})


class _Logfmt(logging.Formatter):
    """`timestamp=… level=… event=…`, then the facts."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return " ".join(f"{name}={_value(value)}" for name, value in said.items())


def _value(value: object) -> str:
    """As it is, or quoted with line breaks and quotes escaped where it would not stand for itself."""
    text = "" if value is None else str(value)
    if text.isprintable() and not _NEEDS_QUOTES.search(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in escaped) + '"'

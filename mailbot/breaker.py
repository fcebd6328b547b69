"""The circuit breaker: where letters go to robots, all sending stops until a person lets it go on.

Nothing is lost while it is open: letters stay queued. What is sent to staff goes all the same. A mail with documents
explains its answer; what counts is letters in answer to mails that carry none, of which a robot can send any number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailbot.config import Config
from mailbot.log import log
from mailbot.records import ReplyRecord
from mailbot.store.store import Store

_WINDOW = timedelta(hours=1)
_STOPPED, _RELEASED = "breaker:stopped", "breaker:released"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Since when nothing is sent, and on account of how many letters."""

    at: datetime
    letters: int


class Breaker:
    """Whether letters may go out. Its state is in the store, where every process finds it."""

    def __init__(self, config: Config, store: Store, clock: Callable[[], datetime]) -> None:
        self._most = config.replies.max_to_words_per_hour
        self._store = store
        self._clock = clock

    def stopped(self) -> Stopped | None:
        """Since when nothing is sent; None where letters go out."""
        said = self._store.flag(_STOPPED)
        if not said:
            return None
        at, letters = said.split(" ")
        return Stopped(at=datetime.fromisoformat(at), letters=int(letters))

    def lets_through(self, due: tuple[ReplyRecord, ...]) -> bool:
        """Whether these may be sent, the oldest of their mails first; where not, nothing is any more."""
        if self.stopped() is not None:
            return False
        released = self._store.flag(_RELEASED)
        letters = self._store.letters_to_words(
            due[-1].id, window=_WINDOW, after=datetime.fromisoformat(released) if released else None
        )
        if letters <= self._most:
            return True
        log.error("letters go to robots, it seems: nothing more is sent", letters=letters)
        self._store.set_flag(_STOPPED, f"{self._clock().isoformat()} {letters}")
        return False

    def release(self, *, by: str, why: str) -> bool:
        """Let letters go out again, those that waited first; False where nothing was stopped."""
        if self.stopped() is None:
            return False
        self._store.set_flag(_RELEASED, self._clock().isoformat())
        self._store.set_flag(_STOPPED, "")
        log.warning("letters go out again", by=by, why=why)
        return True

"""What a document needs that the reading child may not do itself, and what the parent supplies for it."""

from __future__ import annotations

from dataclasses import dataclass

from mailbot.model import Code
from mailbot.reading import Extract, Need


class NeedsHelp(Exception):  # noqa: N818 - a request, no error
    """Raised by a reader: this document wants conversion or recognition before it can be read."""

    def __init__(self, need: Need, otherwise: Extract | None = None) -> None:
        super().__init__(need.value)
        self.need = need
        self.otherwise = otherwise
        """What is read of it without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplied:
    """What became of a document in need. All empty: it was looked at and is not worth reading."""

    extract: Extract | None = None
    converted: bytes | None = None
    """The document in a format that is read (docx, xlsx). Read under its key with a `+`: that key may be supplied too."""
    code: Code | None = None
    """Why it cannot be read: a `document.*` code. Beside an extract, why a person is to look at the rest."""
    reason: str = ""

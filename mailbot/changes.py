"""Notices that the files have changed by which a worker that stays works: configuration, form, list of organizations."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

from mailbot import rubric as rubrics
from mailbot.config import Config, load
from mailbot.errors import ConfigError, ConfigurationError
from mailbot.log import log
from mailbot.organizations import read_organizations

_State = tuple[int, int, int] | None
"""What a file shows of itself when it is written: inode, size, time of the last change (ns). None where it is not there."""


def start_anew() -> NoReturn:
    """Begin as this process was begun, by the files as they are now. All that was opened must be closed."""
    from mailbot.documents.sandbox import end_helpers

    end_helpers()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - ourselves, as we were started


class Changes:
    """Looks at the files now and then. What is half written, or has a fault, is not taken over."""

    def __init__(self, config: Config) -> None:
        self._config = config
        campaign = config.campaign
        self._files = tuple(filter(None, (config.file, campaign.rubric, campaign.organizations)))
        self._taken = self._last = self._states()
        self.fault = ""
        """Why a change is not taken over; '' where there is none, or it can be."""

    def are_to_be_taken_over(self) -> bool:
        """Whether the files are others than at the start, stand still since the last look, and have no fault."""
        before, self._last = self._last, self._states()
        if self._last == self._taken:
            self.fault = ""
        elif self._last == before:
            return not self._found_fault()
        return False

    def _states(self) -> tuple[_State, ...]:
        return tuple(map(_state, self._files))

    def _found_fault(self) -> str:
        try:
            fault = _for_a_person(self._config, _whole(self._config.file))
        except (ConfigError, ConfigurationError) as error:
            fault = str(error)
        if fault and fault != self.fault:
            log.error("what has changed is not taken over", reason=fault)
        self.fault = fault
        return fault


def _state(file: Path) -> _State:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _whole(file: Path) -> Config:
    """The configuration with all that it names. Raises ConfigurationError."""
    config = load(file)
    config.require_passwords()
    rubrics.load(config.campaign.rubric)
    if config.campaign.organizations:
        read_organizations(config.campaign.organizations)
    return config


def _for_a_person(now: Config, then: Config) -> str:
    """What only a person may take over, by starting the worker anew."""
    if (now.campaign.name, now.storage) != (then.campaign.name, then.storage):
        return f"{then.file}: campaign.name or storage: another campaign or storage wants the worker to be started anew"
    gone = {mailbox.name for mailbox in now.mailboxes} - {mailbox.name for mailbox in then.mailboxes}
    if gone:
        names = ", ".join(sorted(gone))
        return (
            f"{then.file}: mailbox: {names} is not named any more, and what is queued for it would never leave: name it "
            "again, or let its letters leave and start the worker anew"
        )
    return ""

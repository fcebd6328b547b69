"""Which walls around hostile files really stand on this machine: each is run against, by a child like those that read."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from mailbot.documents import office
from mailbot.documents.sandbox import Pool


class Wall(StrEnum):
    """What a child may not do, and what keeps it from that."""

    NET = "no network (seccomp)"
    PROGRAMS = "no programs (seccomp)"
    FILES = "no files but programs and libraries (Landlock)"
    OFFICE = "LibreOffice sees its own directory alone, without the network (bubblewrap)"


def standing(anything: Path) -> frozenset[Wall]:
    """The walls that stand on this machine. `anything` is a file that a reading child must not be able to open.

    Raises TemporaryError where no child can be started, ChildFailedError where it does not come back.
    """
    with Pool("mailbot.documents.walls:serve", size=1, memory_mb=1024, seconds=20, preload=()) as pool:
        held = {Wall(each) for each in pool.call(os.fsencode(anything)).decode().splitlines()}
    return frozenset(held | ({Wall.OFFICE} if office.is_walled_in() else set()))


def serve(request: bytes, _parent: object) -> bytes:
    """In the child: try to get past each wall; returns those that held."""
    trials: dict[Wall, Callable[[], object]] = {
        Wall.NET: lambda: socket.socket().close(),
        Wall.PROGRAMS: lambda: os.execv("/bin/true", ["true"]),  # noqa: S606 - it is to be refused
        Wall.FILES: lambda: os.close(os.open(request, os.O_RDONLY)),
    }
    return "\n".join(wall for wall, climb in trials.items() if _is_refused(climb)).encode()


def _is_refused(climb: Callable[[], object]) -> bool:
    try:
        climb()
    except PermissionError:
        return True
    return False

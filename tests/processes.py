"""The processes that stem from one."""

from __future__ import annotations

from pathlib import Path


def below(pid: int) -> list[int]:
    """All of them, whichever thread began them."""
    try:
        own = [
            int(p) for task in Path(f"/proc/{pid}/task").glob("*/children") for p in task.read_text().split()
        ]
    except OSError:
        return []
    return own + [deeper for each in own for deeper in below(each)]

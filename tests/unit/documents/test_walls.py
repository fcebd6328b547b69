"""The walls are run against, not asked about: what stands here is told, and what does not is told too."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.documents import landlock, office
from mailbot.documents.walls import Wall, serve, standing
from tests.conftest import lacking, require


def test_every_wall_stands_on_a_machine_that_has_all(tmp_path: Path) -> None:
    require("bwrap")
    if not landlock.version():
        lacking("the kernel has no Landlock")
    (tmp_path / "secret").write_text("geheim")
    assert standing(tmp_path / "secret") == set(Wall)


def test_a_wall_that_does_not_stand_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("geheim")
    monkeypatch.setattr("os.execv", lambda *_: None)
    assert serve(str(tmp_path / "secret").encode(), None) == b""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not office.is_walled_in()
    (tmp_path / "bwrap").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    assert not office.is_walled_in()

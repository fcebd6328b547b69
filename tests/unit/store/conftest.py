"""A store on each database: SQLite in a file, and a private PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailbot.store.store import Store
from tests.databases import BOTH, cluster, migrated

__all__ = ["cluster", "migrated"]


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without anything in it."""
    yield from _database(request, tmp_path, template=None)


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database for this test alone."""
    yield from _database(request, tmp_path, template="migrated")


def _database(request: pytest.FixtureRequest, directory: Path, template: str | None) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{directory}/kept/mailbot.db"
        return
    name = request.getfixturevalue(template) if template else "template0"
    with request.getfixturevalue("cluster").database(name) as database:
        yield database


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A store for this test alone."""
    with Store.open(url) as store:
        yield store

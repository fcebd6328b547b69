"""The office in which the whole program is tried, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import BOTH, cluster, migrated
from tests.e2e.office import REGISTRY, SQLITE, Office, open_office

__all__ = ["cluster", "migrated"]


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of a database for this test alone, as the configuration names it."""
    if request.param == "sqlite":
        yield SQLITE
        return
    template = request.getfixturevalue("migrated")
    with request.getfixturevalue("cluster").database(template) as url:
        yield url


@pytest.fixture
def office(tmp_path: Path, database: str) -> Iterator[Office]:
    with open_office(tmp_path, database) as opened:
        yield opened


@pytest.fixture
def office_on_sqlite(tmp_path: Path) -> Iterator[Office]:
    """For what concerns the file of SQLite alone."""
    with open_office(tmp_path) as opened:
        yield opened


@pytest.fixture
def registered(office: Office) -> Office:
    """An office that knows who is to report."""
    (office.directory / "organizations.csv").write_text(REGISTRY, encoding="utf-8")
    office.configure(top='organizations = "organizations.csv"')
    return office


@pytest.fixture
def spare(request: pytest.FixtureRequest, database: str) -> Iterator[str]:
    """URL of an empty database beside the office's own; for SQLite its own, whose file can be lost."""
    if database == SQLITE:
        yield SQLITE
        return
    with request.getfixturevalue("cluster").database("template0") as url:
        yield url

"""The list of the organizations that are to report: a CSV file, read whole; every fault reported at once."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mailbot.config import mail_address
from mailbot.errors import ConfigError, ConfigurationError
from mailbot.model import OLE_START, ZIP_START, Organization, Track

_COLUMNS = ("name", "track", "aliases", "emails")


def read_organizations(path: Path) -> tuple[Organization, ...]:
    """The registry's rows: `name,track,aliases,emails`, aliases and e-mails split by `;`.

    Raises ConfigurationError naming each faulty line.
    """
    rows = csv.DictReader(io.StringIO(_registry_text(path), newline=None))
    faults: list[ConfigError] = []
    organizations: list[Organization] = []
    owners: dict[str, tuple[str, int]] = {}
    try:
        faults += [
            ConfigError(str(path), "line 1", reason) for reason in _faulty_columns(rows.fieldnames or ())
        ]
        if faults:
            raise ConfigurationError(faults)
        for row in rows:
            line = rows.line_num
            if not any(value for value in row.values()):
                continue
            reasons = list(_faults_of(row, owners, line))
            faults += [ConfigError(str(path), f"line {line}", reason) for reason in reasons]
            if not reasons:
                organizations.append(_organization(row))
    except csv.Error as error:
        faults.append(ConfigError(str(path), f"line {rows.line_num}", f"is no CSV: {error}"))
    if not organizations and not faults:
        faults.append(ConfigError(str(path), "", "there is no organization in it"))
    if faults:
        raise ConfigurationError(faults)
    return tuple(organizations)


def _registry_text(path: Path) -> str:
    """UTF-8 as LibreOffice and WPS write it, or GBK as Excel does."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise ConfigurationError([ConfigError(str(path), "", f"cannot be read: {error.strerror}")]) from error
    if octets.startswith((ZIP_START, OLE_START)):
        reason = "is a workbook: save it as CSV (in Excel or WPS: 另存为, CSV UTF-8) and name that file"
        raise ConfigurationError([ConfigError(str(path), "", reason)])
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return octets.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigurationError([ConfigError(str(path), "", "is written neither in UTF-8 nor in GBK")])


def _faulty_columns(columns: Sequence[str]) -> Iterator[str]:
    if missing := sorted({"name", "track"} - set(columns)):
        yield f"columns missing: {', '.join(missing)}; the first line is to be {','.join(_COLUMNS)}"
    for column in columns:
        close = get_close_matches(column, set(_COLUMNS) - set(columns), n=1)
        if column not in _COLUMNS and close:
            yield f"column {column}: did you mean {close[0]}?"


def _faults_of(
    row: dict[str | Any, str | Any], owners: dict[str, tuple[str, int]], line: int
) -> Iterator[str]:
    """What is wrong with one row; `owners` are the names and aliases of the rows before, and get this row's."""
    name, track = (row["name"] or "").strip(), (row["track"] or "").strip()
    if row.get(None):
        yield "has more fields than the first line; aliases and emails are split by ;"
    if not name:
        yield "name is empty"
    if track not in set(Track):
        yield f"track is {track!r}; society or enterprise is wanted"
    for known in dict.fromkeys((name, *_split(row.get("aliases")))):
        compared = "".join(unicodedata.normalize("NFKC", known).split())
        owner, where = owners.setdefault(compared, (name, line))
        if known and where != line:
            yield f"{known} stands already in line {where}, for {owner}"
    for address in _split(row.get("emails")):
        try:
            mail_address(address)
        except ValueError as error:
            yield str(error)


def _organization(row: dict[str | Any, str | Any]) -> Organization:
    return Organization(
        name=row["name"].strip(),
        track=Track(row["track"].strip()),
        aliases=_split(row.get("aliases")),
        emails=_split(row.get("emails")),
    )


def _split(value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").replace("；", ";").split(";") if part.strip())

"""The list of organizations: as spreadsheets write it, and every fault with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.errors import ConfigurationError
from mailbot.model import Organization, Track
from mailbot.organizations import read_organizations

REGISTRY = (
    "name,track,aliases,emails\r\n"
    "浙江省物理学会,society,省物理学会; 物理学会；ZPS,physics@example.org\r\n"
    "浙江省能源集团科协,enterprise,,\r\n"
    ",,,\r\n"
    "\r\n"
    "浙江省数学会,society\r\n"
)


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_the_registry_is_read_as_spreadsheets_write_it(tmp_path: Path, encoding: str, line_end: str) -> None:
    """Excel for Mac has CSV (Macintosh), of which each line ends with CR alone."""
    path = tmp_path / "organizations.csv"
    path.write_bytes(REGISTRY.replace("\r\n", line_end).encode(encoding))
    assert read_organizations(path) == (
        Organization(
            name="浙江省物理学会",
            track=Track.SOCIETY,
            aliases=("省物理学会", "物理学会", "ZPS"),
            emails=("physics@example.org",),
        ),
        Organization(name="浙江省能源集团科协", track=Track.ENTERPRISE),
        Organization(name="浙江省数学会", track=Track.SOCIETY),
    )


def test_every_faulty_line_of_the_registry_is_told(tmp_path: Path) -> None:
    path = tmp_path / "organizations.csv"
    path.write_text(
        "name,track,aliases,emails\n"
        "浙江省物理学会,society,物理学会,a@example.org\n"
        ",society,,\n"
        "浙江省数学会,学会,,nobody\n"
        "浙江省 物理学会,society,,\n"
        "浙江省应用物理学会,society,物理学会,\n"
        "浙江省化学会,society,化学会,b@example.org,c@example.org\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError) as caught:
        read_organizations(path)
    assert {fault.file for fault in caught.value.faults} == {str(path)}
    assert [(fault.key, fault.reason) for fault in caught.value.faults] == [
        ("line 3", "name is empty"),
        ("line 4", "track is '学会'; society or enterprise is wanted"),
        ("line 4", "'nobody' is no mail address"),
        ("line 5", "浙江省 物理学会 stands already in line 2, for 浙江省物理学会"),
        ("line 6", "物理学会 stands already in line 2, for 浙江省物理学会"),
        ("line 7", "has more fields than the first line; aliases and emails are split by ;"),
    ]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "columns missing: name, track; the first line is to be name,track,aliases,emails"),
        ("名称,类别\n".encode(), "columns missing: name, track"),
        (b"name,track,email\nX,society,a@example.org\n", "column email: did you mean emails"),
        (b"name,track\n", "there is no organization in it"),
        (b"PK\x03\x04\x14\x00", "is a workbook: save it as CSV"),
        (b"\xff\xff\xff\xff", "neither in UTF-8 nor in GBK"),
    ],
)
def test_a_registry_that_is_none_is_refused(tmp_path: Path, octets: bytes, reason: str) -> None:
    path = tmp_path / "organizations.csv"
    path.write_bytes(octets)
    with pytest.raises(ConfigurationError, match=reason):
        read_organizations(path)


def test_a_registry_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_organizations(tmp_path)

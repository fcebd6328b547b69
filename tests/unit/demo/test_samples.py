"""The demo's samples: the same at every run, and as strange as real mails are."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path

import pytest

from mailbot import rubric as rubrics
from mailbot.demo.forms import DATA, scores, societies, total
from mailbot.demo.samples import Sample, samples
from mailbot.model import Outcome
from mailbot.organizations import read_organizations
from mailbot.rubric import Rubric
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def rubric() -> Rubric:
    return rubrics.load(ROOT / "rubric" / "2020.toml")


@pytest.fixture(scope="module")
def made(rubric: Rubric) -> tuple[Sample, ...]:
    return samples(rubric)


def test_every_outcome_and_both_mailboxes_occur(made: tuple[Sample, ...]) -> None:
    assert {one.expected for one in made} == set(Outcome)
    assert {one.mailbox for one in made} == {"societies", "enterprises"}
    assert len(made) >= 16


def test_the_same_mails_are_made_every_time(made: tuple[Sample, ...], rubric: Rubric) -> None:
    assert samples(rubric) == made


def test_mails_come_in_the_order_of_their_arrival(made: tuple[Sample, ...]) -> None:
    times = [one.internaldate for one in made]
    assert times == sorted(times)


def test_one_mail_is_on_time_to_the_second_and_one_a_second_late(made: tuple[Sample, ...]) -> None:
    last, late = made[-2:]
    assert late.internaldate - last.internaldate == timedelta(seconds=1)
    assert last.internaldate.isoformat() == "2021-01-15T17:30:00+08:00"


def test_a_mail_to_both_mailboxes_differs_only_in_what_the_servers_added(made: tuple[Sample, ...]) -> None:
    copy = next(one for one in made if "copy" in one.what)
    first = next(one for one in made if "both mailboxes" in one.what)
    assert first.octets != copy.octets
    assert first.octets.partition(b"\r\nFrom:")[2] == copy.octets.partition(b"\r\nFrom:")[2]


def test_mails_are_crlf_only(made: tuple[Sample, ...]) -> None:
    for one in made:
        assert one.octets.count(b"\n") == one.octets.count(b"\r\n") == one.octets.count(b"\r")


def test_gb2312_is_a_lie_and_names_are_bare_octets(made: tuple[Sample, ...]) -> None:
    old = next(one for one in made if "gb2312" in one.what)
    name = "浙江省喆镕学会工作自评表.docx".encode("gb18030")
    assert b'filename="' + name + b'"' in old.octets
    with pytest.raises(UnicodeDecodeError):
        name.decode("gb2312")


def test_the_zip_has_names_without_the_flag_that_says_utf_8(made: tuple[Sample, ...]) -> None:
    one = next(one for one in made if "zip" in one.what)
    attached = one.octets.rpartition(b"base64\r\n\r\n")[2].partition(b"\r\n--")[0]
    archive = base64.b64decode(attached)
    assert archive.startswith(b"PK\x03\x04")
    assert "浙江省沧月学会2021年度工作计划.docx".encode("gb18030") in archive
    assert archive[6:8] == b"\x00\x00"


def test_the_registry_lists_every_organization(tmp_path: Path) -> None:
    listed = read_organizations(DATA / "organizations.csv")
    known = list(societies().values())
    assert [(o.name, o.track.value, o.aliases, o.emails) for o in listed] == [
        (s.name, s.track, s.aliases, (s.email,)) for s in known
    ]


def test_addresses_are_of_reserved_domains() -> None:
    for society in societies().values():
        assert society.email.endswith(("@example.com", ".example.com"))


def test_no_society_claims_more_than_the_rubric_gives(rubric: Rubric) -> None:
    for society in societies().values():
        claimed = scores(society, rubric)
        assert all(0 <= float(claimed[item.no]) <= item.points for item in rubric.items)
        assert 85 <= float(total(claimed)) <= 100

"""The witness of what left: it only goes forward, is for its owner alone, and costs no letter its delivery."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Thread

import pytest

from mailbot.errors import TemporaryError
from mailbot.store.ledger import GENESIS
from mailbot.store.witness import BEGINNING, Link, Witness


def link(seq: int) -> Link:
    return Link(seq=seq, hash=f"{seq:064x}")


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return Witness(tmp_path, "2020")


def test_it_says_what_it_was_told_last(witness: Witness) -> None:
    assert witness.read() is None
    for each in (BEGINNING, link(1), link(12), link(10**12)):
        witness.advance(each)
        assert witness.read() == (each if each != BEGINNING else None)
    assert GENESIS not in witness.path.read_text()


def test_a_later_word_on_an_earlier_link_changes_nothing(witness: Witness) -> None:
    witness.advance(link(12))
    witness.advance(link(11))
    assert witness.read() == link(12)


def test_it_is_made_anew_whatever_stood_there(witness: Witness) -> None:
    witness.advance(link(12))
    witness.renew(link(3))
    assert witness.read() == link(3)
    witness.renew(BEGINNING)
    assert witness.read() == BEGINNING


@pytest.mark.parametrize("said", ["", "\0" * 86, "no link", "-1 x"])
def test_a_file_that_says_nothing_is_none(witness: Witness, said: str) -> None:
    witness.path.write_text(said)
    assert witness.read() is None
    witness.advance(link(2))
    assert witness.read() == link(2)


def test_several_may_write_at_once(witness: Witness) -> None:
    threads = [
        Thread(target=lambda first=first: [witness.advance(link(n)) for n in range(first, 200, 4)])
        for first in range(1, 5)
    ]
    for thread in threads:
        thread.start()
    read = [witness.read() for _ in range(200)]
    for thread in threads:
        thread.join()
    assert all(one is None or one == link(one.seq) for one in read)
    assert witness.read() == link(199)


def test_where_it_cannot_be_written_the_letter_leaves_and_the_beginning_is_refused(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "nowhere", "2020")
    witness.advance(link(1))
    with pytest.raises(TemporaryError, match=r"witness-2020 cannot be written: No such file"):
        witness.renew(link(1))
    Witness(tmp_path, "2021").path.mkdir()
    with pytest.raises(TemporaryError, match=r"witness-2021 cannot be read: Is a directory"):
        Witness(tmp_path, "2021").read()


def test_it_is_for_its_owner_alone_and_each_campaign_has_its_own(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Witness(tmp_path, "2020").renew(link(1))
    finally:
        os.umask(before)
    assert Witness(tmp_path, "2020").path.stat().st_mode & 0o777 == 0o600
    assert Witness(tmp_path, "2021").read() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file for another user")
def test_one_that_root_makes_belongs_to_whose_directory_it_is(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65533)
    Witness(tmp_path, "2020").renew(link(1))
    Witness(tmp_path, "2021").advance(link(1))
    made = [Witness(tmp_path, campaign).path.stat() for campaign in ("2020", "2021")]
    assert [(one.st_uid, one.st_gid) for one in made] == [(65534, 65533)] * 2

"""Archives with the names, the bombs and the tricks that come."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from dataclasses import replace
from itertools import islice

import pytest

from mailbot.documents import archives
from mailbot.documents.detect import detect
from mailbot.documents.unpack import Budget, Member, members
from mailbot.errors import DangerousError, EncryptedError, TooLargeError, UnreadableError
from mailbot.model import Format
from mailbot.reading import Part
from tests.unit.documents import samples

_NAME = "2020年度自评表（朱镕喆）.xlsx"
_DATA = samples.xlsx()


def _no_mail(data: bytes) -> tuple[Part, ...]:
    raise AssertionError("no mail here")


def _open(data: bytes, *, budget: Budget | None = None) -> list[Member]:
    return list(members(data, detect(data), budget=budget or Budget(octets=10**8), open_mail=_no_mail))


@pytest.mark.parametrize(
    "archive",
    [
        samples.zipped({_NAME: _DATA}),
        samples.zipped({_NAME: _DATA}, zipfile.ZIP_LZMA),
        samples.zipped({f"报送/材料/{_NAME}": _DATA}),
        samples.zipped_raw(_NAME.encode("gb18030"), _DATA),
        samples.zipped_raw(_NAME.encode(), _DATA),
        samples.zipped_raw(_NAME.encode(), _DATA, flags=0x800),
        samples.zipped_raw(f"报送\\{_NAME}".encode("gb18030"), _DATA),
        samples.zipped_raw(
            b"?????.xlsx",
            _DATA,
            extra=b"\x75\x70"
            + (5 + len(_NAME.encode())).to_bytes(2, "little")
            + b"\x01\0\0\0\0"
            + _NAME.encode(),
        ),
        pytest.param(samples.rarred({_NAME: _DATA}), marks=samples.needs_libarchive),
        pytest.param(samples.seven_zipped({_NAME: _DATA}), marks=samples.needs_libarchive),
        samples.tarred({_NAME: _DATA}),
        samples.tarred({_NAME: _DATA}, "w:gz"),
        samples.tarred({_NAME: _DATA}, "w:xz", "gb18030"),
        samples.tnef([(_NAME.encode("gb18030"), _DATA)]),
    ],
)
def test_gives_the_member_under_its_name(archive: bytes) -> None:
    (member,) = _open(archive)
    assert replace(member, folder="") == Member(filename=_NAME, data=_DATA)


@samples.needs_libarchive
def test_an_archive_cut_short_gives_what_is_there_and_says_so() -> None:
    found = members(
        samples.zipped({_NAME: _DATA, "b": b"b"})[:-30],
        Format.ZIP,
        budget=Budget(octets=10**8),
        open_mail=_no_mail,
    )
    assert list(islice(found, 2)) == [Member(filename=_NAME, data=_DATA), Member(filename="b", data=b"b")]
    with pytest.raises(UnreadableError):
        next(found)


@samples.needs_libarchive
def test_loses_no_member_over_its_name() -> None:
    lying = samples.zipped_raw(_NAME.encode("gb18030"), _DATA, flags=0x800)
    assert [member.data for member in _open(lying)] == [_DATA]
    assert [member.data for member in _open(samples.zipped_raw(b"/", b"", flags=0))] == []
    assert [member.data for member in _open(samples.zipped_raw(b"\x01", b"x"))] == [b"x"]


def test_gives_members_of_a_forwarded_mail_with_their_types() -> None:
    part = Part(key="1", filename="a.txt", content_type="text/plain", data=b"abc")
    found = members(samples.mail(), Format.EML, budget=Budget(octets=100), open_mail=lambda data: (part,))
    assert list(found) == [Member(filename="a.txt", data=b"abc", content_type="text/plain")]


def test_passes_over_what_is_no_document() -> None:
    archive = samples.zipped(
        {
            "材料/": b"",
            "__MACOSX/._a.txt": b"x",
            ".DS_Store": b"x",
            "材料/Thumbs.db": b"x",
            "材料/~$自评表.xlsx": b"x",
            "材料/a.txt": b"a",
        }
    )
    assert [member.filename for member in _open(archive)] == ["a.txt"]


def test_a_name_is_never_a_path() -> None:
    archive = samples.tarred(
        {"../../etc/cron.d/x": b"1", "/root/y": b"2", "C:\\win\\nul.txt": b"3", "..": b"4"}
    )
    assert [member.filename for member in _open(archive)] == ["x", "y", "_nul.txt", "file4"]


def test_its_folders_are_kept_apart_from_its_name() -> None:
    archive = samples.zipped({"浙江省能源集团科协\\2020\u202e/总结.docx": b"1", "a.txt": b"2"})
    assert [(m.folder, m.filename) for m in _open(archive)] == [
        ("浙江省能源集团科协/2020", "总结.docx"),
        ("", "a.txt"),
    ]


def test_passes_over_links() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo("link")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert _open(out.getvalue()) == []
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive_:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive_.writestr(link, "/etc/passwd")
    assert _open(out.getvalue()) == []


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(samples.locked_seven_zip(), marks=samples.needs_libarchive),
        pytest.param(
            samples.rarred({"a.txt": b"0123456789abcdef"}, locked=True), marks=samples.needs_libarchive
        ),
        samples.zipped_raw(b"a.txt", b"0123456789abcdef", flags=1),
    ],
)
def test_knows_a_password(archive: bytes) -> None:
    with pytest.raises(EncryptedError):
        _open(archive)


@pytest.mark.parametrize(
    "archive",
    [
        samples.zipped({"zeros": bytes(80 * 2**20)}),
        samples.tarred({"zeros": bytes(80 * 2**20)}, "w:gz"),
        pytest.param(samples.seven_zipped({"zeros": bytes(80 * 2**20)}), marks=samples.needs_libarchive),
    ],
)
def test_stops_a_bomb(archive: bytes) -> None:
    budget = Budget(octets=10**9)
    with pytest.raises(DangerousError):
        _open(archive, budget=budget)
    assert 10**9 - budget.octets < 40 * 2**20


def test_stops_at_too_many_members() -> None:
    archive = samples.zipped({f"{n}.txt": b"" for n in range(501)})
    with pytest.raises(DangerousError):
        _open(archive)
    assert len(_open(samples.zipped({f"{n}.txt": b"" for n in range(500)}))) == 500


def test_counts_over_all_containers_of_a_mail() -> None:
    archive = samples.zipped({"a": os.urandom(1000)})
    budget = Budget(octets=1500)
    assert len(_open(archive, budget=budget)) == 1
    with pytest.raises(TooLargeError):
        _open(archive, budget=budget)


def test_what_came_before_the_limit_stands() -> None:
    archive = samples.zipped({"a": b"a" * 100, "b": os.urandom(1000)})
    found = members(archive, Format.ZIP, budget=Budget(octets=500), open_mail=_no_mail)
    assert [member.filename for member in islice(found, 1)] == ["a"]
    with pytest.raises(TooLargeError):
        next(found)


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(samples.rarred({"a.bin": os.urandom(3000)})[:1000], marks=samples.needs_libarchive),
        pytest.param(
            samples.seven_zipped({"a.bin": os.urandom(3000)})[:1000], marks=samples.needs_libarchive
        ),
        samples.tarred({"a.bin": os.urandom(3000)})[:1000],
        samples.tarred({"a.bin": os.urandom(3000)}, "w:gz")[:1000],
        pytest.param(samples.zipped({"a.bin": os.urandom(3000)})[:1000], marks=samples.needs_libarchive),
        samples.tnef([(b"a.bin", b"x" * 3000)])[:6],
    ],
)
def test_a_truncated_archive_is_unreadable_or_empty(archive: bytes) -> None:
    try:
        found = _open(archive)
    except UnreadableError:
        return
    assert [member for member in found if len(member.data) == 3000] == []


def test_a_wrong_checksum_is_noticed() -> None:
    archive = bytearray(samples.zipped_raw(b"a.txt", b"0123456789"))
    archive[archive.index(b"0123456789")] ^= 1
    with pytest.raises(UnreadableError):
        _open(bytes(archive))


def test_a_member_without_a_name_is_given_one() -> None:
    assert [(m.filename, m.data) for m in _open(samples.zipped_raw(b"", b"0123456789"))] == [
        ("file1", b"0123456789")
    ]


@samples.needs_libarchive
def test_zip_methods_that_only_libarchive_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deflate64 (method 9) is what Windows writes for large files; a short stored block is the same in both."""
    data = b"0123456789"
    stored = b"\x01" + len(data).to_bytes(2, "little") + (len(data) ^ 0xFFFF).to_bytes(2, "little") + data
    archive = bytearray(samples.zipped_raw(b"a.txt", data))
    archive = bytearray(bytes(archive).replace(data, stored))
    local, central = 0, bytes(archive).index(b"PK\x01\x02")
    for at in (local + 8, central + 10):
        archive[at] = 9
    for at in (local + 18, central + 20):
        archive[at : at + 4] = len(stored).to_bytes(4, "little")
    end = bytes(archive).index(b"PK\x05\x06")
    archive[end + 16 : end + 20] = central.to_bytes(4, "little")
    try:
        assert [member.data for member in _open(bytes(archive))] == [data]
    except UnreadableError as error:
        assert "method" in str(error)  # noqa: PT017 - an older libarchive does not know it either


def test_a_damaged_zip_is_damaged_whatever_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_libarchive", lambda: None)
    with pytest.raises(UnreadableError):
        _open(samples.zipped({"a.bin": os.urandom(3000)})[:1000])

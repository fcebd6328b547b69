import mailbox
import os
from datetime import UTC, datetime

import pytest

from mailbot.errors import UsageError
from mailbot.mail.files import read_files
from tests.unit.mail.mails import mail

AT = datetime(2021, 1, 14, 1, 12, 3, tzinfo=UTC)
HOP = "Received: from a by mx.example.org; Thu, 14 Jan 2021 09:12:03 +0800"
OTHER_DATE = "Date: Fri, 01 Jan 1999 00:00:00 +0000"


def put(path, octets, at=AT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def test_an_eml_came_when_its_topmost_received_says(tmp_path):
    octets = mail(HOP, "Received: from x by a; Thu, 14 Jan 2021 00:00:00 +0800", OTHER_DATE)
    (found,) = read_files([put(tmp_path / "a.eml", octets, at=datetime(2022, 1, 1, tzinfo=UTC))])
    assert found.octets == octets
    assert found.received_at == AT


def test_an_eml_without_received_came_when_the_file_did_and_never_at_its_date(tmp_path):
    (found,) = read_files([put(tmp_path / "a.eml", mail(OTHER_DATE))])
    assert found.received_at == AT


def test_any_file_is_taken_as_it_is(tmp_path):
    (found,) = read_files([put(tmp_path / "a.bin", b"\x00nonsense")])
    assert found.octets == b"\x00nonsense"


@pytest.mark.parametrize("magic", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-1.7"])
def test_a_document_that_is_named_in_place_of_a_mail_is_refused(tmp_path, magic):
    path = put(tmp_path / "来件.msg", magic + b"\x00" * 100)
    with pytest.raises(UsageError, match="is a document and no mail"):
        list(read_files([path]))
    put(tmp_path / "all" / "a.eml", magic)
    assert len(list(read_files([tmp_path / "all"]))) == 1


BODY = "First\n\nFrom now on we write.\n>From quoted\n>>From twice\n\nFrom here, Thu, all goes well\n"


def rd(octets: bytes) -> bytes:
    """mboxrd: every line that is `From ` after any number of `>` gets one more."""
    lines = octets.split(b"\n")
    return b"\n".join(b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_mboxrd_gives_back_each_mail(tmp_path, newline):
    mails = [mail(OTHER_DATE, f"Subject: {n}", body=BODY.encode()).replace(b"\r\n", b"\n") for n in range(3)]
    text = b"".join(b"From a@b Thu Jan 14 01:12:0%d 2021\n" % n + rd(m) + b"\n" for n, m in enumerate(mails))
    found = list(read_files([put(tmp_path / "x.mbox", text.replace(b"\n", newline.encode()))]))
    assert [f.octets.replace(b"\r\n", b"\n") for f in found] == mails
    assert [f.received_at.second for f in found] == [0, 1, 2]


def test_a_line_of_the_text_begins_no_mail(tmp_path):
    octets = b"From a@b Thu Jan 14 01:12:03 2021\n" + mail(body=BODY.encode()).replace(b"\r\n", b"\n")
    assert len(list(read_files([put(tmp_path / "x.mbox", octets)]))) == 1


INSIDE = b"First\n\nFrom a@b Thu Jan 14 01:12:03 2021\nSubject: inside\n\nlast\n"


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_mboxcl_says_how_long_each_mail_is(tmp_path, newline):
    body = INSIDE.replace(b"\n", newline)
    mails = [b"Subject: %d\nContent-Length: %d\n\n" % (n, len(body)) + INSIDE for n in range(3)]
    text = b"".join(b"From a@b Thu Jan 14 01:12:0%d 2021\n" % n + m + b"\n" for n, m in enumerate(mails))
    found = list(read_files([put(tmp_path / "x.mbox", text.replace(b"\n", newline))]))
    assert [f.octets.replace(b"\r\n", b"\n") for f in found] == mails
    assert [f.received_at.second for f in found] == [0, 1, 2]


@pytest.mark.parametrize("length", [0, 5, 10**6, 999_999_999_999])
def test_a_length_that_ends_nowhere_swallows_no_mail(tmp_path, length):
    one = b"From a@b Thu Jan 14 01:12:03 2021\nContent-Length: %d\n\ntext\n\n" % length
    assert len(list(read_files([put(tmp_path / "x.mbox", one * 3)]))) == 3


@pytest.mark.timeout(30)
def test_a_long_head_is_read_once_for_all_lines_that_look_like_the_next_mail(tmp_path):
    inside = b"\nFrom a@b Thu Jan 14 01:12:03 2021\n" * 20_000
    head = b"From a@b Thu Jan 14 01:12:03 2021\nX: %s\nContent-Length: %d\n\n" % (b"a" * 500_000, len(inside))
    (found,) = read_files([put(tmp_path / "x.mbox", head + inside + b"\n")])
    assert found.octets.count(b"From a@b") == 20_000


def test_an_mbox_of_the_standard_library(tmp_path):
    box = mailbox.mbox(tmp_path / "x.mbox")
    for n in range(3):
        box.add(mailbox.mboxMessage(mail(HOP, f"Subject: {n}", body=b"a\r\n\r\nFrom b\r\n")))
    box.close()
    found = list(read_files([tmp_path / "x.mbox"]))
    assert [f.octets.count(b"\nFrom b") for f in found] == [1, 1, 1]
    assert [b"Subject: %d" % n in f.octets for n, f in enumerate(found)] == [True] * 3


@pytest.mark.parametrize(
    "line",
    [
        "From a@b Thu Jan 14 01:12:03 2021",
        "From - Thu Jan 14 01:12:03 2021",
        "From a@b  Thu Jan 14 01:12:03 2021 +0000",
        "From a@b Thu Jan 14 09:12:03 2021 +0800",
        "From a@b Thu Jan 14 09:12:03 +0800 2021",
        "From a@b Thu Jan 14 09:12:03 CST 2021",
        'From "a b"@c Thu Jan 14 01:12:03 2021',
    ],
)
def test_from_lines(tmp_path, line):
    (found,) = read_files(
        [put(tmp_path / "x", f"{line}\nSubject: a\n\nb\n".encode(), at=datetime(2022, 1, 1, tzinfo=UTC))]
    )
    assert found.received_at == AT
    assert found.octets == b"Subject: a\n\nb\n"


def test_a_from_line_without_time_leaves_received_then_the_file(tmp_path):
    (found,) = read_files(
        [put(tmp_path / "x", f"From a@b\n{HOP}\n\nb\n".encode(), at=datetime(2022, 1, 1, tzinfo=UTC))]
    )
    assert found.received_at == AT
    (found,) = read_files([put(tmp_path / "y", f"From a@b\n{OTHER_DATE}\n\nb\n".encode())])
    assert found.received_at == AT


def test_an_mbox_of_a_single_line(tmp_path):
    (found,) = read_files([put(tmp_path / "x", b"From a@b Thu Jan 14 01:12:03 2021")])
    assert found.octets == b""


def test_a_maildir_is_read_by_the_files_times(tmp_path):
    box = mailbox.Maildir(tmp_path / "box")
    names = [box.add(mail(HOP, OTHER_DATE, f"Subject: {n}")) for n in range(3)]
    for n, name in enumerate(names):
        file = next((tmp_path / "box").glob(f"*/{name}*"))
        os.utime(file, (AT.timestamp() - n, AT.timestamp() - n))
    put(tmp_path / "box" / "tmp" / "unfinished", b"x")
    found = list(read_files([tmp_path / "box"]))
    assert [f.octets.split(b"Subject: ")[1][:1] for f in found] == [b"2", b"1", b"0"]
    assert found[-1].received_at == AT


def test_a_copy_of_a_maildir_that_kept_no_times_goes_by_received(tmp_path):
    """As cp -r, git and mail programs leave it."""
    box = mailbox.Maildir(tmp_path / "box")
    box.add(mail(HOP, OTHER_DATE))
    (found,) = read_files([tmp_path / "box"])
    assert found.received_at == AT


@pytest.mark.parametrize("writer", ["-", "MAILER-DAEMON"])
def test_a_copy_in_an_mbox_goes_by_received(tmp_path, writer):
    octets = f"From {writer} Sat Nov 28 06:41:13 2026\n{HOP}\n\nb\n".encode()
    (found,) = read_files([put(tmp_path / "x.mbox", octets)])
    assert found.received_at == AT


def test_a_folder_of_files(tmp_path):
    put(tmp_path / "b" / "2.eml", mail("Subject: 2"))
    put(tmp_path / "a" / "1.EML", mail("Subject: 1"))
    put(tmp_path / "notes.txt", b"no mail")
    assert [f.octets.split(b"Subject: ")[1][:1] for f in read_files([tmp_path])] == [b"1", b"2"]


def test_paths_that_hold_none(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        list(read_files([tmp_path / "nowhere"]))
    with pytest.raises(UsageError, match=r"no \.eml"):
        list(read_files([tmp_path]))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = put(tmp_path / "a.eml", mail())
    path.chmod(0)
    with pytest.raises(UsageError, match="may not be read"):
        list(read_files([path]))

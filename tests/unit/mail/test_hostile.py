import base64
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailbot.errors import DangerousError, DocumentError
from tests.unit.mail.mails import TEXT, XLSX, attached, mail, multipart, nested, part, read


def nesting(depth: int) -> bytes:
    inner = TEXT
    for level in range(depth):
        inner = (
            f"Content-Type: multipart/mixed; boundary=L{level}\r\n\r\n--L{level}\r\n".encode()
            + inner
            + f"\r\n--L{level}--".encode()
        )
    return b"From: a@b.example\r\n" + inner


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(multipart(*[TEXT] * 600), id="many parts"),
        pytest.param(
            mail(body=b"--B\r\n\r\n" * 200_000, kind="multipart/mixed; boundary=B"), id="a million delimiters"
        ),
        pytest.param(
            mail(body=b"--B\r\r" * 200_000, kind="multipart/mixed; boundary=B"), id="delimiters after bare CR"
        ),
        pytest.param(nesting(50), id="deep"),
        pytest.param(nesting(2_000), id="too deep for the parser"),
        pytest.param(mail("Subject: " + "x" * 2_000_000), id="a huge header"),
        pytest.param(mail("From: " + "(" * 3_000), id="comments in comments"),
        pytest.param(mail(*[f"X-{n}: y" for n in range(5_000)]), id="very many headers"),
        pytest.param(
            multipart(part("text/plain", b"x", *[f"X-{n}: y" for n in range(5_000)])),
            id="very many headers of a part",
        ),
    ],
)
def test_a_mail_built_to_break_readers_is_refused(octets):
    with pytest.raises(DangerousError):
        read(octets)


@pytest.mark.parametrize("depth", [1, 5, 15])
def test_ordinary_nesting_is_read(depth):
    assert read(nesting(depth)).head.text == "见附件"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x00" * 100,
        b"\r\n\r\n",
        b"nonsense",
        b"\xff\xfe\x00\x01" * 50,
        b"From: \r\nSubject\r\n\r\n",
        b": x\r\n: y\r\n\r\n",
        mail(kind="multipart/mixed"),
        mail(kind="multipart/mixed; boundary="),
        mail(kind='multipart/mixed; boundary="'),
        mail(kind="multipart/mixed; boundary=B", body=b"--B--"),
        mail(kind="multipart/mixed; boundary=B", body=b"--B\r\n--B\r\n--B--\r\n--B"),
        mail(kind="message/rfc822"),
        mail(kind="message/rfc822", body=b""),
        mail(kind="message/partial; id=x; number=1", body=b"x"),
        mail(kind="message/external-body; access-type=URL", body=b"x: y\r\n\r\nz"),
        mail(kind="/"),
        mail(kind="text/plain; charset=\xff"),
        mail(kind="text/plain; charset*=x'y"),
        mail(kind="text/plain; name*0*=x''%; name*2=y; name*1*=%zz"),
        mail(kind="application/pkcs7-mime", body=b"0\x80"),
        mail("Content-Transfer-Encoding: base64", body=b"!!!!"),
        mail("Content-Transfer-Encoding: x-uuencode", body=b"begin 644 x\r\n!!\r\n"),
        mail("Content-Transfer-Encoding: \x00"),
        mail("Date: \xff", "References: <", "Message-ID: \x00", "Received: ;;;;"),
        mail("From: " + "<" * 3_000),
        mail("From: " + '"\\' * 3_000),
        mail("To: " + "a@b.example, " * 5_000),
        mail("Subject: " + "=?utf-8?B?" * 20_000),
        mail("References: " + "<@@" * 6_000),
        mail("References: <" + "@" * 18_000),
        mail("Authentication-Results: " + "(" * 15_000),
        mail(body=b"<" * 100_000, kind="text/html"),
        mail(body=b"begin 644 x\r\n" * 5_000),
    ],
)
def test_bad_mails_have_a_reading(octets):
    parsed = read(octets)
    assert parsed == read(octets)
    assert parsed.head.automatic == ""


def test_a_boundary_within_another_does_not_hide_a_file():
    inner = nested(TEXT, attached(XLSX, b"attachment; filename=inner.xlsx"), kind="related")
    sent = multipart(
        inner.replace(b"B-related", b"B-mixed-x"), attached(XLSX, b"attachment; filename=outer.xlsx")
    )
    assert [p.filename for p in read(sent).parts] == ["inner.xlsx", "outer.xlsx"]


def test_a_part_without_an_end_is_kept():
    sent = multipart(TEXT, attached(XLSX, b"attachment; filename=a.xlsx"))
    assert [p.filename for p in read(sent[: sent.rindex(b"--B-mixed")]).parts] == ["a.xlsx"]


def test_no_value_of_a_header_has_a_second_line():
    evil = base64.b64encode("x\r\nBcc: a@b.example\u2028\u202e\x00".encode()).decode()
    head = read(
        mail(
            f"Subject: =?utf-8?B?{evil}?=",
            f"From: =?utf-8?B?{evil}?= <a@b.example>",
            f"Reply-To: =?utf-8?B?{evil}?= <c@d.example>",
            f"Message-ID: =?utf-8?B?{evil}?=",
            f"In-Reply-To: x\r\n {evil}",
        )
    ).head
    for value in (head.subject, head.from_[0].name, head.reply_to[0].name, head.message_id, head.in_reply_to):
        assert value.isprintable()


def test_a_reply_to_is_only_what_can_be_written_to():
    assert (
        read(mail("Reply-To: <a b@c.example>, <x@y@z>, c@d.example")).head.reply_to[-1].address
        == "c@d.example"
    )
    assert read(mail("Reply-To: nobody, <@>")).head.reply_to == ()


MAILS = (
    multipart(
        TEXT,
        attached(XLSX, b'attachment; filename="=?gb2312?B?1t3pRoaG.xlsx?="'),
        headers=("Subject: =?gb2312?B?19w=?=",),
    ),
    multipart(
        nested(TEXT, part("text/html", b"<p>x</p><table><tr><td>1"), kind="alternative"),
        b"Content-Type: message/rfc822\r\n\r\n" + mail(),
    ),
    multipart(
        part("application/pkcs7-mime", b"0\x80\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x02\xa0\x80"), kind="report"
    ),
    mail(
        b"From: \xd5\xc2\xce\xb0 <a@b.example>",
        "Date: x",
        "Received: a; b",
        body=b"begin 644 x\r\n#86)C\r\n`\r\nend",
    ),
)
PIECES = st.sampled_from(
    [
        b"\r\n",
        b"\n\n",
        b"--B-mixed",
        b"--",
        b"=?",
        b"?=",
        b'"',
        b";",
        b"*0*=",
        b"''%",
        b"\x00",
        b"\xff",
        b"\xb0\xa1",
        b"Content-Type: ",
        b"multipart/",
        b"message/rfc822",
        b"charset=",
        b"base64",
        b"<",
        b">",
        b"@",
        b"(",
        b"\\",
    ]
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.sampled_from(MAILS), st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 30), PIECES), max_size=8)
)
def test_mutated_mails_never_break_the_reader(octets, changes):
    for at, cut, piece in changes:
        octets = octets[:at] + piece + octets[at + cut :]
    assert_read(octets)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600))
def test_arbitrary_octets_never_break_the_reader(octets):
    assert_read(octets)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=60))
def test_pieces_of_mails_never_break_the_reader(pieces):
    assert_read(b"".join(pieces))


def assert_read(octets: bytes) -> None:
    """Either a reading, the same each time, or the error that a finding is made of."""
    try:
        parsed = read(octets)
    except DocumentError:
        return
    assert parsed == read(octets)
    assert not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in parsed.head.subject)
    assert all(part.key == str(n) for n, part in enumerate(parsed.parts, start=1))
    assert not any(set(part.filename) & set("/\\\r\n\x00") for part in parsed.parts)
    for part_ in parsed.parts:
        assert isinstance(part_.data, bytes)

import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.mail.uuencode import split
from tests.unit.mail.mails import XLSX, mail, read


def encoded(data: bytes, name: str, *, trimmed: bool = False) -> str:
    lines = [binascii.b2a_uu(data[at : at + 45]).decode().rstrip("\n") for at in range(0, len(data), 45)]
    if trimmed:
        lines = [line.rstrip() for line in lines]
    return "\n".join((f"begin 644 {name}", *lines, "`", "end"))


@given(st.binary(min_size=1, max_size=400), st.booleans())
def test_a_file_in_a_text(data, trimmed):
    text, files = split(f"您好\n{encoded(data, '自评表.xlsx', trimmed=trimmed)}\n谢谢")
    assert files == (("自评表.xlsx", data),)
    assert text == "您好\n谢谢"


def test_several_files():
    text, files = split(f"{encoded(b'a', 'a.txt')}\n{encoded(b'b' * 100, 'b.txt')}\n")
    assert files == (("a.txt", b"a"), ("b.txt", b"b" * 100))
    assert text == ""


def test_base64_kind():
    assert split("begin-base64 644 a.txt\naGVsbG8=\n====\n.")[1] == (("a.txt", b"hello"),)


@pytest.mark.parametrize(
    "text",
    [
        "begin 644 x",
        "begin 644 x\n您好",
        "begin at once",
        "Let us begin 644 x\nABC",
        "begin 644 x\n\n",
        "begin-base64 644 x\n您好",
        "",
    ],
)
def test_what_only_looks_like_one(text):
    assert split(text) == (text, ())


def test_a_file_cut_off_is_kept_as_far_as_it_came():
    whole = encoded(XLSX * 20, "a.xlsx").split("\n")
    ((_, data),) = split("\n".join(whole[:4]))[1]
    assert (XLSX * 20).startswith(data)
    assert len(data) == 135


@given(st.text(st.sampled_from("begin 644\nend`#$M x总"), max_size=200))
def test_any_text_is_split(text):
    kept, files = split(text)
    assert len(kept) <= len(text)
    assert isinstance(files, tuple)


def test_in_a_mail():
    body = f"见附件\r\n{encoded(XLSX, '自评表.xlsx')}\r\n"
    for codec in ("utf-8", "gb18030"):
        parsed = read(mail(body=body.encode(codec), kind="text/plain; charset=gb2312"))
        assert [(p.filename, p.data) for p in parsed.parts] == [("自评表.xlsx", XLSX)]
        assert parsed.head.text == "见附件"

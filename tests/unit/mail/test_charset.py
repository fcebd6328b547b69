import base64
import quopri

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailbot.mail import charset
from mailbot.mail.charset import decode, mended, readable, visible, words

HANZI = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), max_size=60)
WRITTEN = st.text(
    st.characters(
        min_codepoint=0x20, max_codepoint=0x10FFFF, exclude_categories=("Cs", "Co", "Cn", "Cc", "Cf")
    ),
    max_size=80,
)


@pytest.mark.parametrize(
    "label", ["gb2312", "GB2312", "gb_2312-80", "gbk", "x-gbk", "cp936", "ms936", '"gb2312"']
)
def test_every_gb_label_means_gb18030(label):
    assert decode("朱镕喆—·㐀𠀀".encode("gb18030"), label) == "朱镕喆—·㐀𠀀"


def test_hz_is_an_encoding_of_its_own():
    assert decode("自评表".encode("hz"), "HZ-GB-2312") == "自评表"


@pytest.mark.parametrize(
    "label", [None, "", "us-ascii", "iso-8859-1", "unknown-8bit", "x-nonsense", "rot13", "zlib"]
)
@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_a_vague_or_unknown_label_is_read_by_the_octets(label, codec):
    assert decode("工作总结".encode(codec), label) == "工作总结"


@pytest.mark.parametrize(("label", "codec"), [("utf-8", "gb18030"), ("big5", "utf-8"), ("ascii", "gb18030")])
def test_a_label_that_lies_is_not_believed(label, codec):
    assert decode("浙江省数学会2020年度工作总结".encode(codec), label) == "浙江省数学会2020年度工作总结"


def test_utf8_labelled_as_gb_and_valid_as_both_is_mended_as_a_word():
    assert words(f"=?gb2312?B?{base64.b64encode('工作总结'.encode()).decode()}?=") == "工作总结"


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_a_text_cut_inside_a_character_keeps_the_rest(codec):
    octets = "浙江省数学会".encode(codec)
    assert decode(octets[:-1], codec).startswith("浙江省数学")


def test_one_broken_octet_does_not_turn_a_utf8_text_into_gb():
    octets = "浙江省".encode() + b"\xff" + "数学会工作总结及计划".encode()
    assert decode(octets, "utf-8") == "浙江省\ufffd数学会工作总结及计划"


@pytest.mark.parametrize("label", ["punycode", "idna", "unicode_escape", "raw-unicode-escape", "undefined"])
def test_codecs_that_no_mail_means_are_not_used(label):
    assert decode(b"abc-\\u4e2d", label) == "abc-\\u4e2d"


@given(
    HANZI, st.sampled_from(["utf-8", "gb2312", "gbk", "gb18030"]), st.sampled_from("BQ"), st.integers(1, 40)
)
def test_encoded_words_cut_anywhere_are_joined_again(text, label, encoding, size):
    octets = text.encode("utf-8" if label == "utf-8" else "gb18030")
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    assert words("\r\n ".join(_word(piece, label, encoding) for piece in pieces)) == text


def _word(octets: bytes, label: str, encoding: str) -> str:
    if encoding == "B":
        return f"=?{label}?B?{base64.b64encode(octets).decode()}?="
    quoted = "".join(f"={octet:02X}" for octet in octets)
    assert quopri.decodestring(quoted) == octets
    return f"=?{label}?Q?{quoted}?="


def test_the_character_that_separate_decoding_corrupts():
    """元 becomes Ԫ where each word is decoded alone."""
    octets = "10元".encode("gb2312")
    first, second = octets[:3], octets[3:]
    assert words(f"{_word(first, 'gb2312', 'B')} {_word(second, 'gb2312', 'B')}") == "10元"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Re: =?gb2312?B?16O6w6Os?= x", "Re: 祝好， x"),
        ("=?utf-8?Q?=E6=80=BB_=E7=BB=93?=", "总 结"),
        ("=?utf-8?Q?a_b?= =?gb2312?Q?=D7=DC?=", "a b总"),
        ("=?utf-8*zh-CN?B?5oC757uT?=", "总结"),
        ("=?utf-8?B?5oC757uT?=.docx", "总结.docx"),
        ("=?utf-8?B?5oC757uT", "=?utf-8?B?5oC757uT"),
        ("=?utf-8?B?5oC7\r\n 57uT?=", "总结"),
        ("=?utf-8?Q?Report =E6=80=BB?=", "Report 总"),
        ("=?utf-8?B?5oC757uTA?=", "总结"),
        ("=?x-none?B?5oC757uT?=", "总结"),
        ("=?utf-8?B?!!!?=", ""),
        ("=?us-ascii?Q?plain?=", "plain"),
    ],
)
def test_encoded_words_as_they_come(value, text):
    assert words(value) == text


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_raw_octets_in_a_header(codec):
    assert words("关于朱镕喆的总结".encode(codec).decode("ascii", "surrogateescape")) == "关于朱镕喆的总结"


@pytest.mark.parametrize("text", ["中文", "工作总结", "2020年度工作总结（终稿）.docx", "浙江省数学会"])
def test_utf8_read_as_gbk_is_mended(text):
    garbled = text.encode().decode("gb18030")
    assert garbled != text
    assert mended(garbled) == text


@given(
    st.text(
        st.sampled_from(
            "浙江省数学物理化医农林机械电子协研究促进会工作总结计划自评表年度关于报送的一二三（）·—0123 .docx"
        )
    )
)
@example("联通")
@example("朱镕喆.xlsx")
@example("Ünïcödé — “quoted”")
def test_right_text_is_never_mended(text):
    assert mended(text) == text


def test_every_everyday_word_of_two_characters_stays():
    common = [bytes((a, b)).decode("gb2312") for a in range(0xB0, 0xD8) for b in range(0xA1, 0xFA)]
    assert all(mended(one + two) == one + two for one in common[::7] for two in common[::11])


@given(WRITTEN, st.sampled_from(["utf-8", "gb18030"]))
def test_what_is_encoded_is_decoded(text, codec):
    encoded = _word(text.encode(codec), codec, "B") if text else ""
    assert words(encoded) == mended(text)


@given(
    st.binary(max_size=200),
    st.sampled_from([None, "utf-8", "gb2312", "iso-2022-jp", "utf-7", "utf-16", "\x00", "é"]),
)
def test_any_octets_become_text(octets, label):
    assert decode(octets, label).encode("utf-8", "surrogatepass") is not None
    assert decode(octets, label) == decode(octets, label)


@given(st.text())
def test_what_is_shown_is_one_line_without_tricks(text):
    shown = visible(text)
    assert "\n" not in shown
    assert "\r" not in shown
    assert not set(shown) & set(map(chr, (0, 7, 0x1B, 0x7F, 0x200B, 0x202E, 0x2066, 0x61C, 0xFEFF, 0x2028)))
    assert visible(shown) == shown


def test_a_name_written_backwards_is_shown_as_it_is():
    assert visible("总结\u202excod.exe") == "总结xcod.exe"


def test_several_lines_keep_their_breaks():
    assert readable("一\r\n二\r三\x00\u202e\t四") == "一\n二\n三\t四"


def test_a_label_is_no_more_than_a_label():
    assert charset.codec(" 'GB2312' ") == "gb18030"

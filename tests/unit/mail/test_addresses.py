import pytest

from mailbot.mail.addresses import addresses, is_address
from mailbot.reading import Address


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("a@example.org", [("", "a@example.org")]),
        ("<a@example.org>", [("", "a@example.org")]),
        ("张三 <a@Example.ORG>", [("张三", "a@example.org")]),
        ('"浙江省数学会; 办公室" <a@example.org>', [("浙江省数学会; 办公室", "a@example.org")]),
        ("浙江省数学会, 办公室 <a@example.org>", [("办公室", "a@example.org")]),
        ("a@example.org <a@example.org>", [("a@example.org", "a@example.org")]),
        ("A@example.org <a@example.org>", [("A@example.org", "a@example.org")]),
        ("b@evil.example <a@example.org>", [("b@evil.example", "a@example.org")]),
        ('"b@evil.example" <a@example.org>', [("b@evil.example", "a@example.org")]),
        ("a@example.org, b@example.org", [("", "a@example.org"), ("", "b@example.org")]),
        ("a@example.org, A@Example.org", [("", "a@example.org")]),
        ("=?utf-8?B?5byg5LiJ?= <a@example.org>", [("张三", "a@example.org")]),
        ('"=?utf-8?B?5byg5LiJ?=" <a@example.org>', [("张三", "a@example.org")]),
        ("x <a@例子.example>", [("x", "a@xn--fsqu00a.example")]),
        ("", []),
        ("nobody", []),
        ("undisclosed-recipients:;", []),
        ("<a@b@example.org>", []),
        ("<用户@example.org>", []),
        ('"a b"@example.org', []),
        ("=?gb2312?B?1cXI/SA8YUBleGFtcGxlLm9yZz4=?=", [("", "a@example.org")]),
        ("=?utf-8?Q?Office,_Hangzhou?= <a@example.org>", [("Office, Hangzhou", "a@example.org")]),
        ("=?utf-8?B?5byg?= =?utf-8?B?5LiJ?= <a@example.org>", [("张三", "a@example.org")]),
        ("=word0= =word7= <a@example.org>", [("=word0= =word7=", "a@example.org")]),
        ("a" * 100 + "@example.org", []),
        ("@" * 20_000, []),
    ],
)
def test_headers(header, expected):
    assert [(a.name, a.address) for a in addresses([header])] == expected


def test_a_name_can_hide_no_line():
    hidden = "=?utf-8?Q?Zhang=0D=0ABcc:_b@example.org?= <a@example.org>"
    assert addresses([hidden]) == (Address(name="Zhang Bcc: b@example.org", address="a@example.org"),)


@pytest.mark.parametrize("text", ["a@b", "a.b+c=d_e@x-y.example.org", "919270015@qq.com", "a@[127.0.0.1]"])
def test_addresses(text):
    assert is_address(text)


@pytest.mark.parametrize(
    "text", ["", "a", "@b", "a@", "a b@c", "a@b\n", "a@b, c@d", "<a@b>", "a@b>", "ä@b", "a;b@c", 'a"b@c']
)
def test_no_addresses(text):
    assert not is_address(text)

import pytest

from mailbot.mail.authentication import dmarc
from mailbot.reading import Authentication
from tests.unit.mail.mails import mail, read

PASSED, FAILED, UNKNOWN = Authentication.PASSED, Authentication.FAILED, Authentication.UNKNOWN


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (
            "mx.qq.com; spf=pass smtp.mailfrom=a@b.c; dkim=pass header.d=b.c; dmarc=pass(permerror) header.from=b.c",
            PASSED,
        ),
        ("mx.qq.com; spf=fail; dmarc=fail (p=NONE sp=NONE) header.from=b.c", FAILED),
        ("mx.qq.com 1; DMARC = FAIL", FAILED),
        ("mx.qq.com; dmarc/1=fail", FAILED),
        ("mx.qq.com;\r\n\tdkim=none;\r\n\tdmarc=none", UNKNOWN),
        ("mx.qq.com; none", UNKNOWN),
        ("mx.qq.com; dmarc=temperror", UNKNOWN),
        ("mx.qq.com; dmarc=permerror", UNKNOWN),
        ("mx.qq.com; dmarc=bestguesspass", UNKNOWN),
        ("mx.qq.com; spf=fail; dkim=fail", UNKNOWN),
        ("mx.qq.com; dmarc=pass; dmarc=fail", FAILED),
        ("mx.qq.com; spf=pass (a; dmarc=pass); dmarc=fail", FAILED),
        ("mx.qq.com; spf=none (a (b; dmarc=pass) c; dmarc=pass (d))", UNKNOWN),
        ('mx.qq.com; spf=pass smtp.mailfrom="; dmarc=pass"@evil.example', UNKNOWN),
        ('mx.qq.com; spf=pass smtp.mailfrom="\\"; dmarc=pass"; dmarc=fail', FAILED),
        ('mx.qq.com; spf=pass (it said "bad); dmarc=fail', FAILED),
        ("mx.qq.com; x=1; reason=dmarc=pass", UNKNOWN),
        ("mx.qq.com; spf=pass a@b.c); dmarc=fail", FAILED),
        (r"mx.qq.com; spf=pass smtp.mailfrom=a\"@b.c; dmarc=fail", FAILED),
        (r"mx.qq.com; spf=pass smtp.mailfrom=\a; dmarc=fail", FAILED),
        ("", UNKNOWN),
        (";", UNKNOWN),
        ("(" * 5000, UNKNOWN),
    ],
)
def test_one_header(value, result):
    assert dmarc([value], None) is result


def test_only_the_topmost_counts():
    assert dmarc(["mx.qq.com; dmarc=fail", "mx.qq.com; dmarc=pass"], None) is FAILED
    assert dmarc(["mx.qq.com; spf=pass", "evil; dmarc=pass"], None) is UNKNOWN


def test_the_topmost_of_the_configured_server_counts():
    headers = ["relay; dmarc=pass", "MX.qq.com; dmarc=fail", "mx.qq.com; dmarc=pass"]
    assert dmarc(headers, "mx.qq.com") is FAILED
    assert dmarc(headers, "other.example") is UNKNOWN
    assert dmarc(["; dmarc=pass", "mx.qq.com; dmarc=fail"], "mx.qq.com") is FAILED
    assert dmarc([], "mx.qq.com") is UNKNOWN


def test_of_a_whole_mail():
    sent = mail(
        "Authentication-Results: relay.example; dmarc=pass",
        "Authentication-Results: mx.qq.com; dmarc=fail",
        "ARC-Authentication-Results: i=1; mx.qq.com; dmarc=pass",
    )
    assert read(sent).head.authentication is PASSED
    assert read(sent, authserv_id="mx.qq.com").head.authentication is FAILED
    assert read(mail()).head.authentication is UNKNOWN

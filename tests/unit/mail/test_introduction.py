"""Whom a mail's own words say that it is from: the writer's own organization, and nobody who is only spoken of."""

from __future__ import annotations

import pytest

from mailbot.mail.introduction import introductions
from tests.unit.mail.mails import mail, read


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("报送单位：浙江省能源集团科协", ("stated", "浙江省能源集团科协")),
        ("填报单位（盖章）： 浙江省数学会", ("stated", "浙江省数学会")),
        ("单位：浙能集团", ("stated", "浙能集团")),
        ("您好，我单位全称为：浙江省能源集团科协", ("stated", "浙江省能源集团科协")),
        ("单位：浙江省医学会，浙江省数学会", ("stated", "浙江省医学会,浙江省数学会")),
        ("您好，现报送浙江省能源集团科协2020年工作总结，请查收。", ("handed_in", "浙江省能源集团科协")),
        ("附件为浙江省医学会的总结和计划。", ("handed_in", "浙江省医学会")),
        ("现将浙江省医学会、浙江省数学会总结报上。", ("handed_in", "浙江省医学会、浙江省数学会")),
        ("材料见附件。\n\n浙江省医学会秘书处\n张三", ("signature", "浙江省医学会秘书处")),
        ("材料见附件。\n浙江省医学会 张三 13800000000", ("signature", "浙江省医学会 张三 13800000000")),
    ],
)
def test_who_writes_is_stated_named_with_the_papers_or_signed(words: str, said: tuple[str, str]) -> None:
    assert introductions(words)[0] == said


@pytest.mark.parametrize(
    "words",
    [
        "我单位是浙江省医学会会员单位",
        "我单位为浙江省医学会的会员，材料见附件。",
        "挂靠单位：浙江省医学会",
        "主管单位：浙江省医学会",
        "我会与浙江省数学会2020年联合举办了年会。",
        "我会联合浙江省化学会举办年会。",
        "抄送：浙江省数学会",
        "感谢浙江省数学会的支持",
        "浙江省数学会组织的年会我会参加了。",
        "浙江省科协学会部：您好，现报送2020年工作总结。",
        "我们的自评表、总结和计划参照浙江省医学会的格式修改好了，见附件。",
        "我会秘书处设在浙江省数学会，材料见附件。",
        "有问题请找浙江省物理学会李老师。",
        "随信附上浙江省数学会总结模板供参考，我们的材料也在附件。",
        "受浙江省数学会委托，报送材料，见附件。",
        "本单位不是浙江省医学会。",
        "王五\n浙江省数学会理事",
        "王五\n浙江省数学会常务理事\n13800000000",
        "材料请查收。",
        "",
    ],
)
def test_who_is_only_spoken_of_does_not_write(words: str) -> None:
    assert introductions(words) == ()


def test_what_is_quoted_or_handed_on_introduces_nobody_and_a_marked_signature_does() -> None:
    quoted = (
        "材料见附件。\n> 报送单位：浙江省医学会\n\n---原始邮件---\n报送单位：浙江省数学会\n浙江省数学会材料"
    )
    head = read(mail(body=quoted.encode())).head
    assert head.introductions == ()
    forwarded = "-----转发的邮件-----\n发件人：李四\n\n报送单位：浙江省数学会"
    handed_on = read(mail("Subject: Fwd: x", body=forwarded.encode())).head
    assert handed_on.introductions == ()
    signed = read(mail(body="见附件。\n-- \n浙江省数学会 张三".encode())).head
    assert signed.introductions == (("signature", "浙江省数学会 张三"),)
    assert "浙江省数学会" not in signed.text

import pytest

from mailbot.mail.body import (
    asks,
    claims_attachment,
    has_form_table,
    html_to_lines,
    html_to_text,
    own_markup,
    own_words,
)

OWN = "已按要求补正，请查收。"
QUOTED = "贵单位的材料缺少工作计划。"


@pytest.mark.parametrize(
    "mark",
    [
        '------------------ 原始邮件 ------------------\n发件人: "章伟" <a@example.org>;',
        "------------------\xa0原始邮件\xa0------------------",
        "---原始邮件---",
        "---Original---",
        "------------------ Original ------------------",
        "-----Original Message-----",
        "-----原始邮件-----\n发件人:章伟 <a@example.org>",
        "---- 回复的原邮件 ----\n| 发件人 | 章伟 |",
        "---- Replied Message ----",
        "----邮件原文----",
        "-----邮件原件-----",
        '在 2021-01-12 15:20:33，"章伟" <a@example.org> 写道：',
        "> 在 2021年1月12日，15:20，章伟 <a@example.org> 写道：",
        "章伟 <a@example.org> 于2021年1月12日周二 下午3:20写道：",
        "On Tue, Jan 12, 2021 at 3:20 PM Zhang <a@example.org> wrote:",
        "发件人： 章伟\n发送时间： 2021-01-12 15:20\n收件人： b",
        "发件人: 章伟 <a@example.org>\n日期: 2021年1月12日",
        "From: Zhang <a@example.org>\nSent: Tuesday, January 12, 2021",
        "________________________________\n发件人: 章伟 <a@example.org>\n发送时间: 2021年1月12日",
    ],
)
def test_quoted_history_is_cut(mark):
    assert own_words(f"{OWN}\n\n{mark}\n\n{QUOTED}\n") == OWN
    assert own_words(f"{mark}\n{QUOTED}") == ""
    assert OWN not in own_words(f"{mark}\n{OWN}")


@pytest.mark.parametrize(
    "text",
    [
        "填报单位\n____________________\n联系人",
        "在学术交流方面，我会写道路安全的科普文章。",
        "-- 第一部分\n总结\n-- 第二部分\n计划",
        "一、原始邮件系统升级\n二、计划",
        "发件人：数学会秘书处\n附上总结。",
        "a > b\nc",
        "<919270015@qq.com> 您好",
    ],
)
def test_own_words_stay(text):
    assert own_words(text) == text


def test_an_address_in_angle_brackets_is_no_markup():
    text = f'{OWN}\n\n在 2021-01-12 15:20:33，"章伟" <a@example.org> 写道：\n{QUOTED}'
    assert own_words(text) == OWN


def test_quoted_lines_and_the_signature_are_cut():
    assert own_words(f"> {QUOTED}\n{OWN}\n-- \n张三\n电话") == OWN


def test_a_line_of_dashes_in_a_long_text_is_no_signature():
    text = "总结\n--\n" + "一年来，我会工作。" * 100
    assert own_words(text) == text


@pytest.mark.parametrize(
    ("text", "forward"),
    [
        (f"------------------ 原始邮件 ------------------\n{QUOTED}", True),
        (f"-------- 转发邮件信息 --------\n{QUOTED}", False),
        (f"---------- Forwarded message ---------\n{QUOTED}", False),
        (f"开始转发的邮件：\n{QUOTED}", False),
    ],
)
def test_what_a_forward_hands_on_is_what_it_says(text, forward):
    assert own_words(text, forward=forward) == text


def test_a_forward_with_words_of_its_own():
    assert own_words(f"{OWN}\n------------------ 原始邮件 ------------------\n{QUOTED}", forward=True) == OWN


@pytest.mark.parametrize(
    "history",
    [
        f"<blockquote type=cite>{QUOTED}</blockquote>",
        f'<div id="divRplyFwdMsg">{QUOTED}</div>',
        f"<div style='x' class=gmail_quote>{QUOTED}</div>",
        f'<div id="isReplyContent">{QUOTED}</div>',
        f"<div>------------------&nbsp;原始邮件&nbsp;------------------</div><div>{QUOTED}</div>",
        f"<div>---- 回复的原邮件 ----</div><table><tr><td>{QUOTED}</td></tr></table>",
    ],
)
def test_quoted_history_in_html(history):
    html = f"<html><body><p>{OWN}</p>{history}</body></html>"
    assert QUOTED not in own_markup(html)
    assert OWN in own_markup(html)
    assert own_markup(html, forward=True) == html
    assert own_words(html_to_lines(html)) == OWN
    assert QUOTED in html_to_lines(html)


def test_a_quotation_that_only_indents_is_no_history():
    html = f"<body><blockquote style='margin:0'><p>{OWN}</p></blockquote></body>"
    assert own_words(html_to_lines(html)) == OWN


def test_html_becomes_lines():
    html = (
        "<head><title>t</title><style>p{}</style></head><p>一<b>二</b>\n三</p>四<br>五<!-- no -->六"
        "<script>no()</script><table><tr><td>七</td><td>八</td></tr></table>&lt;九&gt;"
    )
    assert html_to_text(html) == "一二 三\n四\n五六\n七\t八\n<九>"


@pytest.mark.parametrize("html", ["", "   ", "<", "<!-- -->", "\x00", "<html></html>", "\ud800"])
def test_html_of_nothing(html):
    assert html_to_text(html) in ("", "?", "<")


@pytest.mark.parametrize(
    "text",
    [
        "见附件",
        "材料见附件，请查收。",
        "总结和计划详见附 件",
        "请查看附件。",
        "随信附上总结",
        "附件是自评表",
        "附件：1.总结 2.计划",
        "附件为我会总结",
        "工作总结已附",
        "现报送附件，如有问题请联系。",
        "Please find attached",
        "附件已按要求盖章",
        "材料附件已发，请查收",
        "通知附件已填好，见附件",
        "按照通知要求，附件为我会总结",
        "昨天电话里说的材料见附件",
        "上次忘记发送附件，现补发",
        "之前提交的附件有误，现重新提交附件",
        "通知已收到，附件是我会总结",
        "根据通知，请查收附件",
        "材料见附件查收",
        "收到通知后填写的表见附件",
        "附件请查收",
    ],
)
def test_claims(text):
    assert claims_attachment("", text)
    assert claims_attachment(text, "")


@pytest.mark.parametrize(
    "text",
    [
        "附件在哪里下载？",
        "请问附件中的自评表怎么填？",
        "通知的附件为什么打不开",
        "附件打不开，请重新发一份",
        "通知里没有附件吗？",
        "请发送附件给我们",
        "请问能否再发一下附件",
        "麻烦提供一下附件中的表格",
        "我们没有收到附件",
        "请问截止时间？",
        "章老师：您好，通知附件已收到，谢谢！我们会按时报送。",
        "附件已阅，感谢！",
        "附件均已收悉",
        "附件已下载，正在填写",
        "附件已查收，已转发给同事",
        "已查看附件，我们会按时报送",
        "收到通知附件，谢谢",
        "老师，上次邮件的附件是最终版，不用改了。",
        "昨天发的附件为准",
        "之前邮件附件中的总结不用改了",
        "通知附件中的表已下载",
        "你们发来的附件里有两张表",
        "",
    ],
)
def test_questions_and_thanks_are_no_claims(text):
    assert not claims_attachment("", text)


@pytest.mark.parametrize(
    "text",
    [
        "请问如图所示的这一项怎么填？",
        "我们还要报送吗",
        "什么时候截止",
        "能否延期几天",
        "截止时间?\n谢谢",
        "Is it due today?",
    ],
)
def test_what_is_asked(text):
    assert asks(text)


@pytest.mark.parametrize(
    "text",
    [
        "材料见附件，请查收。",
        "如有问题请联系",
        "https://example.com/a?k=1&b=2",
        "纸质件已寄出",
        "吗啡研究",
        "",
    ],
)
def test_what_asks_nothing(text):
    assert not asks(text)


def test_a_claim_beside_a_question():
    assert claims_attachment("", "总结见附件。请问附件一要盖章吗？")


ROW = "<tr><td>1</td><td>2</td><td>3</td><td>4</td></tr>"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (f"<table>{ROW * 8}</table>", True),
        (f"<table>{ROW.replace('td', 'th')}{ROW * 7}</table>", True),
        (f"<TABLE>{ROW.upper() * 8}</TABLE>", True),
        (f"<table>{ROW * 7}</table>", False),
        (f"<table>{'<tr><td>1</td></tr>' * 30}</table>", False),
        ("&lt;tr&gt;" * 30, False),
        ("<tr" * 30, False),
        ("", False),
    ],
)
def test_a_table_like_a_form(html, expected):
    assert has_form_table(html) is expected


@pytest.mark.parametrize(
    "hostile",
    [
        "-" * 300_000,
        "<blockquote>" * 30_000,
        "<div " * 50_000,
        "在" * 100_000,
        "附件" * 50_000,
        "见" + " " * 100_000,
        "<b>" * 50_000,
        "On " * 50_000,
    ],
)
def test_hostile_bodies_end(hostile):
    assert len(own_words(hostile)) <= len(hostile)
    assert len(own_words(html_to_lines(hostile))) <= len(hostile) + 100
    assert claims_attachment("", hostile) in (True, False)

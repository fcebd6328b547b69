import base64
import email
import os
import random
import subprocess
import sys
from email import policy

import pytest

from mailbot.documents.detect import detect
from mailbot.model import Format
from mailbot.names import safe_name
from mailbot.reading import Address
from tests.unit.mail.mails import OWN, TEXT, XLSX, attached, mail, multipart, nested, part, read

NAME = "朱镕喆.xlsx"


def b64(octets: bytes) -> bytes:
    return base64.b64encode(octets)


def percent(octets: bytes) -> bytes:
    return b"".join(b"%%%02X" % octet for octet in octets)


CUT = NAME.encode("gb18030")
NAMES = {
    "RFC 2047 in quotes, gb2312": b'attachment; filename="=?gb2312?B?' + b64(NAME.encode("gb18030")) + b'?="',
    "RFC 2047 in quotes, gb18030": b'attachment; filename="=?gb18030?B?'
    + b64(NAME.encode("gb18030"))
    + b'?="',
    "RFC 2047 in quotes, utf-8": b'attachment; filename="=?utf-8?B?' + b64(NAME.encode()) + b'?="',
    "RFC 2047 without quotes": b"attachment; filename==?utf-8?B?" + b64(NAME.encode()) + b"?=",
    "cut inside a character and folded": b'attachment;\r\n filename="=?gb2312?B?'
    + b64(CUT[:3])
    + b"?=\r\n\t=?gb2312?B?"
    + b64(CUT[3:])
    + b'?="',
    "RFC 2231 utf-8": b"attachment; filename*=UTF-8''" + percent(NAME.encode()),
    "RFC 2231 gb2312": b"attachment; filename*=gb2312''" + percent(NAME.encode("gb18030")),
    "RFC 2231 GBK with language": b"attachment; filename*=GBK'zh-cn'" + percent(NAME.encode("gb18030")),
    "RFC 2231 that lies": b"attachment; filename*=utf-8''" + percent(NAME.encode("gb18030")),
    "RFC 2231 in pieces cut inside a character": b"attachment; filename*0*=gb2312''"
    + percent(CUT[:3])
    + b"; filename*1*="
    + percent(CUT[3:]),
    "raw utf-8": b'attachment; filename="' + NAME.encode() + b'"',
    "raw gb18030": b'attachment; filename="' + NAME.encode("gb18030") + b'"',
    "raw gb18030 without quotes": b"attachment; filename=" + NAME.encode("gb18030"),
    "utf-8 read as GBK": b'attachment; filename="=?utf-8?B?'
    + b64("中文".encode().decode("gb18030").encode() + b".xlsx")
    + b'?="',
}


@pytest.mark.parametrize("how", NAMES)
def test_file_names(how):
    (found,) = read(multipart(TEXT, attached(XLSX, NAMES[how]))).parts
    assert found.filename == ("中文.xlsx" if how == "utf-8 read as GBK" else NAME)
    assert found.data == XLSX


def test_a_gbk_name_with_a_backslash_for_its_second_octet():
    raw = "乗報.xlsx".encode("gbk")
    assert b"\\" in raw
    (found,) = read(multipart(TEXT, attached(XLSX, b'attachment; filename="' + raw + b'"'))).parts
    assert found.filename == "乗報.xlsx"


def test_the_name_that_can_be_read_counts():
    broken = part(
        'application/octet-stream; name="=?utf-8?B?6Ieq6K+E6KGoLnhsc3g=?="',
        XLSX,
        'Content-Disposition: attachment; filename="???.xlsx"',
    )
    assert read(multipart(TEXT, broken)).parts[0].filename == "自评表.xlsx"


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        (b"Subject: =?gb2312?B?" + b64("朱镕喆—·的总结".encode("gb18030")) + b"?=", "朱镕喆—·的总结"),
        (b"Subject: " + "浙江省数学会总结".encode("gb18030"), "浙江省数学会总结"),
        (b"Subject: " + "浙江省数学会总结".encode(), "浙江省数学会总结"),
        (
            b"Subject: =?utf-8?B?" + b64("总结\r\nBcc: all@example.org".encode()) + b"?=",
            "总结 Bcc: all@example.org",
        ),
        (b"Subject: \xe6\x80\xbb\r\n \xe7\xbb\x93", "总 结"),
        (b"Subject:", ""),
    ],
)
def test_subjects(header, subject):
    assert read(mail(header)).head.subject == subject


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
@pytest.mark.parametrize("label", ["utf-8", "gb2312", "gbk", "us-ascii", "iso-8859-1"])
@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
def test_bodies_whatever_their_label_says(codec, label, encoding):
    text = "您好：朱镕喆—数学会2020年度工作总结及2021年度工作计划，请查收。"
    octets = text.encode(codec)
    if encoding == "base64":
        octets = base64.encodebytes(octets)
    if encoding == "quoted-printable":
        octets = b"".join(b"=%02X" % octet for octet in octets)
    sent = mail(f"Content-Transfer-Encoding: {encoding}", body=octets, kind=f'text/plain; charset="{label}"')
    assert read(sent).head.text == text


@pytest.mark.parametrize("written", ["BASE64", "base64;", "base64 (of course)", ' "base64"  '])
def test_transfer_encodings_with_something_around_them(written):
    sent = mail(f"Content-Transfer-Encoding: {written}", body=base64.encodebytes("见附件".encode()))
    assert read(sent).head.text == "见附件"


def test_addresses_and_names():
    sent = mail(
        b"From: " + "章伟".encode("gb18030") + b" <zhang@Society.Example.COM>",
        b"Reply-To: =?gb2312?B?" + b64("办公室".encode("gb2312")) + b"?= <office@society.example.com>",
        "To: <societies@example.org>, b@example.org",
        "Cc: c@example.org",
    )
    head = read(sent).head
    assert head.from_ == (Address(name="章伟", address="zhang@society.example.com"),)
    assert head.reply_to == (Address(name="办公室", address="office@society.example.com"),)
    assert [a.address for a in head.to] == ["societies@example.org", "b@example.org"]
    assert [a.address for a in head.cc] == ["c@example.org"]


def test_several_from_headers_are_several_senders():
    assert len(read(mail("From: a@example.org", "From: b@example.org")).head.from_) == 2


def test_the_date_is_the_senders_and_nothing_else():
    head = read(
        mail(
            "Received: from a by newxmmx.qq.com (NewMX) with SMTP id 1 for <x>; Fri, 15 Jan 2021 17:29:58 +0800",
            "Received: from x by y; Fri, 15 Jan 2021 09:00:00 +0800",
            "Date: Fri, 01 Jan 2021 00:00:00 CST",
        )
    ).head
    assert head.received.isoformat() == "2021-01-15T09:29:58+00:00"
    assert head.date.isoformat() == "2020-12-31T16:00:00+00:00"


def test_without_received_there_is_no_witness():
    assert read(mail()).head.received is None


def test_references_keep_the_nearest():
    chain = " ".join(f"<{n}@x>" for n in range(50))
    head = read(mail(f"References: {chain}", "In-Reply-To: <49@x>")).head
    assert head.references[-1] == "<49@x>"
    assert len(head.references) == 20
    assert head.in_reply_to == "<49@x>"


# --- words and files --------------------------------------------------------------------------------------------


def test_plain_text_goes_before_its_html_twin():
    both = nested(TEXT, part("text/html; charset=utf-8", "<p>见<b>附件</b></p>".encode()), kind="alternative")
    assert read(multipart(both)).head.text == "见附件"


def test_a_blank_plain_twin_leaves_the_html():
    both = nested(
        part("text/plain", b" \r\n"),
        part("text/html; charset=gb2312", "<p>总结见附件</p>".encode("gbk")),
        kind="alternative",
    )
    assert read(multipart(both, part("text/plain", "发自我的手机".encode()))).head.text.split() == [
        "总结见附件",
        "发自我的手机",
    ]


def test_html_before_and_after_a_file_is_read_whole():
    html = [part("text/html; charset=utf-8", f"<div>{t}</div>".encode()) for t in ("上文", "下文")]
    parsed = read(multipart(html[0], attached(XLSX, b"attachment; filename=a.xlsx"), html[1]))
    assert parsed.head.text.split() == ["上文", "下文"]


def test_a_multipart_without_its_delimiters_is_text():
    assert (
        read(mail(body="总结见附件".encode(), kind="multipart/mixed; boundary=nowhere")).head.text
        == "总结见附件"
    )


def test_a_body_with_an_xml_declaration_is_read():
    html = '<?xml version="1.0" encoding="gb2312"?><html><body><p>见附件</p></body></html>'.encode()
    assert read(mail(body=html, kind="text/html; charset=utf-8")).head.text == "见附件"


PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(3000)
PHOTO = b"\xff\xd8\xff\xe0" + random.Random(1).randbytes(60_000)


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-ID: <a@b>", "Content-Disposition: inline; filename=logo.png"),
        ("Content-ID: <a@b>",),
        ("Content-Disposition: inline; filename=image001.png",),
    ],
)
def test_a_small_picture_in_the_body_is_a_signature(headers):
    assert read(multipart(TEXT, part('image/png; name="logo.png"', PICTURE, *headers))).parts == ()


@pytest.mark.parametrize(
    ("picture", "headers", "inline"),
    [
        (PICTURE, ("Content-Disposition: attachment; filename=自评表.png",), False),
        (PICTURE, ("Content-ID: <a@b>", "Content-Disposition: attachment; filename=自评表.png"), False),
        (PHOTO, ("Content-ID: <a@b>", "Content-Disposition: inline; filename=IMG_1.jpg"), True),
        (PICTURE, (), False),
    ],
)
def test_other_pictures_are_documents(picture, headers, inline):
    (found,) = read(multipart(TEXT, part('image/png; name="x.png"', picture, *headers))).parts
    assert found.data == picture
    assert found.inline is inline


@pytest.mark.parametrize(
    ("html", "identity", "shown"),
    [
        ('<p>你好</p><img src="cid:a@b">', "<a@b>", True),
        ("<p>你好</p>", "<a@b>", False),
        ('<img src="cid:c@d">', "<a@b>", False),
    ],
)
def test_a_picture_knows_whether_the_words_show_it(html, identity, shown):
    words = part("text/html; charset=utf-8", html.encode())
    picture = part(
        'image/jpeg; name="1.jpg"',
        PHOTO,
        f"Content-ID: {identity}",
        "Content-Disposition: inline; filename=1.jpg",
    )
    (found,) = read(multipart(words, picture, kind="related")).parts
    assert (found.inline, found.shown) == (True, shown)


def test_whether_something_is_asked():
    assert read(mail("Subject: 请问截止时间", body=b"")).head.asks
    assert read(mail(body="何时截止？".encode())).head.asks
    assert not read(mail(body="材料见附件".encode())).head.asks


def test_word_that_papers_will_come():
    for body in ("通知收悉，我会将于下周五前报送材料。", "自评表稍后报送。"):
        assert read(mail(body=body.encode())).head.asks
    assert not read(mail(body="现将材料报送给您，将于年底前完成换届。".encode())).head.asks


def test_an_office_file_shown_inline_is_a_document():
    """Apple Mail marks every file so."""
    (found,) = read(multipart(TEXT, attached(XLSX, b"inline; filename=a.xlsx"))).parts
    assert found.filename == "a.xlsx"


def test_a_file_without_a_name_gets_one():
    (found,) = read(multipart(TEXT, attached(XLSX, b"attachment", kind="application/pdf"))).parts
    assert found.filename == "attachment.pdf"


def test_an_empty_file_is_kept():
    (found,) = read(multipart(TEXT, attached(b"", b"attachment; filename=a.xlsx"))).parts
    assert (found.filename, found.data) == ("a.xlsx", b"")


def test_keys_are_places():
    parts = [attached(XLSX, b"attachment; filename=%d.xlsx" % n) for n in range(3)]
    assert [p.key for p in read(multipart(TEXT, *parts)).parts] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "kind",
    ["application/pkcs7-signature", "application/pgp-signature", "text/calendar", "application/applefile"],
)
def test_what_is_no_document(kind):
    assert read(multipart(TEXT, part(f"{kind}; name=x.bin", b"octets"))).parts == ()


def test_winmail_dat_stays_a_part():
    tnef = b"\x78\x9f\x3e\x22" + bytes(50)
    (found,) = read(multipart(TEXT, part('application/ms-tnef; name="winmail.dat"', tnef))).parts
    assert (found.filename, found.data) == ("winmail.dat", tnef)


def test_a_signed_mail_keeps_its_files():
    content = nested(TEXT, attached(XLSX, b"attachment; filename=a.xlsx"), kind="mixed")
    signature = part("application/pkcs7-signature; name=smime.p7s", b"signature")
    parsed = read(
        mail(
            "Content-Type: multipart/signed; boundary=S",
            body=b"--S\r\n" + content + b"\r\n--S\r\n" + signature + b"\r\n--S--\r\n",
        )
    )
    assert [p.filename for p in parsed.parts] == ["a.xlsx"]
    assert parsed.head.text == "见附件"


# --- mails within the mail --------------------------------------------------------------------------------------

INNER = mail(
    b"Subject: " + "工作总结 ".encode("gb18030") + b"with many words " * 12,
    body="正文 朱镕喆\r\n\r\nFrom here on\r\n".encode("gb18030"),
    kind="text/plain; charset=gb2312",
)


def test_a_forwarded_mail_keeps_its_octets():
    (found,) = read(multipart(TEXT, b"Content-Type: message/rfc822\r\n\r\n" + INNER)).parts
    assert (found.filename, found.content_type) == ("message.eml", "message/rfc822")
    assert found.data == INNER
    assert read(found.data).head.text == "正文 朱镕喆\n\nFrom here on"


@pytest.mark.parametrize("kind", ["message/rfc822", "message/global"])
def test_a_forwarded_mail_encoded_against_the_rules(kind):
    name = b'Content-Disposition: attachment; filename="=?gb2312?B?' + b64("转发.eml".encode("gbk")) + b'?="'
    (found,) = read(multipart(TEXT, part(kind, INNER, name))).parts
    assert found.filename == "转发.eml"
    assert found.data == INNER


def test_the_files_of_a_forwarded_mail_are_its_own():
    inner = multipart(TEXT, attached(XLSX, b"attachment; filename=a.xlsx"), kind="related")
    parsed = read(multipart(TEXT, TEXT, b"Content-Type: message/rfc822\r\n\r\n" + inner))
    assert [p.filename for p in parsed.parts] == ["message.eml"]
    assert [p.filename for p in read(parsed.parts[0].data).parts] == ["a.xlsx"]


def test_a_forwarded_robots_mail_does_not_make_the_forwarder_a_robot():
    inner = mail("Auto-Submitted: auto-replied", "Subject: 自动回复: 总结")
    assert read(multipart(TEXT, b"Content-Type: message/rfc822\r\n\r\n" + inner)).head.automatic == ""


# --- the body as a document --------------------------------------------------------------------------------------

FORM_ROWS = "".join(f"<tr><td>{n}</td><td>内容</td><td>5</td><td>5</td><td>依据</td></tr>" for n in range(25))
FORM = f"<p>自评表如下</p><table>{FORM_ROWS}</table>"


def test_a_form_pasted_into_the_body_is_a_document():
    (found,) = read(mail(body=FORM.encode(), kind="text/html; charset=utf-8")).parts
    assert (found.filename, found.content_type) == ("", "text/html")
    assert "<table>" in found.data.decode()
    assert detect(found.data) is Format.HTML


def test_a_table_in_the_quoted_history_is_not_the_senders():
    html = f"<p>已补正，见附件。</p><blockquote>{FORM}</blockquote>"
    assert (
        read(mail("Subject: 回复: 请补正", body=html.encode(), kind="text/html; charset=utf-8")).parts == ()
    )


def test_a_form_in_a_forward_is_handed_on():
    html = f"<p>请查收</p><blockquote>{FORM}</blockquote>"
    assert (
        len(read(mail("Subject: 转发: 自评表", body=html.encode(), kind="text/html; charset=utf-8")).parts)
        == 1
    )


def test_a_summary_written_into_the_body_is_a_document():
    text = "浙江省数学会2020年度工作总结\r\n" + "一年来，我会积极开展学术交流活动。" * 30
    (found,) = read(mail(body=text.encode())).parts
    assert found.content_type == "text/plain"
    assert found.data.decode().startswith("浙江省数学会2020年度工作总结\n")
    plan = "2021年度工作计划\r\n" + "计划举办学术年会，开展科普活动，拟新增会员。" * 6
    assert len(read(mail(body=plan.encode())).parts) == 1


@pytest.mark.parametrize("text", ["请问总结何时截止？", "随便说说" * 200])
def test_other_bodies_are_no_documents(text):
    assert read(mail(body=text.encode())).parts == ()


# --- reply to our letter -----------------------------------------------------------------------------------------

LETTER = """
在 2021-01-12 15:20:33，"浙江省科协学会部" <societies@example.org> 写道：
您好：贵单位的工作总结未附，请见附件。这是来自QQ邮箱的假期自动回复邮件。
从QQ邮箱发来的超大附件
旧.zip (1.5G, 无限期)进入下载页面：http://mail.qq.com/cgi-bin/ftnExs_download?k=77
"""


def test_only_the_senders_own_words_count():
    head = read(
        mail("Subject: Re: 【请补正】数学会", body=("请问还缺什么材料？\n" + LETTER * 5).encode())
    ).head
    assert head.text == "请问还缺什么材料？"
    assert head.links == ()
    assert not head.claims_attachment
    assert head.automatic == ""


CORRECTION = """浙江省数学会：

您好！贵单位报送2020年度省级学会工作总结材料的邮件已收到。经核对，以下内容需要补正。请将补正后的文件作为附件，直接回复本邮件。

1. 尚缺下一年度工作计划，请补报。

回执编号：2020-000001-6d55b2c2
截至目前已收到的材料：
  · 工作总结：总结.docx（2021年1月10日9:00收到）

如有疑问，请直接回复本邮件。

本邮件由系统自动发出。报送要求见通知（浙科协学发〔2020〕27号）。
"""
REWRITTEN = CORRECTION.replace("贵单位报送2020年度省级学会工作总结材料的邮件已收到", "来件收悉")
QUESTION = "老师，这个补正通知是什么意思？"
QQ = "------------------ 原始邮件 ------------------\n发件人: 学会部\n"


@pytest.mark.parametrize("letter", [CORRECTION, REWRITTEN])
@pytest.mark.parametrize(
    ("subject", "mark"), [("转发：【请补正】", QQ), ("Re: 【请补正】", ""), ("请教", "")]
)
def test_our_letter_sent_back_is_no_document(subject, mark, letter):
    body = f"{QUESTION}\n\n{mark}{letter * 3}".encode()
    parsed = read(mail(f"Subject: {subject}", body=body))
    assert parsed.parts == ()
    assert parsed.head.text.startswith(QUESTION)
    assert "尚缺" not in parsed.head.text


def test_our_letter_quoted_in_markup_without_a_mark_is_no_document():
    html = "".join(f"<p>{line}</p>" for line in f"{QUESTION}\n{CORRECTION * 3}".splitlines())
    parsed = read(mail("Subject: Re: 【请补正】", body=html.encode(), kind="text/html; charset=utf-8"))
    assert parsed.parts == ()


def test_a_plan_written_around_our_letter_is_a_document():
    plan = "浙江省数学会2021年工作计划\n" + "我会将继续开展学术交流活动。" * 30
    for body in (f"{plan}\n{CORRECTION}", f"{CORRECTION}\n{plan}"):
        (found,) = read(mail("Subject: Re: 【请补正】", body=body.encode())).parts
        assert "继续开展" in found.data.decode()
        assert "尚缺" not in found.data.decode()


@pytest.mark.parametrize(
    "own_id", [f"<mailbot.{'0f' * 16}@example.org>", f"<mailbot.reminder.{'0f' * 16}@example.org>"]
)
def test_our_letter_attached_as_a_mail_is_no_document(own_id):
    letter = mail("Subject: 【请补正】", f"Message-ID: {own_id}", body=CORRECTION.encode())
    as_mail = b"Content-Type: message/rfc822\r\n\r\n" + letter
    as_file = attached(letter, b"attachment; filename=notice.eml")
    assert read(multipart(TEXT, as_mail, as_file)).parts == ()
    other = letter.replace(b"<mailbot.", b"<1.")
    assert len(read(multipart(TEXT, b"Content-Type: message/rfc822\r\n\r\n" + other)).parts) == 1


def test_a_link_to_a_file_that_is_also_attached_is_none():
    body = "工作总结.docx (128M, 2021年2月1日 21:59 到期)进入下载页面：http://mail.qq.com/cgi-bin/ftnExs_download?k=1"
    text = part("text/plain; charset=utf-8", body.encode())
    named = "attachment; filename=工作总结.docx".encode()
    assert len(read(multipart(text)).head.links) == 1
    assert read(multipart(text, attached(XLSX, named))).head.links == ()


# --- names of files, fingerprints ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\自评表.xlsx", "自评表.xlsx"),
        ("..", ""),
        (".", ""),
        ("自评表.xlsx\x00.exe", "自评表.xlsx.exe"),
        ("con.xlsx", "_con.xlsx"),
        ("COM1", "_COM1"),
        ("总结\u202excod.exe", "总结xcod.exe"),
        ("a\r\nBcc: x.pdf", "a Bcc: x.pdf"),
        ("新建 Microsoft Word 文档.docx", "新建 Microsoft Word 文档.docx"),
    ],
)
def test_names_are_made_safe(name, safe):
    assert safe_name(name) == safe


def test_a_long_name_keeps_its_ending():
    assert len(safe_name("总" * 500 + ".docx")) == 200
    assert safe_name("总" * 500 + ".docx").endswith("总.docx")
    assert len(safe_name("总" * 500)) == 200


def test_two_copies_have_one_fingerprint_whatever_servers_added():
    one = multipart(TEXT, attached(XLSX, b"attachment; filename=a.xlsx"), headers=("Subject: a",))
    other = (
        b"Received: from x by y; Thu, 14 Jan 2021 09:12:03 +0800\r\nReturn-Path: <x@y>\r\nX-QQ-mid: 1\r\n"
        + one
    )
    assert read(one).head.fingerprint == read(other).head.fingerprint


@pytest.mark.parametrize(
    "other",
    [
        multipart(TEXT, attached(XLSX + b"!", b"attachment; filename=a.xlsx"), headers=("Subject: a",)),
        multipart(TEXT, attached(XLSX, b"attachment; filename=a.xlsx"), headers=("Subject: b",)),
        multipart(
            TEXT, attached(XLSX, b"attachment; filename=a.xlsx"), headers=("Subject: a", "Message-ID: <2@x>")
        ),
    ],
)
def test_different_mails_have_different_fingerprints(other):
    one = multipart(TEXT, attached(XLSX, b"attachment; filename=a.xlsx"), headers=("Subject: a",))
    assert read(one).head.fingerprint != read(other).head.fingerprint


def test_reading_twice_gives_the_same():
    sent = multipart(TEXT, attached(XLSX, NAMES["raw gb18030"]), headers=("Subject: " + "总结" * 50,))
    assert read(sent) == read(sent)


def test_the_library_and_we_agree_on_an_ordinary_mail():
    sent = multipart(
        TEXT, attached(XLSX, NAMES["RFC 2231 utf-8"]), headers=("Subject: =?utf-8?B?5oC757uT?=",)
    )
    standard = email.message_from_bytes(sent, policy=policy.default)
    ours = read(sent)
    assert ours.head.subject == standard["subject"]
    assert [p.filename for p in ours.parts] == [a.get_filename() for a in standard.iter_attachments()]
    assert [p.data for p in ours.parts] == [a.get_content() for a in standard.iter_attachments()]


def test_nothing_about_a_mail_depends_on_the_run():
    """Hash seeds and locales differ from run to run; a reading does not."""
    sent = multipart(
        TEXT, attached(XLSX, NAMES["raw utf-8"]), headers=("To: a@x, b@x, c@x, d@x", "Subject: x")
    )
    script = (
        "import sys; from mailbot.mail.parse import parse;"
        f"print(ascii(parse(sys.stdin.buffer.read(), authserv_id=None, own_addresses=frozenset({sorted(OWN)}))))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            input=sent,
            capture_output=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "LC_ALL": "C", "TZ": zone},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Shanghai"))
    }
    assert len(outputs) == 1


def test_of_two_message_ids_the_first_is_taken():
    twice = mail("Message-ID: <first@society.example.com>", "Message-ID: <second@society.example.com>")
    assert read(twice).head.message_id == "<first@society.example.com>"

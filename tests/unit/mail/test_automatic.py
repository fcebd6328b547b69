import pytest

from mailbot.mail import automatic
from mailbot.mail.compose import reply_message_id
from tests.unit.mail.mails import TEXT, XLSX, attached, mail, multipart, part, read

VACATION = "这是来自QQ邮箱的假期自动回复邮件。\r\n\r\n您好，我最近正在休假中，无法亲自回复您的邮件。"
DOCUMENT = attached(XLSX, "attachment; filename=自评表.xlsx".encode())


def sign(*headers: str | bytes, body: str = "您好", **kind: str) -> str:
    return read(mail(*headers, body=body.encode(), **kind)).head.automatic


def sign_with_document(*headers: str | bytes) -> str:
    return read(multipart(TEXT, DOCUMENT, headers=headers)).head.automatic


SURE = [
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: auto-generated (rejected)",
    "Auto-Submitted: auto-notified; owner-email=x@example.org",
    "Auto-Submitted: AUTO-REPLIED",
    "Precedence: auto_reply",
    "X-QQ-HolidayReply: 1",
    "X-QQ-AUTO-REPLY: 1",
    "X-Autoreply: yes",
    "X-Autorespond: on holiday",
    "X-Failed-Recipients: a@example.org",
    "Return-Path: <>",
    "Return-Path: < >",
    "Return-Path: <zhang+auto_=societies=example.org@qq.com>",
    "Sender: <zhang+auto_=x@qq.com>",
    "From: MAILER-DAEMON@example.com",
    "From: PostMaster@qq.com",
    "From: postmaster@163.com",
    "From: bounces+12@example.com",
    "From: societies@example.org",
    "From: Enterprises@Example.ORG",
    f"Message-ID: {reply_message_id('2020', '0' * 64, 'receipt', 'example.org')}",
]


@pytest.mark.parametrize("header", SURE)
def test_sure_signs_count_whatever_the_mail_carries(header):
    assert sign(header)
    assert sign_with_document(header)


@pytest.mark.parametrize(
    "subject",
    [
        "自动回复:关于上报总结的通知",
        "自动回复：关于上报总结的通知",
        "自动回复: Re: 总结",
        "[自动回复] 总结",
        "自动回复",
        "自动答复: 总结",
        "自動回覆: 总结",
        "休假自动回复：总结",
        "来自qq.com的退信",
        "系统退信",
        "系统退信/Systems bounce",
        "已读：总结",
        "已读回执: 总结",
        "未读: 总结",
        "未送达: 总结",
        "Automatic reply: 总结",
        "Auto-Reply: 总结",
        "Out of Office: 总结",
        "Undelivered Mail Returned to Sender",
        "Undeliverable: 总结",
        "Delivery Status Notification (Failure)",
        "failure notice",
        "Returned mail: see transcript for details",
        "Read: 总结",
        "Not read: 总结",
    ],
)
def test_subjects_of_robots(subject):
    assert sign(f"Subject: {subject}") == f"Subject: {subject}"


@pytest.mark.parametrize(
    "subject",
    [
        "Re: 【请补正】浙江省数学会 2020-0017",
        "回复: 【请补正】浙江省数学会 2020-0017",
        "Re: 自动回复: 关于上报总结的通知",
        "回复：自动回复：总结",
        "转发: 自动回复: 总结",
        "Fw: 来自qq.com的退信",
        "自动回复收到了，请问何时确认？",
        "关于自动回复的问题",
        "系统退信怎么办？",
        "邮件投递失败，现重新发送总结",
        "退信后重新报送：数学会总结",
        "回执：数学会2020年度总结",
        "已读通知，请问截止时间",
        "2020年度自动化学会工作总结",
        "自动化学会自评表",
        "Reading group report",
        "",
    ],
)
def test_subjects_of_people(subject):
    assert sign(f"Subject: {subject}") == ""


@pytest.mark.parametrize(
    "headers",
    [
        ("Subject: 自动回复: 2020年度工作总结",),
        ("Subject: 邮件投递失败",),
        ("From: postmaster@society.example.com",),
        ("From: no-reply@scanner.society.example.com",),
        ("From: noreply-account@example.com",),
        ("From: do_not_reply@example.com",),
        ("Precedence: bulk",),
        ("List-Id: <all.society.example.com>",),
        ("List-Id: <all.society.example.com>", "To: all@society.example.com", "Cc: Societies@Example.org"),
    ],
)
def test_one_sign_is_enough_also_where_a_document_came(headers):
    assert sign(*headers)
    assert sign_with_document(*headers)


@pytest.mark.parametrize(
    "returned",
    [
        b"Content-Type: message/rfc822\r\n\r\n" + mail("Subject: x"),
        attached(b"From: x", b'attachment; filename="original.eml"'),
        attached(b"smtp; 550", b"attachment; filename=details.txt", kind="text/plain"),
        part(
            "image/png",
            b"\x89PNG" + bytes(90_000),
            "Content-ID: <logo>",
            "Content-Disposition: inline; filename=logo.png",
        ),
    ],
)
def test_what_robots_attach_does_not_make_them_people(returned):
    assert read(multipart(TEXT, returned, headers=("Subject: 系统退信",))).head.automatic


@pytest.mark.parametrize("precedence", ["bulk", "list", "junk", "BULK"])
def test_precedence_of_robots(precedence):
    assert sign(f"Precedence: {precedence}")


@pytest.mark.parametrize(
    "headers",
    [
        ("Precedence: normal",),
        ("Precedence: first-class",),
        ("Precedence: special-delivery",),
        ("Auto-Submitted: no",),
        ("Auto-Submitted: No (a person)",),
        ("X-Autoreply: no",),
        ("X-QQ-AUTO-REPLY: 0",),
        ("X-Auto-Response-Suppress: All",),
        ("Return-Path: <zhang@society.example.com>",),
        ("List-Unsubscribe: <mailto:x@example.com>",),
        ("From: info@society.example.com",),
        ("From: office@society.example.com",),
        ("From: admin@society.example.com",),
        ("From: reply@society.example.com",),
        ("Disposition-Notification-To: zhang@society.example.com",),
        ("X-QQ-mid: xmdrz51t1610586723t",),
        ("Importance: high", "X-Priority: 1"),
    ],
)
def test_headers_of_people(headers):
    assert sign(*headers) == ""


@pytest.mark.parametrize(
    "robot", ["no-reply@example.com", "postmaster@society.example.com", "mailer-daemon@x.example"]
)
def test_an_address_by_itself_tells_a_robot(robot):
    """So a document that a scanner sent is read, and its no-reply address is still never answered."""
    assert automatic.sign({}, content_type="", sender=robot, body="", own=())


def test_every_value_of_a_header_that_stands_twice_is_seen():
    assert sign("Auto-Submitted: no", "Auto-Submitted: auto-replied")
    assert sign("Auto-Submitted: auto-replied", "Auto-Submitted: no")


def test_the_topmost_return_path_is_the_servers():
    assert sign("Return-Path: <zhang@society.example.com>", "Return-Path: <>") == ""


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/report; report-type=delivery-status; boundary=B",
        "message/disposition-notification",
        "multipart/report; boundary=B",
    ],
)
def test_reports(kind):
    assert sign(kind=kind).startswith("Content-Type: ")


def test_the_vacation_reply_of_qq():
    assert sign(body=VACATION)
    assert sign("Subject: 数学会", body=f"<div>{VACATION}</div>", kind="text/html; charset=utf-8")


@pytest.mark.parametrize(
    "body",
    [
        "贵处回信说：这是来自QQ邮箱的假期自动回复邮件。请问材料收到了吗？",
        f"请问材料收到了吗？\r\n\r\n------------------ 原始邮件 ------------------\r\n{VACATION}",
        f"请问材料收到了吗？\r\n> {VACATION}",
        f'请问材料收到了吗？\r\n\r\n在 2021-01-12 15:20:33，"章伟" <a@example.org> 写道：\r\n{VACATION}',
        "上一封邮件被退信了，系统退信说邮箱已满，现重新发送。",
        "本邮件由系统自动发出，请勿回复。——以上是我们收到的，请问怎么办？",
        "",
    ],
)
def test_a_person_who_quotes_a_robot(body):
    assert sign("Subject: Re: 总结", body=body) == ""


def test_a_person_who_quotes_a_robot_in_html():
    html = f"<div>请问收到了吗？</div><blockquote><div>{VACATION}</div></blockquote>"
    assert sign(body=html, kind="text/html; charset=utf-8") == ""


def test_a_person_who_answers_our_letter():
    ours = reply_message_id("2020", "0" * 64, "correction", "example.org")
    assert sign("Subject: Re: 【请补正】数学会", f"In-Reply-To: {ours}", f"References: {ours}") == ""


def test_encoded_signs_are_decoded():
    assert sign("Subject: =?gb2312?B?19S2r7vYuLQ6?= x")


OURS = reply_message_id("2020", "1" * 64, "correction", "example.org")


@pytest.mark.parametrize(
    "returned",
    [
        b"Content-Type: message/rfc822\r\n\r\n" + mail(f"Message-ID: {OURS}"),
        part("text/rfc822-headers", f"Message-ID: {OURS}\r\nSubject: x\r\n".encode()),
        part("text/rfc822-headers", f"Message-ID: {OURS}\r\n".encode(), encoding="7bit"),
        part("text/plain", f"The mail {OURS} could not be delivered".encode()),
    ],
)
def test_a_bounce_names_the_mail_that_it_returns(returned):
    head = read(multipart(TEXT, returned, kind="report")).head
    assert head.automatic == "Content-Type: multipart/report"
    assert OURS in head.bounced_ids


def test_a_persons_mail_returns_nothing():
    assert read(mail(body=f"See {OURS}".encode())).head.bounced_ids == ()


def test_a_bounce_of_qq():
    bounce = mail(
        "From: PostMaster@qq.com",
        "Subject: =?gb18030?B?" + "wLTX1HFxLmNvbbXEzcvQxQ==" + "?=",
        body=OURS.encode(),
    )
    head = read(bounce).head
    assert head.subject == "来自qq.com的退信"
    assert head.automatic
    assert head.bounced_ids == (OURS,)

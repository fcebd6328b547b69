import email
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email import policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.mail.charset import visible
from mailbot.mail.compose import Attachment, OutgoingMail, compose, reply_message_id
from mailbot.reading import Address
from tests.unit.mail.mails import read

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MAIL = OutgoingMail(
    sender=Address(name="浙江省科协学会部", address="office@example.net"),
    to=("zhang@society.example.com",),
    subject="【请补正】浙江省数学会 2020-0017",
    text="您好：\n第8项自评分超过分值。\n.\nFrom now on\n",
    html="<p>您好：</p><p>第8项自评分超过分值。</p>",
    message_id=reply_message_id("2020", "0" * 64, "correction", "example.net"),
    date=datetime(2021, 1, 14, 9, 12, 3, tzinfo=timezone(timedelta(hours=8))),
    in_reply_to="<1@society.example.com>",
    references=("<0@society.example.com>", "<1@society.example.com>"),
    attachments=(
        Attachment(filename="自评表（标注）.xlsx", content_type=XLSX, data=bytes(range(256)) * 20),
        Attachment(filename="进度.png", content_type="image/png", data=b"\x89PNG", content_id="progress"),
    ),
)
ANY = st.text(st.characters(exclude_categories=("Cs",)), max_size=400)


def standard(octets: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(octets, policy=policy.default)


def assert_clean(octets: bytes) -> None:
    """RFC 5322 §2.1.1 and §2.3: lines end in CRLF, none is too long, nothing but ASCII, no NUL."""
    assert octets.isascii()
    assert b"\x00" not in octets
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", octets)
    assert max(map(len, octets.split(b"\r\n"))) <= 998


def test_the_same_mail_is_the_same_octets():
    assert compose(MAIL) == compose(replace(MAIL))
    assert compose(MAIL) != compose(
        replace(MAIL, message_id=reply_message_id("2020", "1" * 64, "correction", "x.y"))
    )


def test_the_standard_library_reads_it_back():
    octets = compose(MAIL)
    assert_clean(octets)
    back = standard(octets)
    assert back["subject"] == MAIL.subject
    assert back["from"].addresses[0].display_name == MAIL.sender.name
    assert back["from"].addresses[0].addr_spec == MAIL.sender.address
    assert back["to"] == "zhang@society.example.com"
    assert back["date"].datetime == MAIL.date
    assert back["message-id"] == MAIL.message_id
    assert back["in-reply-to"] == "<1@society.example.com>"
    assert back["references"] == "<0@society.example.com> <1@society.example.com>"
    assert back["auto-submitted"] == "auto-replied"
    assert back["x-auto-response-suppress"] == "All"
    assert back["precedence"] is None
    assert back.get_body(("plain",)).get_content() == MAIL.text.replace("\n", "\r\n")
    assert back.get_body(("html",)).get_content().strip() == MAIL.html
    assert [part.get_content_type() for part in back.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        XLSX,
    ]
    assert not [part.defects for part in back.walk() if part.defects]


def test_our_own_reader_reads_it_back():
    parsed = read(compose(MAIL))
    assert parsed.head.subject == MAIL.subject
    assert parsed.head.from_ == (MAIL.sender,)
    assert parsed.head.automatic.startswith("Message-ID: <mailbot.")
    assert [(p.filename, p.data) for p in parsed.parts] == [("自评表（标注）.xlsx", MAIL.attachments[0].data)]
    assert parsed.head.text.startswith("您好：\n第8项")


def test_file_names_are_rfc_2047_words_in_both_places():
    octets = compose(MAIL)
    assert b"filename*" not in octets
    assert b"name*" not in octets
    assert octets.count(b'name="=?utf-8?') == 2


def test_a_long_file_name_fits_its_lines_and_comes_back():
    long = "关于报送二〇二〇年度工作总结及二〇二一年度工作计划的" * 7 + "自评表.xlsx"
    octets = compose(replace(MAIL, attachments=(Attachment(filename=long, content_type=XLSX, data=b"x"),)))
    assert_clean(octets)
    assert read(octets).parts[0].filename == long


@pytest.mark.parametrize(
    "name", ['a".xlsx', "a\\b.xlsx", 'x"; evil="y.xlsx', "a\r\nX-Evil: 1.xlsx", '总"结.xlsx', "a;b.xlsx"]
)
def test_names_never_leave_their_quotes(name):
    octets = compose(replace(MAIL, attachments=(Attachment(filename=name, content_type=XLSX, data=b"x"),)))
    (back,) = standard(octets).iter_attachments()
    assert set(back["content-disposition"].params) == {"filename"}
    assert back.get_filename() == visible(name).replace('"', "_").replace("\\", "_")
    assert back["x-evil"] is None


EVIL = "a\r\nBcc: all@example.org\r\n\r\nbody\x00\u2028X: y"


@pytest.mark.parametrize(
    "mail",
    [
        replace(MAIL, subject=EVIL),
        replace(MAIL, subject="总结" + EVIL),
        replace(MAIL, sender=Address(name=EVIL, address="office@example.net")),
        replace(MAIL, references=(EVIL, "<0@x>\r\nBcc: b@example.org")),
        replace(MAIL, in_reply_to=EVIL),
        replace(MAIL, in_reply_to="<0@x>\r\nBcc: b@example.org"),
        replace(MAIL, text=EVIL, html=EVIL),
        replace(MAIL, attachments=(Attachment(filename=EVIL, content_type=XLSX, data=EVIL.encode()),)),
    ],
)
def test_a_value_never_becomes_a_header(mail):
    octets = compose(mail)
    assert_clean(octets)
    back = standard(octets)
    assert back["bcc"] is None
    assert back["x"] is None
    assert set(back.keys()) <= {*standard(compose(MAIL)).keys()}


@pytest.mark.parametrize(
    "address", ["a@b\r\nBcc: c@d", "a@b, c@d", "<a@b>", "a", "", "用户@example.org", "a b@c"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match="address"):
        compose(replace(MAIL, to=(address,)))
    with pytest.raises(ValueError, match="address"):
        compose(replace(MAIL, sender=Address(name="x", address=address)))


@pytest.mark.parametrize("message_id", ["", "x", "<a b@c>", "<a@b>\r\nX: y", "<ä@b>"])
def test_what_is_no_message_id_is_refused(message_id):
    with pytest.raises(ValueError, match="Message-ID"):
        compose(replace(MAIL, message_id=message_id))


def test_a_mail_without_message_id_is_answered_without_thread():
    back = standard(compose(replace(MAIL, in_reply_to="", references=("<0@x>",))))
    assert back["in-reply-to"] is None
    assert back["references"] is None


def test_references_are_bounded_and_end_in_the_answered_mail():
    many = tuple(f"<{'x' * 200}{n}@example.org>" for n in range(300))
    octets = compose(replace(MAIL, references=many, in_reply_to="<last@x>"))
    assert_clean(octets)
    chain = standard(octets)["references"].split()
    assert len(chain) == 21
    assert chain[-2:] == [many[-1], "<last@x>"]


def test_many_recipients_fit_their_lines():
    many = tuple(f"staff{n}@department.example.org" for n in range(200))
    octets = compose(replace(MAIL, to=many))
    assert_clean(octets)
    assert tuple(a.addr_spec for a in standard(octets)["to"].addresses) == many


@pytest.mark.parametrize(
    "name",
    [
        "Office, Society Department",
        'The "Office"',
        "Office <x@y>",
        "a@b",
        "科协 (学会部)",
        "",
        "=?utf-8?B?eA==?=",
    ],
)
def test_names_of_the_sender(name):
    back = standard(compose(replace(MAIL, sender=Address(name=name, address="office@example.net"))))
    (address,) = back["from"].addresses
    assert address.addr_spec == "office@example.net"
    assert address.display_name == name.replace('"', "_")


@pytest.mark.parametrize(
    "subject", ["plain", "x" * 3000, "x " * 1500, "=?utf-8?B?DQpCY2M6?=", "总" * 800, "", "😀" * 200]
)
def test_subjects_come_back(subject):
    octets = compose(replace(MAIL, subject=subject))
    assert_clean(octets)
    assert standard(octets)["subject"] == visible(subject)


@given(subject=ANY, text=ANY, html=ANY, name=ANY, filename=ANY)
def test_any_values_make_a_clean_mail(subject, text, html, name, filename):
    attachment = Attachment(filename=filename, content_type=XLSX, data=text.encode())
    octets = compose(
        replace(
            MAIL,
            subject=subject,
            text=text,
            html=html,
            sender=Address(name=name, address="office@example.net"),
            attachments=(attachment,),
        )
    )
    assert_clean(octets)
    assert octets == compose(
        replace(
            MAIL,
            subject=subject,
            text=text,
            html=html,
            sender=Address(name=name, address="office@example.net"),
            attachments=(attachment,),
        )
    )
    back = email.message_from_bytes(octets)
    assert back.keys() == email.message_from_bytes(compose(MAIL)).keys()
    (file,) = [part for part in back.walk() if part.get_content_type() == XLSX]
    assert file.get_payload(decode=True) == text.encode()


def test_broken_characters_in_a_text_are_replaced():
    assert "a?b" in standard(compose(replace(MAIL, text="a\ud800b"))).get_body(("plain",)).get_content()


def test_the_message_id_is_of_campaign_mail_and_kind():
    ids = {
        reply_message_id(campaign, sha, kind, "example.net")
        for campaign in ("2020", "2021")
        for sha in ("a" * 64, "b" * 64)
        for kind in ("receipt", "correction")
    }
    assert len(ids) == 8
    assert reply_message_id("2020", "a", "receipt", "x") == reply_message_id("2020", "a", "receipt", "x")
    assert all(re.fullmatch(r"<mailbot\.[0-9a-f]{32}@example\.net>", one) for one in ids)

"""A large mail parsed the short way is the mail that the standard library makes of it."""

from __future__ import annotations

import email
import random
from email.message import EmailMessage, Message

import pytest

from mailbot.mail.bulk import parsed

ODD = (b"\n", b"\r\n", b"\r", b"\n--===\n", b": ", b"\n\n", b" ", b"\x0c", b"\x1c", b"\xe9", b"BULKxx0x\r\n")


def shape(message: Message) -> object:
    """Everything that a message holds."""
    decoded = message.get_payload(decode=True)
    message.get_payload()
    payload = message._payload  # type: ignore[attr-defined]
    inner = [shape(part) for part in payload] if isinstance(payload, list) else (decoded, payload)
    defects = [type(defect) for defect in message.defects]
    return message.items(), message.preamble, message.epilogue, defects, inner


def large(line_break: bytes = b"\r\n") -> bytes:
    message = EmailMessage()
    message["Subject"] = "材料"
    message.set_content("您好，材料见附件。", cte="8bit")
    for size, name in ((300_000, "a.bin"), (20_000, "b.bin")):
        message.add_attachment(
            random.Random(size).randbytes(size), maintype="application", subtype="x", filename=name
        )
    return message.as_bytes().replace(b"\n", line_break)


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n"])
def test_the_message_is_the_same(line_break: bytes) -> None:
    octets = large(line_break)
    short, whole = parsed(octets), email.message_from_bytes(octets)
    assert shape(short) == shape(whole)
    attached = [part.get_payload(decode=True) for part in short.walk() if part.get_filename()]
    assert [len(data) for data in attached] == [300_000, 20_000]


def test_the_mark_that_stands_for_lines_may_stand_in_the_mail() -> None:
    octets = large().replace(b"\r\n\r\n", b"\r\n\r\nBULKxx0x\r\nBULKxx1x\r\n", 2)
    assert shape(parsed(octets)) == shape(email.message_from_bytes(octets))


@pytest.mark.parametrize("seed", range(60))
def test_damaged_mails_are_the_same(seed: int) -> None:
    chance = random.Random(seed)
    octets = bytearray(large())
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(octets))
        match chance.randrange(3):
            case 0:
                del octets[at : at + chance.randrange(2000)]
            case 1:
                octets[at:at] = chance.choice(ODD)
            case _:
                other = chance.randrange(len(octets))
                octets[at:at] = octets[other : other + chance.randrange(20_000)]
    assert shape(parsed(bytes(octets))) == shape(email.message_from_bytes(bytes(octets)))


@pytest.mark.parametrize(
    "end",
    [
        b"",
        b"QQ==\r\n",
        b"QUI=",
        b"QUI",
        b"Q",
        b"Q=Q=",
        b"QQ==\r\n\r\nQUJD\r\n",
        b"QQ==QUJD",
        b"====",
        b"Q QQ=",
    ],
)
@pytest.mark.parametrize("line", [b"QUJD" * 19, b"QUJD" * 19 + b"Q"])
def test_base64_is_decoded_as_the_standard_library_does(line: bytes, end: bytes) -> None:
    head = b"Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    octets = head + (line + b"\r\n") * 20_000 + end
    assert shape(parsed(octets)) == shape(email.message_from_bytes(octets))

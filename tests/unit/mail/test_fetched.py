"""The quick reading of FETCH answers says what the library says, for every shape."""

from __future__ import annotations

import pytest
from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_fetch_response

from mailbot.mail.fetched import Said, parsed

LISTED = b'1 (UID 3 INTERNALDATE "15-Jan-2021 17:30:00 +0800" RFC822.SIZE 23)'
MAIL = b"Subject: a\r\n\r\n) 2 (UID 9 BODY[] {3}\r\n"


@pytest.mark.parametrize(
    "said",
    [
        [LISTED],
        [LISTED, b'2 (UID 4 INTERNALDATE " 1-Jan-2021 07:03:00 -0330" RFC822.SIZE 0)'],
        [b'1 (RFC822.SIZE 23 UID 3 INTERNALDATE "15-Jan-2021 17:30:00 +0800")'],
        [b'1 (FLAGS (\\Seen) UID 3 INTERNALDATE "15-Jan-2021 17:30:00 +0800" RFC822.SIZE 23)'],
        [LISTED, b"2 (FLAGS (\\Seen))"],
        [b'1 (UID 3 INTERNALDATE "no time" RFC822.SIZE 23)'],
        [(b"1 (UID 3 BODY[] {37}", MAIL), b")"],
        [(b"1 (UID 3 BODY[] {37}", MAIL), b")", (b"2 (UID 4 BODY[] {0}", b""), b")"],
        [(b"1 (UID 3 BODY[]<1048576> {37}", MAIL), b")", (b"1 (UID 3 BODY[]<0> {1}", b"a"), b")"],
        [(b"1 (BODY[] {37}", MAIL), b" UID 3)"],
        [(b"1 (UID 3 BODY[] {37}", MAIL), b" FLAGS (\\Seen))"],
        [(b"1 (UID 3 BODY[] {37}", MAIL), b")", b"2 (FLAGS (\\Seen))"],
        [b"2 (FLAGS (\\Seen))", (b"1 (UID 3 BODY[] {37}", MAIL), b")"],
        [b'1 (UID 3 BODY[] "short")'],
        [b"1 (UID 3 BODY[] NIL)"],
        [None],
    ],
)
def test_both_read_the_same(said: Said) -> None:
    read, expected = parsed(said), parse_fetch_response(list(said), normalise_times=False)
    asked = {b"INTERNALDATE", b"RFC822.SIZE", b"BODY[]", b"BODY[]<0>", b"BODY[]<1048576>"}
    assert {uid: {k: v for k, v in data.items() if k in asked} for uid, data in read.items()} == {
        uid: {k: v for k, v in data.items() if k in asked} for uid, data in expected.items()
    }


@pytest.mark.parametrize(
    "said", [[b"1 (UID 3"], [(b"1 (UID 3 BODY[] {37}", MAIL)], [(b"1 (UID 3 BODY[] {38}", MAIL), b")"]]
)
def test_what_is_no_answer_is_refused(said: Said) -> None:
    with pytest.raises(ProtocolError):
        parsed(said)

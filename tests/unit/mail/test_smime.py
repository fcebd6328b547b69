import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailbot.mail.smime import signed_content
from tests.conftest import require
from tests.unit.mail.mails import TEXT, XLSX, attached, multipart, nested, part, read

CONTENT = nested(TEXT, attached(XLSX, "attachment; filename=自评表.xlsx".encode()), kind="mixed")


@pytest.fixture(scope="module")
def signer(tmp_path_factory):
    """Signs with a real program and a key of its own."""
    openssl = require("openssl")
    folder = tmp_path_factory.mktemp("smime")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "2",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip

    def sign(command: str, *options: str, action: str = "-sign") -> bytes:
        keys = (
            ["-signer", folder / "cert.pem", "-inkey", folder / "key.pem"]
            if action == "-sign"
            else [folder / "cert.pem"]
        )
        return subprocess.run(
            [openssl, command, action, *options, *keys], input=CONTENT, check=True, capture_output=True
        ).stdout

    return sign


@pytest.mark.parametrize("command", ["smime", "cms"])
@pytest.mark.parametrize("options", [(), ("-stream",)])
def test_an_opaque_signature_is_opened(signer, command, options):
    cms = signer(command, "-binary", "-nodetach", "-outform", "DER", *options)
    assert signed_content(cms) == CONTENT
    signed = multipart(part('application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"', cms))
    for sent in (signed, signer(command, "-nodetach", "-subject", "x", "-from", "a@b.example", *options)):
        parsed = read(sent)
        assert [(p.filename, p.data) for p in parsed.parts] == [("自评表.xlsx", XLSX)]
        assert parsed.head.text == "见附件"


def test_a_detached_signature_is_read_through(signer):
    parsed = read(signer("smime", "-subject", "x", "-from", "a@b.example"))
    assert [p.filename for p in parsed.parts] == ["自评表.xlsx"]


def test_an_encrypted_mail_stays_a_document(signer):
    cms = signer("smime", "-binary", "-outform", "DER", "-aes128", action="-encrypt")
    assert signed_content(cms) is None
    (found,) = read(multipart(part('application/pkcs7-mime; name="smime.p7m"', cms))).parts
    assert (found.filename, found.data) == ("smime.p7m", cms)


@given(st.binary(max_size=100))
def test_octets_of_nonsense(octets):
    assert signed_content(octets) is None


@pytest.mark.parametrize(
    "octets", [b"\x30\x80" * 5000, b"\x30\x84\xff\xff\xff\xff", b"\x30\x80", b"", b"\x24\x80" * 50]
)
def test_hostile_structures_end(octets):
    assert signed_content(octets) is None


def test_a_damaged_signature_never_raises(signer):
    cms = bytearray(signer("smime", "-binary", "-nodetach", "-outform", "DER"))
    for at in range(120):
        broken = bytes(cms[:at]) + bytes([cms[at] ^ 0xFF]) + bytes(cms[at + 1 :])
        assert signed_content(broken) is None or len(signed_content(broken)) < len(cms)
        assert signed_content(bytes(cms[:at])) is None

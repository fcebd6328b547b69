"""A certificate authority of the tests, and a front that speaks TLS for a server behind it, well or badly."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from mailbot.demo.servers import HOST
from tests.conftest import require


class Authority:
    """Signs certificates with openssl, with all that RFC 5280 asks for: Python looks for it from 3.13 on.

    `trusted` is its own, as SSL_CERT_FILE wants it.
    """

    def __init__(self, directory: Path) -> None:
        self._openssl = require("openssl")
        self._directory = directory
        self.trusted = directory / "ca.pem"
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                  "-subj", "/CN=tests", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-keyout", "ca.key",
                  "-out", "ca.pem")  # fmt: skip
        (directory / "index.txt").touch()
        (directory / "serial").write_text("01\n")
        (directory / "ca.cnf").write_text(_CONFIGURATION)

    def certificate(self, name: str, host: str, *, expired: bool = False, self_signed: bool = False) -> Path:
        """A file with key and certificate for a host: an address where it is one, else a name."""
        alternative = f"IP:{host}" if host[0].isdigit() else f"DNS:{host}"
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key")
        subject = ("-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}")
        if self_signed:
            self._run("req", "-x509", *key, *subject, "-days", "3650", "-out", f"{name}.crt")
        else:
            self._run("req", "-new", *key, *subject, "-out", f"{name}.csr")
            dates = (
                ("-startdate", "20200101000000Z", "-enddate", "20210101000000Z")
                if expired
                else ("-days", "3650")
            )
            self._run(
                "ca",
                "-batch",
                "-notext",
                "-config",
                "ca.cnf",
                *dates,
                "-in",
                f"{name}.csr",
                "-out",
                f"{name}.crt",
            )
        both = self._directory / f"{name}.pem"
        both.write_bytes(b"".join((self._directory / f"{name}.{end}").read_bytes() for end in ("key", "crt")))
        return both

    def _run(self, *arguments: str) -> None:
        subprocess.run([self._openssl, *arguments], cwd=self._directory, check=True, capture_output=True)


_CONFIGURATION = """\
[ca]
default_ca = tests
[tests]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
x509_extensions = signed
[any]
commonName = supplied
[signed]
authorityKeyIdentifier = keyid
"""


def context(certificate: Path, *, only_old: bool = False) -> ssl.SSLContext:
    """A server's; `only_old` speaks TLS 1.1 and nothing newer."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate)
    if only_old:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            made.set_ciphers("DEFAULT@SECLEVEL=0")
            made.minimum_version = ssl.TLSVersion.TLSv1
            made.maximum_version = ssl.TLSVersion.TLSv1_1
    return made


@dataclass
class Front:
    """TLS in front of a server that speaks none. `starttls` is the dialogue before it: `imap`, `smtp` or '' for none."""

    target: int
    context: ssl.SSLContext
    starttls: str = ""
    offers: bool = True
    """Whether STARTTLS is among the capabilities."""
    refuses: bool = False
    """Whether it is refused although it was offered."""
    in_the_clear: list[bytes] = field(default_factory=list)
    protected: list[bytes] = field(default_factory=list)
    handshakes: int = 0
    """How many came to their end."""
    port: int = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), client:
            if self.starttls and not self._talk(client):
                return
            with self.context.wrap_socket(client, server_side=True) as safe:
                self.handshakes += 1
                with socket.create_connection((HOST, self.target)) as server:
                    if self.starttls:
                        server.recv(4096)
                    back = threading.Thread(target=self._relay, args=(server, safe, None), daemon=True)
                    back.start()
                    self._relay(safe, server, self.protected)

    def _talk(self, client: socket.socket) -> bool:
        """The dialogue in the clear; whether TLS follows. A login in the clear is taken, and remembered."""
        said = _IMAP if self.starttls == "imap" else _SMTP
        client.sendall(said["greeting"])
        buffer = b""
        while received := client.recv(4096):
            self.in_the_clear.append(received)
            buffer += received
            while b"\r\n" in buffer:
                line, _, buffer = buffer.partition(b"\r\n")
                tag, _, command = line.partition(b" ") if self.starttls == "imap" else (b"", b"", line)
                word = command.split(b" ")[0].upper()
                if word == b"STARTTLS":
                    client.sendall(said["no" if self.refuses else "go"].replace(b"TAG", tag))
                    if not self.refuses:
                        return True
                    continue
                answer = said["hello"] if word in (b"EHLO", b"CAPABILITY") else said["ok"]
                answer = answer if self.offers else answer.replace(said["offer"], b"")
                client.sendall(answer.replace(b"TAG", tag))
        return False

    @staticmethod
    def _relay(source: socket.socket, sink: socket.socket, keep: list[bytes] | None) -> None:
        with contextlib.suppress(OSError, ValueError):
            while octets := source.recv(65536):
                if keep is not None:
                    keep.append(octets)
                sink.sendall(octets)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)


_IMAP = {
    "greeting": b"* OK ready\r\n",
    "hello": b"* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\nTAG OK done\r\n",
    "offer": b" STARTTLS",
    "go": b"TAG OK begin\r\n",
    "no": b"TAG NO not now\r\n",
    "ok": b"TAG OK done\r\n",
}
_SMTP = {
    "greeting": b"220 ready\r\n",
    "hello": b"250-mx.example.org\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n",
    "offer": b"250-STARTTLS\r\n",
    "go": b"220 begin\r\n",
    "no": b"454 4.7.0 not now\r\n",
    "ok": b"235 2.7.0 ok\r\n",
}

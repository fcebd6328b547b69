"""Real mail servers for tests: pymap and Dovecot behind one face, a submission server, and a wire that can be cut."""

from __future__ import annotations

import contextlib
import getpass
import itertools
import os
import pwd
import smtplib
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import pytest
from imapclient import IMAPClient

from mailbot.config import Mailbox
from mailbot.demo.servers import FOLDERS, HOST, ImapServer, SmtpServer, StoredMail
from tests.conftest import require

PASSWORD = "abcdefghijklmnop"
ADDRESS = "societies@example.org"
OTHER_ADDRESS = "enterprises@example.org"
ACCOUNTS = {ADDRESS: PASSWORD, OTHER_ADDRESS: PASSWORD}


class MailServer(Protocol):
    """What tests need of an IMAP server, embedded or real."""

    host: str
    port: int

    def deliver(
        self, account: str, octets: bytes, internaldate: datetime, folder: str = "INBOX", flags: str = ""
    ) -> int: ...

    def mails(self, account: str, folder: str = "INBOX") -> tuple[StoredMail, ...]: ...

    def expunge(self, account: str, uid: int, folder: str = "INBOX") -> None: ...


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def mailbox_config(
    directory: Path,
    *,
    address: str = ADDRESS,
    imap_port: int = 1,
    smtp_port: int = 1,
    password: str = PASSWORD,
    name: str = "societies",
    **imap: Any,
) -> Mailbox:
    """A mailbox of the configuration that points to loopback servers."""
    secret = directory / f"{name}.password"
    secret.write_text(password, encoding="utf-8")
    server = {"host": HOST, "tls": "none", "username": address, "password_file": secret.name}
    return Mailbox.model_validate(
        {
            "name": name,
            "track": "society",
            "address": address,
            "requires": ["form", "summary", "plan"],
            "imap": {**server, "port": imap_port, **imap},
            "smtp": {**server, "port": smtp_port},
        },
        context={"base": directory},
    )


class DovecotServer:
    """A Dovecot on a private configuration: any account, one password; as root or not."""

    def __init__(self, program: str, certificate: Path | None = None) -> None:
        self._program = program
        self._certificate = certificate
        self._directory = tempfile.TemporaryDirectory(prefix="dovecot-")
        self._process: subprocess.Popen[bytes] | None = None
        self.host = HOST
        self.port = free_port()
        self.lmtp_port = free_port()
        self.tls_port = free_port() if certificate else 0

    def __enter__(self) -> Self:
        base = Path(self._directory.name)
        configuration = base / "dovecot.conf"
        configuration.write_text(self._configuration(base), encoding="utf-8")
        if os.geteuid() == 0:
            base.chmod(0o755)
            os.chown(base, pwd.getpwnam("nobody").pw_uid, -1)
        self._process = subprocess.Popen(
            [self._program, "-F", "-c", str(configuration)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for port in (self.port, self.lmtp_port):
            self._await(port, base / "log")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
        self._directory.cleanup()

    def deliver(
        self, account: str, octets: bytes, internaldate: datetime, folder: str = "INBOX", flags: str = ""
    ) -> int:
        with self._logged_in(account) as client:
            before = client.folder_status(folder, ["UIDNEXT"])[b"UIDNEXT"]
            client.append(folder, octets, flags=flags.split(), msg_time=internaldate)
            return int(before)

    def post(self, account: str, octets: bytes) -> None:
        """Deliver a mail now, by LMTP, as a mail server does."""
        with smtplib.LMTP(HOST, self.lmtp_port, timeout=20) as client:
            client.sendmail("sender@example.com", [account], octets)

    def mails(self, account: str, folder: str = "INBOX") -> tuple[StoredMail, ...]:
        with self._logged_in(account) as client:
            client.select_folder(folder, readonly=True)
            uids = client.search()
            found = client.fetch(uids, ["FLAGS", "INTERNALDATE", "BODY.PEEK[]"])
            return tuple(
                StoredMail(
                    uid=uid,
                    internaldate=found[uid][b"INTERNALDATE"],
                    flags=frozenset(found[uid][b"FLAGS"]) - {b"\\Recent"},
                    octets=found[uid][b"BODY[]"],
                )
                for uid in sorted(found)
            )

    def expunge(self, account: str, uid: int, folder: str = "INBOX") -> None:
        with self._logged_in(account) as client:
            client.select_folder(folder)
            client.delete_messages([uid])
            client.expunge()

    @contextlib.contextmanager
    def _logged_in(self, account: str) -> Iterator[IMAPClient]:
        with IMAPClient(self.host, self.port, ssl=False, timeout=20) as client:
            client.normalise_times = False
            client.login(account, PASSWORD)
            yield client

    def _await(self, port: int, log: Path) -> None:
        for _ in range(400):
            with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
                return
            if self._process is not None and self._process.poll() is not None:
                break
            time.sleep(0.025)
        raise RuntimeError(log.read_text(errors="replace") if log.exists() else "dovecot does not start")

    def _configuration(self, base: Path) -> str:
        folders = "\n".join(f'mailbox "{name}" {{\n auto = create\n}}' for name in FOLDERS)
        root = os.geteuid() == 0
        own_tls = f"ssl = yes\nssl_cert = <{self._certificate}\nssl_key = <{self._certificate}"
        tls = own_tls if self._certificate else "ssl = no"
        me = "nobody" if root else getpass.getuser()
        own = "" if root else f"default_internal_user = {me}\ndefault_login_user = {me}\n"
        group = "" if root else f"default_internal_group = {_group()}\n"
        return f"""
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
protocols = imap lmtp
listen = {HOST}
{tls}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Lu
mail_location = maildir:{base}/mail/%u
mail_uid = {me}
first_valid_uid = 1
{own}{group}
mail_max_userip_connections = 100
auth_failure_delay = 0
namespace inbox {{
 inbox = yes
 separator = /
 {folders}
}}
passdb {{
 driver = static
 args = password={PASSWORD}
}}
userdb {{
 driver = static
 args = uid={me} gid={_group(me)} home={base}/mail/%u allow_all_users=yes
}}
service imap-login {{
 chroot =
 inet_listener imap {{
  port = {self.port}
 }}
 inet_listener imaps {{
  port = {self.tls_port}
  ssl = {"yes" if self.tls_port else "no"}
 }}
}}
service anvil {{
 chroot =
 unix_listener anvil-auth-penalty {{
  mode = 0
 }}
}}
service stats {{
 chroot =
}}
service lmtp {{
 inet_listener lmtp {{
  address = {HOST}
  port = {self.lmtp_port}
 }}
}}
protocol lmtp {{
 postmaster_address = postmaster@example.org
}}
"""


def _group(user: str = "") -> str:
    import grp

    gid = pwd.getpwnam(user).pw_gid if user else os.getegid()
    return grp.getgrgid(gid).gr_name


@dataclass
class Wire:
    """A TCP relay to a server that writes down what the client says, and can be cut."""

    host: str
    target: int
    said: list[bytes] = field(default_factory=list)
    """What the client sent, as it came off the socket."""
    port: int = 0
    drip_seconds: float = 0.0
    """What passes between two octets of the server, so that no single wait is long."""
    stalled: bool = False
    """Whether the server's octets are kept back for now."""
    _cut_after: int | None = None
    _sockets: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        _close(self._listener)
        self.stalled = False
        self.cut()

    @property
    def commands(self) -> list[str]:
        """The command lines of the client, without their tags."""
        lines = b"".join(self.said).decode("latin-1").split("\r\n")
        return [line.split(" ", 1)[1] if " " in line else line for line in lines if line]

    def cut(self) -> None:
        """Cut every connection."""
        while self._sockets:
            _close(self._sockets.pop())

    def cut_after(self, octets: int) -> None:
        """Let that many more octets of the server through, then cut."""
        self._cut_after = octets

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((self.host, self.target))
                self._sockets += [client, server]
                threading.Thread(target=self._relay, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._relay, args=(server, client, True), daemon=True).start()

    def _relay(self, source: socket.socket, sink: socket.socket, from_server: bool) -> None:
        with contextlib.suppress(OSError):
            while octets := source.recv(65536):
                if not from_server:
                    self.said.append(octets)
                elif self._cut_after is not None:
                    passed, self._cut_after = octets[: self._cut_after], self._cut_after - len(octets)
                    sink.sendall(passed)
                    if self._cut_after <= 0:
                        break
                    continue
                elif self.drip_seconds:
                    self._drip(octets, sink)
                    continue
                while from_server and self.stalled:
                    time.sleep(0.02)
                sink.sendall(octets)
        _close(source)
        _close(sink)

    def _drip(self, octets: bytes, sink: socket.socket) -> None:
        for at in range(len(octets)):
            sink.sendall(octets[at : at + 1])
            time.sleep(self.drip_seconds)


def _close(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


@pytest.fixture
def imap_server() -> Iterator[ImapServer]:
    """The embedded IMAP server with both accounts."""
    with ImapServer(ACCOUNTS) as server:
        yield server


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """The embedded submission server with both accounts."""
    with SmtpServer(ACCOUNTS) as server:
        yield server


@pytest.fixture(scope="session")
def dovecot() -> Iterator[DovecotServer]:
    """A real Dovecot, where it is installed; accounts come to be when they are first used."""
    with DovecotServer(require("dovecot", Path("/usr/sbin/dovecot"))) as server:
        yield server


_numbers = itertools.count()


@dataclass
class Account:
    """A fresh, empty account on some server."""

    server: Any
    address: str
    directory: Path

    def deliver(self, octets: bytes, internaldate: datetime, folder: str = "INBOX", flags: str = "") -> int:
        return int(self.server.deliver(self.address, octets, internaldate, folder, flags))

    def mails(self, folder: str = "INBOX") -> tuple[StoredMail, ...]:
        return tuple(self.server.mails(self.address, folder))

    def config(self, *, port: int | None = None, password: str = PASSWORD, **imap: Any) -> Mailbox:
        return mailbox_config(
            self.directory,
            address=self.address,
            imap_port=port or self.server.port,
            password=password,
            **imap,
        )


@pytest.fixture(params=["pymap", "dovecot"])
def account(request: pytest.FixtureRequest, tmp_path: Path) -> Account:
    """A fresh account, once on the embedded server and once on Dovecot."""
    if request.param == "pymap":
        return Account(request.getfixturevalue("imap_server"), ADDRESS, tmp_path)
    return Account(request.getfixturevalue("dovecot"), f"account{next(_numbers)}@example.org", tmp_path)

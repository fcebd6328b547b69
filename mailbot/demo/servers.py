"""Embedded mail servers on loopback: IMAP (pymap) and submission (aiosmtpd), for the demo and for tests.

Each is a context manager with an event loop in a thread of its own; ports are chosen by the kernel.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from argparse import Namespace
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

_Answer = TypeVar("_Answer")

HOST = "127.0.0.1"
FOLDERS = ("Sent Messages", "Drafts", "Deleted Messages", "Junk")
"""What a QQ account has beside the INBOX."""
_PATIENCE_SECONDS = 10.0


class _LoopThread:
    """An event loop in a thread; when it ends, every task on it is cancelled and awaited first."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_quiet)
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, _Answer]) -> _Answer:
        """Run a coroutine on the loop and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_SECONDS)

    def stop(self) -> None:
        self.call(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_SECONDS)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


def _quiet(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A client that goes away in the middle of an answer is no news."""
    if not isinstance(context.get("exception"), ConnectionError | asyncio.CancelledError):
        loop.default_exception_handler(context)


async def _cancel_others() -> None:
    """Cancel all else; several times, since a cancelled connection still says goodbye."""
    for _ in range(3):
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMail:
    """One mail as it lies in a folder of the IMAP server."""

    uid: int
    internaldate: datetime
    flags: frozenset[bytes]
    octets: bytes


class _Embedded:
    """A server on a loop of its own; a context manager."""

    def __init__(self, name: str) -> None:
        self._thread = _LoopThread(name)
        self._stack = AsyncExitStack()
        self.host = HOST
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._thread.call(self._start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.call(self._stop())
        self._thread.stop()

    async def _start(self) -> None:
        raise NotImplementedError

    async def _stop(self) -> None:
        raise NotImplementedError


class ImapServer(_Embedded):
    """An IMAP server whose accounts (address → password) have the folders of a QQ account."""

    def __init__(self, accounts: Mapping[str, str], *, folders: Sequence[str] = FOLDERS) -> None:
        self._accounts = dict(accounts)
        self._folders = tuple(folders)
        super().__init__("imap-server")
        self._writers: set[asyncio.StreamWriter] = set()
        self._sets: dict[str, Any] = {}

    def deliver(
        self, account: str, octets: bytes, internaldate: datetime, folder: str = "INBOX", flags: str = ""
    ) -> int:
        """Lay a mail into a folder, as a delivery at that time would; returns its UID."""
        return self._thread.call(self._append(account, folder, octets, internaldate, flags.split()))

    def mails(self, account: str, folder: str = "INBOX") -> tuple[StoredMail, ...]:
        """What lies in a folder, in order of arrival."""
        return self._thread.call(self._mails(account, folder))

    def expunge(self, account: str, uid: int, folder: str = "INBOX") -> None:
        """Take a mail out of a folder, as another client would."""
        self._thread.call(self._expunge(account, folder, uid))

    def renew(self, account: str, folder: str = "INBOX") -> None:
        """Give a folder another UIDVALIDITY; its mails keep their UIDs (RFC 3501 §2.3.1.1 makes that meaningless)."""
        self._thread.call(self._renew(account, folder))

    def cut(self) -> None:
        """Cut every connection, as a cable pulled at the server does."""
        self._thread.call(self._cut())

    async def _start(self) -> None:
        from pymap.backend.dict import DictBackend, Identity, Login
        from pymap.imap import IMAPServer
        from pymap.user import UserMetadata

        config = _config()
        backend = DictBackend(Login(config), config)
        for account, password in self._accounts.items():
            backend.login.users_dict[account] = UserMetadata(config, account, password=password)
            async with Identity(account, backend.login, None, frozenset()).new_session() as session:
                self._sets[account] = session.mailbox_set
                for folder in self._folders:
                    await session.mailbox_set.add_mailbox(folder)
        server = await asyncio.start_server(self._tracked(IMAPServer(backend.login, config)), HOST, 0)
        await self._stack.enter_async_context(server)
        self.port = server.sockets[0].getsockname()[1]

    def _tracked(self, serve: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., Any]:
        """The server's callback, with its connections remembered so that they can be cut."""
        from proxyprotocol.sock import SocketInfoLocal

        async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.add(writer)
            try:
                with suppress(asyncio.CancelledError, ConnectionError):
                    await serve(reader, writer, SocketInfoLocal(writer))
            finally:
                self._writers.discard(writer)
                writer.close()

        return connection

    async def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _stop(self) -> None:
        await self._cut()
        await self._stack.aclose()

    async def _append(
        self, account: str, folder: str, octets: bytes, internaldate: datetime, flags: Sequence[str]
    ) -> int:
        from pymap.parsing.message import AppendMessage
        from pymap.parsing.specials.flag import Flag

        mailbox = await self._sets[account].get_mailbox(folder)
        flag_set = frozenset(Flag(flag.encode()) for flag in flags)
        return int((await mailbox.append(AppendMessage(octets, internaldate, flag_set), recent=True)).uid)

    async def _mails(self, account: str, folder: str) -> tuple[StoredMail, ...]:
        mailbox = await self._sets[account].get_mailbox(folder)
        return tuple(
            [
                StoredMail(
                    uid=message.uid,
                    internaldate=message.internal_date,
                    flags=frozenset(bytes(flag) for flag in message.permanent_flags),
                    octets=bytes(message._content),
                )
                async for message in mailbox.messages()
            ]
        )

    async def _expunge(self, account: str, folder: str, uid: int) -> None:
        mailbox = await self._sets[account].get_mailbox(folder)
        await mailbox.delete([uid])

    async def _renew(self, account: str, folder: str) -> None:
        mailbox = await self._sets[account].get_mailbox(folder)
        mailbox._uid_validity += 1


def _config() -> Any:
    """pymap's settings for loopback: no TLS, and nothing hashed, looked up or waited for."""
    from pymap.backend.dict import Config
    from pymap.concurrent import Subsystem
    from pysasl.hashing import Cleartext

    class LoopbackConfig(Config):
        """Says hello without asking the resolver for this machine's name."""

        @property
        def greeting(self) -> bytes:
            return b"mailbot demo IMAP server ready"

    return LoopbackConfig(
        Namespace(proxy_protocol=None, passlib_cfg=None, inherited_sockets=None),
        host=HOST,
        port=0,
        demo_data=False,
        demo_user="nobody",
        demo_password="",
        tls_enabled=False,
        invalid_user_sleep=0.0,
        reject_dnsbl=False,
        hash_context=Cleartext(),
        cpu_subsystem=Subsystem.for_asyncio(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMail:
    """One mail as the submission server took it."""

    envelope_from: str
    to: tuple[str, ...]
    octets: bytes


class SmtpServer(_Embedded):
    """A submission server that keeps what it takes, and refuses what it is told to.

    `on_taken` is called after each mail, before its 250: a provider lays a copy into the Sent folder there.
    """

    def __init__(
        self,
        accounts: Mapping[str, str],
        *,
        on_taken: Callable[[SentMail], None] = lambda _mail: None,
        pipelining: bool = True,
    ) -> None:
        self._accounts = dict(accounts)
        self._extensions = ("250-PIPELINING",) if pipelining else ()
        self._on_taken = on_taken
        super().__init__("smtp-server")
        self._refusals: dict[str, list[str]] = {}
        self._taken: list[SentMail] = []
        self._protocols: list[Any] = []
        self.connections = 0
        """How many connections there were."""

    @property
    def taken(self) -> tuple[SentMail, ...]:
        """What was taken, in order."""
        return tuple(self._taken)

    def refuse(self, command: str, answer: str, *, times: int = 1) -> None:
        """Answer the next `times` of a command (`AUTH`, `MAIL`, `RCPT`, `DATA` after the final dot) so."""
        self._refusals.setdefault(command, []).extend([answer] * times)

    def drop_at(self, command: str, *, times: int = 1) -> None:
        """Cut the connection instead of answering; at `DATA` the mail has been taken by then."""
        self.refuse(command, "", times=times)

    def cut(self) -> None:
        """Cut every connection, as a provider does with idle ones."""
        self._thread.call(self._cut())

    async def _cut(self) -> None:
        for protocol in self._protocols:
            if protocol.transport is not None:
                protocol.transport.abort()
        self._protocols.clear()
        await asyncio.sleep(0)

    async def _stop(self) -> None:
        await self._cut()
        await self._stack.aclose()

    async def _start(self) -> None:
        from aiosmtpd.smtp import SMTP

        logging.getLogger("mail.log").setLevel(logging.ERROR)  # it warns of its own deprecations

        def protocol() -> SMTP:
            self.connections += 1
            one = SMTP(
                _Dialogue(self),
                hostname="demo.example.org",
                data_size_limit=100 * 2**20,
                authenticator=self._authenticate,
                auth_require_tls=False,
                loop=asyncio.get_running_loop(),
            )
            self._protocols.append(one)
            return one

        server = await asyncio.get_running_loop().create_server(protocol, HOST, 0)
        await self._stack.enter_async_context(server)
        self.port = server.sockets[0].getsockname()[1]

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> Any:
        from aiosmtpd.smtp import AuthResult

        known = self._accounts.get(data.login.decode())
        right = known is not None and known.encode() == data.password
        return AuthResult(success=right, handled=False, auth_data=data.login)

    def _answer(self, command: str, server: Any) -> str | None:
        """The refusal that is due for a command, if any; '' after the connection was cut."""
        due = self._refusals.get(command)
        if not due:
            return None
        answer = due.pop(0)
        if not answer:
            server.transport.abort()
        return answer

    def _take(self, mail: SentMail) -> None:
        self._taken.append(mail)
        self._on_taken(mail)


class _Dialogue:
    """The hooks by which aiosmtpd asks what to answer."""

    def __init__(self, owner: SmtpServer) -> None:
        self._owner = owner

    async def handle_EHLO(  # noqa: N802
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *self._owner._extensions, responses[-1]]

    async def handle_AUTH(self, server: Any, *_: Any) -> Any:  # noqa: N802
        from aiosmtpd.smtp import MISSING

        return _said(self._owner._answer("AUTH", server), MISSING)

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, _options: Sequence[str]
    ) -> str:
        refusal = self._owner._answer("MAIL", server)
        if refusal is None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        if refusal is None:
            envelope.mail_from = address
        return str(_said(refusal, "250 OK"))

    async def handle_RCPT(  # noqa: N802
        self, server: Any, _session: Any, envelope: Any, address: str, _options: Sequence[str]
    ) -> str:
        refusal = self._owner._answer("RCPT", server)
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return str(_said(refusal, "250 OK"))

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        refusal = self._owner._answer("DATA", server)
        if not refusal:
            mail = SentMail(
                envelope_from=envelope.mail_from, to=tuple(envelope.rcpt_tos), octets=envelope.content
            )
            await asyncio.to_thread(self._owner._take, mail)
        return str(_said(refusal, "250 OK: queued"))


def _said(refusal: str | None, otherwise: Any) -> Any:
    """The refusal, or what is said without one; after a cut nobody hears it."""
    return otherwise if refusal is None else refusal or "421 cut"

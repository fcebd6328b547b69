"""IMAP servers with the faults that QQ and 163 were seen to have, for whole rounds of the worker."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tests.contract.fake_imap import FakeImap

_DESCENDING = re.compile(r"(\d+):(\d+|\*)")


class QqLike(FakeImap):
    """As imap.qq.com: asked for anything but UIDs, dates, sizes and whole mails it answers nonsense."""

    greeting = b"* OK [CAPABILITY IMAP4 IMAP4rev1 ID AUTH=PLAIN AUTH=LOGIN NAMESPACE] QQMail ready\r\n"
    capabilities = (
        b"IMAP4 IMAP4rev1 XLIST MOVE IDLE XAPPLEPUSHSERVICE NAMESPACE CHILDREN ID UIDPLUS COMPRESS=DEFLATE"
    )

    def __init__(
        self, mails: Mapping[int, bytes] | None = None, *, junk: Mapping[int, bytes] | None = None
    ) -> None:
        super().__init__()
        self.folders = {"INBOX": dict(mails or {}), "Junk": dict(junk or {})}
        self.mails = self.folders["INBOX"]
        self.withheld: set[int] = set()
        """UIDs that a listing of dates and sizes leaves out."""
        self.bodies_until_cut = -1
        """How many mails one connection gives before it ends in the middle of one."""
        self.logged_in = 0
        self._given = 0

    def __getattr__(self, name: str) -> Callable[[str, str], None]:
        """A command that it does not know gets an untagged BAD, and never its end."""
        if not name.startswith("answer_"):
            raise AttributeError(name)
        return lambda _tag, _command: self.send(b"* BAD command unknown\r\n")

    def ok(self, tag: str) -> None:
        self.send(f"{tag} OK 完成\r\n".encode("gbk"))

    def answer_login(self, tag: str, command: str) -> None:
        self.logged_in += 1
        self._given = 0
        self.ok(tag)

    def answer_examine(self, tag: str, command: str) -> None:
        name = command.split(" ", 1)[1].strip('"')
        if name not in self.folders:
            self.send(f"{tag} NO 文件夹不存在\r\n".encode("gbk"))
            return
        self.mails = self.folders[name]
        self._told = len(self.mails)
        self.send(f"* {len(self.mails)} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7]\r\n".encode())
        self.send(f"* OK [UIDNEXT {max(self.mails, default=0) + 1}]\r\n".encode())
        self.send(f"{tag} OK [READ-ONLY] 打开文件夹\r\n".encode("gbk"))

    def answer_list(self, tag: str, command: str) -> None:
        for name in self.folders:
            self.send(f'* LIST () "/" "{name}"\r\n'.encode())
        self.ok(tag)

    def answer_noop(self, tag: str, command: str) -> None:
        if len(self.mails) != self._told:
            self._told = len(self.mails)
            self.send(f"* {self._told} EXISTS\r\n".encode())
        self.ok(tag)

    def answer_search(self, tag: str, command: str) -> None:
        everything = " ".join(map(str, sorted(self.mails)))
        self.send(f"* SEARCH {everything}\r\n".encode())
        self.ok(tag)

    def answer_fetch(self, tag: str, command: str) -> None:
        if any(last == "*" or int(last) < int(first) for first, last in _DESCENDING.findall(command)):
            self.send(f"{tag} BAD 参数错误\r\n".encode("gbk"))
            return
        super().answer_fetch(tag, command)

    def give(self, uid: int, command: str) -> None:
        seq = sorted(self.mails).index(uid) + 1
        if "HEADER.FIELDS" in command:
            self.send(f"* {seq} FETCH (UID {uid} BODY[HEADER.FIELDS (SUBJECT)] {{0}}\r\n)\r\n".encode())
        elif "ENVELOPE" in command or "BODYSTRUCTURE" in command:
            self.send(f'* {seq} FETCH (UID {uid} ENVELOPE ("" "a"b" NIL) BODYSTRUCTURE (NIL\r\n'.encode())
        elif "BODY" in command:
            self._give_body(uid, command)
        elif "INTERNALDATE" not in command:
            self.send(f"* {seq} FETCH (UID {uid})\r\n".encode())
        elif uid not in self.withheld:
            super().give(uid, command)

    def _give_body(self, uid: int, command: str) -> None:
        if self._given == self.bodies_until_cut:
            self.send(f"* 1 FETCH (UID {uid} BODY[] {{{len(self.mails[uid])}}}\r\n".encode())
            self.send(self.mails[uid][:10])
            self.cut()
            raise OSError("cut")
        self._given += 1
        super().give(uid, command)


class DuplicateLogin(QqLike):
    """Refuses a second login for a while, as QQ does when it was asked too often."""

    refusals = 1

    def answer_login(self, tag: str, command: str) -> None:
        if self.logged_in < self.refusals:
            self.logged_in += 1
            self.send(f"{tag} NO Login fail. 登录频率过快 duplicate login\r\n".encode("gbk"))
            return
        super().answer_login(tag, command)


class NeteaseLike(QqLike):
    """As imap.163.com: neither IDLE nor MOVE, and no folder is opened before ID."""

    greeting = b"* OK Coremail System IMap Server Ready(163com)\r\n"
    capabilities = b"IMAP4rev1 XLIST SPECIAL-USE ID LITERAL+ STARTTLS APPENDLIMIT=71680000 XAPPLEPUSHSERVICE UIDPLUS X-CM-EXT-1"

    def answer_login(self, tag: str, command: str) -> None:
        self.named = False
        super().answer_login(tag, command)

    def answer_id(self, tag: str, command: str) -> None:
        self.named = True
        super().answer_id(tag, command)

    def answer_examine(self, tag: str, command: str) -> None:
        if not self.named:
            self.send(f"{tag} NO EXAMINE Unsafe Login. Please contact kefu@188.com for help\r\n".encode())
            return
        super().answer_examine(tag, command)

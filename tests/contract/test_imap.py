"""The mailbox edge on real servers, pymap and Dovecot alike, and on servers that fail as providers were seen to."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from mailbot.errors import LoginError, TemporaryError
from mailbot.mail.connection import RefusedError, Timeouts
from mailbot.mail.imap import Batch, ImapMailbox
from mailbot.mail.reply_folders import ReplyFolders
from tests.contract.fake_imap import MAILS, FakeImap
from tests.servers import Account, DovecotServer, Wire, free_port, mailbox_config

CHINA = timezone(timedelta(hours=8))
DEADLINE = datetime(2021, 1, 15, 17, 30, tzinfo=CHINA)
LARGE = 60 * 2**20
QUICK = Timeouts(connect=5, read=1, command=1)
READING = re.compile(
    r"LOGIN .*|CAPABILITY|ID \(.*\)|EXAMINE \S+|NOOP|LOGOUT"
    r"|UID FETCH [\d,]+ \((UID INTERNALDATE RFC822\.SIZE|UID BODY\.PEEK\[\](<\d+\.\d+>)?)\)"
)


@pytest.fixture(autouse=True)
def idles_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a wait that ends early ends for a reason."""
    monkeypatch.setattr("mailbot.mail.imap._FIRST_IDLE_SECONDS", 300.0)


def mail(text: str, size: int = 0) -> bytes:
    """A mail with octets of every kind in it, a line with a dot and no final line break."""
    body = f"Subject: {text}\r\nMessage-ID: <{text}@example.org>\r\n\r\n.\r\n中文 {text}\r\n".encode()
    filling = bytes(range(1, 10)) + bytes(range(14, 256)) + b"\r\n"
    return body + (filling * (size // len(filling) + 1))[:size]


def all_mails(batches: Iterable[Batch]) -> dict[int, bytes | None]:
    return {m.uid: m.octets for batch in batches for m in batch.mails}


def fetch_all(account: Account, *, max_octets: int = LARGE) -> list[Batch]:
    with ImapMailbox(account.config()) as mailbox:
        return list(mailbox.fetch_new(mailbox.open("INBOX"), 0, max_octets=max_octets))


def test_mails_come_in_order_byte_for_byte_and_nothing_is_changed(account: Account) -> None:
    sent = {account.deliver(mail(f"m{n}"), DEADLINE): mail(f"m{n}") for n in range(7)}
    before = account.mails()
    with Wire(account.server.host, account.server.port) as wire:
        with ImapMailbox(account.config(port=wire.port)) as mailbox:
            batches = list(mailbox.fetch_new(mailbox.open("INBOX"), 0, max_octets=LARGE))
        said = wire.commands
    assert all_mails(batches) == sent
    uids = [m.uid for batch in batches for m in batch.mails]
    assert uids == sorted(uids)
    assert batches[-1].last_uid == uids[-1]
    assert account.mails() == before
    assert all(m.flags == frozenset() for m in account.mails())
    assert [line for line in said if not READING.fullmatch(line)] == []


def test_ranges_are_explicit_and_ascending(account: Account) -> None:
    for number in range(4):
        account.deliver(mail(f"m{number}"), DEADLINE)
    with Wire(account.server.host, account.server.port) as wire:
        with ImapMailbox(account.config(port=wire.port)) as mailbox:
            state = mailbox.open("INBOX")
            list(mailbox.fetch_new(state, state.uidnext - 3, max_octets=LARGE))
        asked = [line.split(" ")[2] for line in wire.commands if line.startswith("UID FETCH")]
    assert asked
    for uids in asked:
        numbers = [int(uid) for uid in uids.split(",")]
        assert numbers == sorted(set(numbers))
        assert numbers[0] == state.uidnext - 2


def test_many_mails_come_in_bounded_batches(account: Account) -> None:
    uids = [account.deliver(mail(f"m{n}"), DEADLINE) for n in range(60)]
    batches = fetch_all(account)
    assert [m.uid for batch in batches for m in batch.mails] == uids
    assert [len(batch.mails) for batch in batches] == [50, 10]
    assert [batch.last_uid for batch in batches] == [uids[49], uids[-1]]


@pytest.mark.parametrize(
    ("internaldate", "utc"),
    [
        (DEADLINE, datetime(2021, 1, 15, 9, 30, 0, tzinfo=UTC)),
        (DEADLINE + timedelta(seconds=1), datetime(2021, 1, 15, 9, 30, 1, tzinfo=UTC)),
        (
            datetime(2021, 1, 15, 4, 30, tzinfo=timezone(timedelta(hours=-5))),
            datetime(2021, 1, 15, 9, 30, tzinfo=UTC),
        ),
        (
            datetime(2021, 1, 15, 15, 0, 59, tzinfo=timezone(timedelta(hours=5, minutes=30))),
            datetime(2021, 1, 15, 9, 30, 59, tzinfo=UTC),
        ),
    ],
)
def test_receipt_time_is_right_to_the_second_whatever_the_offset(
    account: Account, internaldate: datetime, utc: datetime
) -> None:
    account.deliver(mail("a"), internaldate)
    [batch] = fetch_all(account)
    assert batch.mails[0].internaldate == utc
    assert batch.mails[0].internaldate.utcoffset() == timedelta(0)


def test_a_large_mail_comes_by_slices_and_is_the_same(account: Account) -> None:
    small, large = mail("small"), mail("large", 5 * 2**20 + 17)
    account.deliver(small, DEADLINE)
    account.deliver(large, DEADLINE)
    with Wire(account.server.host, account.server.port) as wire:
        with ImapMailbox(account.config(port=wire.port)) as mailbox:
            batches = list(mailbox.fetch_new(mailbox.open("INBOX"), 0, max_octets=LARGE))
        slices = [line for line in wire.commands if "BODY.PEEK[]<" in line]
    assert list(all_mails(batches).values()) == [small, large]
    assert len(slices) == 6


def test_a_mail_beyond_the_limit_is_recorded_without_being_fetched(account: Account) -> None:
    account.deliver(mail("small"), DEADLINE)
    huge = account.deliver(mail("huge", 30_000), DEADLINE)
    with Wire(account.server.host, account.server.port) as wire:
        with ImapMailbox(account.config(port=wire.port)) as mailbox:
            batches = list(mailbox.fetch_new(mailbox.open("INBOX"), 0, max_octets=20_000))
        bodies = [line for line in wire.commands if "BODY" in line]
    found = {m.uid: m for batch in batches for m in batch.mails}
    assert found[huge].octets is None
    assert found[huge].size == len(mail("huge", 30_000))
    assert found[huge].internaldate == DEADLINE
    assert len(bodies) == 1
    assert str(huge) not in bodies[0].split(" ")[2].split(",")


def test_nothing_new_asks_for_nothing(account: Account) -> None:
    last = account.deliver(mail("a"), DEADLINE)
    with Wire(account.server.host, account.server.port) as wire:
        with ImapMailbox(account.config(port=wire.port)) as mailbox:
            assert list(mailbox.fetch_new(mailbox.open("INBOX"), last, max_octets=LARGE)) == []
        assert [line for line in wire.commands if "FETCH" in line] == []


def test_an_empty_folder(account: Account) -> None:
    with ImapMailbox(account.config()) as mailbox:
        state = mailbox.open("INBOX")
        assert state.exists == 0
        assert all_mails(mailbox.fetch_new(state, 0, max_octets=LARGE)) == {}


def test_mail_that_came_since_is_found_on_the_held_connection(account: Account) -> None:
    account.deliver(mail("a"), DEADLINE)
    with ImapMailbox(account.config()) as mailbox:
        first = list(mailbox.fetch_new(mailbox.open("INBOX"), 0, max_octets=LARGE))
        account.deliver(mail("b"), DEADLINE)
        second = list(mailbox.fetch_new(mailbox.open("INBOX"), first[-1].last_uid, max_octets=LARGE))
    assert list(all_mails(second).values()) == [mail("b")]


def test_uidvalidity_is_told_and_stays(account: Account) -> None:
    with ImapMailbox(account.config()) as mailbox:
        inbox, junk = mailbox.open("INBOX"), mailbox.open("Junk")
        assert (inbox.name, junk.name) == ("INBOX", "Junk")
        assert mailbox.open("INBOX").uidvalidity == inbox.uidvalidity > 0


def test_a_renewed_folder_shows_another_uidvalidity(imap_server, tmp_path: Path) -> None:
    account = Account(imap_server, "societies@example.org", tmp_path)
    with ImapMailbox(account.config()) as mailbox:
        before = mailbox.open("INBOX").uidvalidity
        imap_server.renew(account.address)
    with ImapMailbox(account.config()) as mailbox:
        assert mailbox.open("INBOX").uidvalidity != before


def test_an_open_folder_is_asked_with_one_short_command(account: Account) -> None:
    account.deliver(mail("a"), DEADLINE)
    with (
        Wire(account.server.host, account.server.port) as wire,
        ImapMailbox(account.config(port=wire.port)) as mailbox,
    ):
        state = mailbox.open("INBOX")
        asked = len(wire.commands)
        assert mailbox.open("INBOX") == state
        assert wire.commands[asked:] == ["NOOP"]


def test_one_gone_and_one_new_are_no_folder_as_it_was(account: Account) -> None:
    account.deliver(mail("a"), DEADLINE)
    with ImapMailbox(account.config()) as mailbox:
        state = mailbox.open("INBOX")
        account.server.expunge(account.address, account.deliver(mail("b"), DEADLINE) - 1)
        assert mailbox.open("INBOX").uidnext == state.uidnext + 1


def test_a_server_that_speaks_of_nothing_is_examined_again(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.mail.imap._EXAMINE_SECONDS", -1.0)
    with (
        Wire(account.server.host, account.server.port) as wire,
        ImapMailbox(account.config(port=wire.port)) as mailbox,
    ):
        mailbox.open("INBOX")
        asked = len(wire.commands)
        mailbox.open("INBOX")
        assert wire.commands[asked:] == ['EXAMINE "INBOX"']


def test_a_mail_expunged_between_listing_and_fetching_is_told_as_vanished(account: Account) -> None:
    gone, stays = account.deliver(mail("gone"), DEADLINE), account.deliver(mail("stays"), DEADLINE)
    with ImapMailbox(account.config()) as mailbox:
        mailbox.open("INBOX")
        listed = mailbox._list([gone, stays])
        account.server.expunge(account.address, gone)
        mailbox.open("INBOX")
        [batch] = mailbox._fetch_listed(listed, stays, LARGE)
    assert [m.uid for m in batch.mails] == [stays]
    assert (batch.vanished, batch.refused) == ((gone,), ())


def test_a_missing_folder_is_temporary_and_the_connection_goes_on(account: Account) -> None:
    with ImapMailbox(account.config()) as mailbox:
        with pytest.raises(TemporaryError, match="其他文件夹"):
            mailbox.open("其他文件夹")
        assert mailbox.open("INBOX").exists == 0


def test_the_folders_there_are(account: Account) -> None:
    with ImapMailbox(account.config()) as mailbox:
        assert {"INBOX", "Junk", "Drafts", "Sent Messages"} <= set(mailbox.folders())


def test_a_wrong_password_is_a_refused_login(account: Account) -> None:
    with pytest.raises(LoginError):
        ImapMailbox(account.config(password="wrong")).connect()


def test_nobody_listening_is_temporary(tmp_path: Path) -> None:
    with pytest.raises(TemporaryError) as caught:
        ImapMailbox(mailbox_config(tmp_path, imap_port=free_port())).connect()
    assert not isinstance(caught.value, LoginError)


def test_a_cut_connection_is_temporary_and_can_be_opened_anew(account: Account) -> None:
    account.deliver(mail("a"), DEADLINE)
    with Wire(account.server.host, account.server.port) as wire:
        mailbox = ImapMailbox(account.config(port=wire.port))
        mailbox.connect()
        state = mailbox.open("INBOX")
        wire.cut()
        with pytest.raises(TemporaryError):
            list(mailbox.fetch_new(state, 0, max_octets=LARGE))
        with pytest.raises(TemporaryError):
            mailbox.open("INBOX")
        mailbox.connect()
        assert len(all_mails(mailbox.fetch_new(mailbox.open("INBOX"), 0, max_octets=LARGE))) == 1
        mailbox.close()


def test_a_connection_cut_inside_a_mail_gives_no_half_mail(account: Account) -> None:
    account.deliver(mail("a", 50_000), DEADLINE)
    with Wire(account.server.host, account.server.port) as wire:
        mailbox = ImapMailbox(account.config(port=wire.port))
        mailbox.connect()
        state = mailbox.open("INBOX")
        wire.cut_after(20_000)
        with pytest.raises(TemporaryError):
            list(mailbox.fetch_new(state, 0, max_octets=LARGE))


def wait_in_thread(mailbox: ImapMailbox) -> tuple[threading.Thread, threading.Event]:
    ended = threading.Event()

    def work() -> None:
        mailbox.wait(60)
        ended.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, ended


def await_command(wire: Wire, name: str) -> None:
    for _ in range(500):
        if name in wire.commands:
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"{name} was never said: {wire.commands}")


def deliver_until(account: Account, ended: threading.Event) -> int:
    """How many were needed: of one that comes before it has begun to idle, pymap tells nobody."""
    for delivered in range(1, 21):
        account.deliver(mail(f"m{delivered}"), DEADLINE)
        if ended.wait(1):
            return delivered
    raise AssertionError("twenty mails, and the waiting went on")


def test_idle_wakes_on_delivery(account: Account) -> None:
    with (
        Wire(account.server.host, account.server.port) as wire,
        ImapMailbox(account.config(port=wire.port)) as mailbox,
    ):
        mailbox.open("INBOX")
        thread, ended = wait_in_thread(mailbox)
        await_command(wire, "IDLE")
        delivered = deliver_until(account, ended)
        thread.join(5)
        assert mailbox.open("INBOX").exists == delivered


def test_a_mail_by_lmtp_is_received_when_it_comes(dovecot: DovecotServer, tmp_path: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    dovecot.post("lmtp@example.org", mail("a"))
    [batch] = fetch_all(Account(dovecot, "lmtp@example.org", tmp_path))
    assert before <= batch.mails[0].internaldate <= datetime.now(UTC)
    assert (batch.mails[0].octets or b"").endswith(mail("a"))


def test_wake_ends_the_waiting(account: Account) -> None:
    with (
        Wire(account.server.host, account.server.port) as wire,
        ImapMailbox(account.config(port=wire.port)) as mailbox,
    ):
        mailbox.open("INBOX")
        thread, ended = wait_in_thread(mailbox)
        await_command(wire, "IDLE")
        mailbox.wake()
        assert ended.wait(20)
        thread.join(5)
        assert mailbox.open("INBOX").exists == 0


def test_a_cut_while_idling_is_temporary(account: Account) -> None:
    with Wire(account.server.host, account.server.port) as wire:
        mailbox = ImapMailbox(account.config(port=wire.port))
        mailbox.connect()
        mailbox.open("INBOX")
        cutter = threading.Thread(target=lambda: (await_command(wire, "IDLE"), wire.cut()))
        cutter.start()
        with pytest.raises(TemporaryError):
            mailbox.wait(60)
        cutter.join(5)


def test_a_draft_is_laid_down_and_found_again(account: Account) -> None:
    octets = mail("draft")
    with ReplyFolders(account.config()) as folders:
        assert not folders.has_draft("<draft@example.org>")
        folders.append_draft(octets)
        assert folders.has_draft("<draft@example.org>")
        assert not folders.has_draft("<another@example.org>")
    [draft] = account.mails("Drafts")
    assert draft.octets == octets
    assert draft.flags == {b"\\Draft"}


def test_a_sent_mail_is_found_by_its_message_id(account: Account) -> None:
    for number in range(3):
        account.deliver(mail(f"sent{number}"), DEADLINE, "Sent Messages")
    with ReplyFolders(account.config()) as folders:
        assert folders.has_sent("<sent1@example.org>")
        assert not folders.has_sent("<sent3@example.org>")


def test_of_a_long_sent_folder_so_many_newest_are_looked_through(account: Account) -> None:
    for number in range(205):
        account.deliver(mail(f"sent{number}"), DEADLINE, "Sent Messages")
    with ReplyFolders(account.config()) as folders:
        for newest, first in ((205, 0), (204, 1), (200, 5), (1000, 0)):
            marks = folders.sent_marks(newest)
            known = [n for n in range(205) if f"<sent{n}@example.org>" in marks]
            assert known == list(range(first, 205)), newest
        assert folders.draft_marks() == frozenset()


def test_where_the_server_ends_the_connection_the_look_into_sent_goes_on(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailbot.mail.reply_folders._AT_ONCE", 1)
    for number in range(3):
        account.deliver(mail(f"sent{number}"), DEADLINE, "Sent Messages")
    with (
        Wire(account.server.host, account.server.port) as wire,
        ReplyFolders(account.config(port=wire.port)) as folders,
    ):
        fetch, left = folders._fetch_headers, [wire.cut]

        def cut_once(folder: str, numbers: Sequence[int]) -> list[bytes]:
            if numbers[0] == 2 and left:
                left.pop()()
            return fetch(folder, numbers)

        monkeypatch.setattr(folders, "_fetch_headers", cut_once)
        marks = folders.sent_marks()
    assert not left
    assert {f"<sent{n}@example.org>" for n in range(3)} <= marks


def test_without_a_sent_folder_nothing_is_found(account: Account) -> None:
    with ReplyFolders(account.config(sent_folder="No such folder", drafts_folder="None")) as folders:
        assert not folders.has_sent("<a@example.org>")
        with pytest.raises(TemporaryError):
            folders.append_draft(mail("a"))


def test_a_server_that_cannot_be_asked_is_not_an_empty_sent_folder(account: Account) -> None:
    with Wire(account.server.host, account.server.port) as wire:
        folders = ReplyFolders(account.config(port=wire.port))
        folders.connect()
        wire.cut()
        with pytest.raises(TemporaryError):
            folders.has_sent("<a@example.org>")


def fetched(fake: FakeImap, directory: Path, timeouts: Timeouts = QUICK) -> list[Batch]:
    config = mailbox_config(directory, imap_port=fake.port)
    with ImapMailbox(config, timeouts) as mailbox:
        return list(mailbox.fetch_new(mailbox.open("INBOX"), 0, max_octets=LARGE))


def test_the_fake_behaves_where_nothing_is_broken(tmp_path: Path) -> None:
    with FakeImap() as fake:
        [batch] = fetched(fake, tmp_path)
    assert all_mails([batch]) == MAILS
    assert batch.last_uid == 9
    assert any(command.startswith("ID (") for command in fake.heard)


def test_id_is_sent_only_where_it_is_advertised_after_login(tmp_path: Path) -> None:
    class Nameless(FakeImap):
        capabilities = b"IMAP4rev1 IDLE"

    with Nameless() as fake:
        assert all_mails(fetched(fake, tmp_path)) == MAILS
    assert not [command for command in fake.heard if command.startswith("ID")]


def test_a_folder_of_chinese_name_is_asked_for_as_rfc_3501_writes_it(tmp_path: Path) -> None:
    with FakeImap() as fake:
        with ImapMailbox(mailbox_config(tmp_path, imap_port=fake.port), QUICK) as mailbox:
            mailbox.open("其他文件夹")
        assert 'EXAMINE "&UXZO1mWHTvZZOQ-"' in fake.heard


@pytest.mark.parametrize(
    ("greeting", "first"),
    [
        (b"* OK [CAPABILITY IMAP4 IMAP4rev1 ID AUTH=PLAIN] ready\r\n", "LOGIN"),
        (b"* OK [CAPABILITY IMAP2] ready\r\n", "CAPABILITY"),
        (b"* OK ready\r\n", "CAPABILITY"),
    ],
)
def test_what_the_greeting_tells_is_not_asked(tmp_path: Path, greeting: bytes, first: str) -> None:
    with FakeImap() as fake:
        fake.greeting = greeting
        fetched(fake, tmp_path)
    assert fake.heard[0].split(" ")[0] == first


def test_an_untagged_bad_that_never_completes_is_cut_off_by_the_clock(tmp_path: Path) -> None:
    class Untagged(FakeImap):
        def answer_examine(self, tag: str, command: str) -> None:
            self.send(b"* BAD unknown command\r\n")

    with Untagged() as fake, pytest.raises(TemporaryError):
        fetched(fake, tmp_path, Timeouts(connect=5, read=0.2, command=5))


def test_a_slow_drip_is_cut_off_by_the_clock(tmp_path: Path) -> None:
    class Drip(FakeImap):
        def answer_examine(self, tag: str, command: str) -> None:
            while True:
                self.send(b"* OK still here\r\n")
                threading.Event().wait(0.05)

    with Drip() as fake, pytest.raises(TemporaryError):
        fetched(fake, tmp_path, Timeouts(connect=5, read=5, command=0.5))


def test_an_end_inside_a_literal_is_temporary(tmp_path: Path) -> None:
    class Cut(FakeImap):
        def give(self, uid: int, command: str) -> None:
            if "BODY" in command and uid == 4:
                self.send(b"* 2 FETCH (UID 4 BODY[] {5000}\r\nSubject: fo")
                self.cut()
            else:
                super().give(uid, command)

    with Cut() as fake, pytest.raises(TemporaryError):
        fetched(fake, tmp_path)


def test_a_refusal_in_gbk_is_shown_in_chinese(tmp_path: Path) -> None:
    class Chinese(FakeImap):
        def answer_login(self, tag: str, command: str) -> None:
            self.send(f"{tag} NO 登录失败：请使用授权码登录\r\n".encode("gbk"))

    with Chinese() as fake, pytest.raises(LoginError, match="请使用授权码登录") as caught:
        fetched(fake, tmp_path)
    assert "abcdefghijklmnop" not in str(caught.value)


def test_a_cut_during_login_is_no_refused_login(tmp_path: Path) -> None:
    class Cut(FakeImap):
        def answer_login(self, tag: str, command: str) -> None:
            self.cut()

    with Cut() as fake, pytest.raises(TemporaryError) as caught:
        fetched(fake, tmp_path)
    assert not isinstance(caught.value, LoginError)


def test_a_server_that_is_busy_is_no_refused_login(tmp_path: Path) -> None:
    class Busy(FakeImap):
        def answer_login(self, tag: str, command: str) -> None:
            self.send(f"{tag} NO [UNAVAILABLE] come back later\r\n".encode())

    with Busy() as fake, pytest.raises(TemporaryError) as caught:
        fetched(fake, tmp_path)
    assert not isinstance(caught.value, LoginError)


def test_a_server_that_says_goodbye_at_once_is_temporary(tmp_path: Path) -> None:
    class Full(FakeImap):
        greeting = "* BYE 连接过多\r\n".encode("gbk")

    with Full() as fake, pytest.raises(TemporaryError):
        fetched(fake, tmp_path)


def test_without_uidnext_in_examine_status_is_asked(tmp_path: Path) -> None:
    class NoUidNext(FakeImap):
        def answer_examine(self, tag: str, command: str) -> None:
            self.send(f"* {len(self.mails)} EXISTS\r\n* OK [UIDVALIDITY 7]\r\n".encode())
            self.send(f"{tag} OK [READ-ONLY] done\r\n".encode())

        def answer_status(self, tag: str, command: str) -> None:
            self.send(b'* STATUS "INBOX" (UIDNEXT 10)\r\n')
            self.ok(tag)

    with NoUidNext() as fake:
        assert all_mails(fetched(fake, tmp_path)) == MAILS


def test_mails_refused_together_are_asked_for_one_by_one(tmp_path: Path) -> None:
    class OneByOne(FakeImap):
        def answer_fetch(self, tag: str, command: str) -> None:
            if "BODY" in command and len(self.asked(command)) > 1:
                self.send(f"{tag} NO system busy\r\n".encode())
            else:
                super().answer_fetch(tag, command)

    with OneByOne() as fake:
        assert all_mails(fetched(fake, tmp_path)) == MAILS


@pytest.mark.parametrize("answer", ["NO cannot", "BAD command", "nothing", "NIL", "empty"])
def test_a_mail_that_is_not_given_is_refused_and_never_passed_over(tmp_path: Path, answer: str) -> None:
    class NotFour(FakeImap):
        def answer_fetch(self, tag: str, command: str) -> None:
            if "BODY" not in command or 4 not in self.asked(command):
                super().answer_fetch(tag, command)
            elif answer.startswith(("NO", "BAD")):
                self.send(f"{tag} {answer}\r\n".encode())
            else:
                for uid in self.asked(command):
                    if uid != 4:
                        self.give(uid, command)
                self.send(
                    {
                        "NIL": b"* 2 FETCH (UID 4 BODY[] NIL)\r\n",
                        "empty": b'* 2 FETCH (UID 4 BODY[] "")\r\n',
                    }.get(answer, b"")
                )
                self.ok(tag)

    with NotFour() as fake:
        [batch] = fetched(fake, tmp_path)
    assert all_mails([batch]) == {uid: octets for uid, octets in MAILS.items() if uid != 4}
    assert (batch.refused, batch.vanished, batch.last_uid) == ((4,), (), 9)


def test_a_large_mail_that_is_not_given_does_not_hold_up_the_others(tmp_path: Path) -> None:
    class NoSlices(FakeImap):
        def answer_fetch(self, tag: str, command: str) -> None:
            if "BODY.PEEK[]<" in command:
                self.send(f"{tag} BAD partial\r\n".encode())
            else:
                super().answer_fetch(tag, command)

    with NoSlices() as fake:
        fake.mails[4] = mail("large", 5 * 2**20)
        [first, *others] = fetched(fake, tmp_path, Timeouts())
    batches = [first, *others]
    assert [uid for batch in batches for uid in batch.refused] == [4]
    assert set(all_mails(batches)) == {3, 9}


def test_a_size_that_is_not_exact_costs_no_octets(tmp_path: Path) -> None:
    large = mail("large", 5 * 2**20 + 300_000)

    class WrongSize(FakeImap):
        def give(self, uid: int, command: str) -> None:
            if uid == 4 and "SIZE" in command:
                self.send(
                    b'* 2 FETCH (UID 4 INTERNALDATE "15-Jan-2021 17:30:00 +0800" RFC822.SIZE %d)\r\n'
                    % (5 * 2**20 - 9)
                )
            else:
                super().give(uid, command)

    with WrongSize() as fake:
        fake.mails[4] = large
        batches = fetched(fake, tmp_path, Timeouts())
    assert all_mails(batches)[4] == large


def test_an_empty_mail_is_a_mail(tmp_path: Path) -> None:
    with FakeImap() as fake:
        fake.mails[4] = b""
        [batch] = fetched(fake, tmp_path)
    assert all_mails([batch]) == MAILS | {4: b""}
    assert (batch.refused, batch.vanished) == ((), ())


def test_flags_told_unasked_do_not_disturb(tmp_path: Path) -> None:
    class Chatty(FakeImap):
        def give(self, uid: int, command: str) -> None:
            self.send(b"* 5 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (FLAGS (\\Seen))\r\n")
            super().give(uid, command)

    with Chatty() as fake:
        [batch] = fetched(fake, tmp_path)
    assert all_mails([batch]) == MAILS
    assert batch.vanished == ()


def test_a_mail_told_of_during_a_fetch_is_not_waited_for(tmp_path: Path) -> None:
    class Early(FakeImap):
        def answer_fetch(self, tag: str, command: str) -> None:
            self.send(b"* 4 EXISTS\r\n")
            super().answer_fetch(tag, command)

    with Early() as fake, ImapMailbox(mailbox_config(tmp_path, imap_port=fake.port)) as mailbox:
        list(mailbox.fetch_new(mailbox.open("INBOX"), 0, max_octets=LARGE))
        mailbox.wait(60)
        assert "IDLE" not in fake.heard


def test_an_end_of_idle_that_is_never_answered_is_cut_off_by_the_clock(tmp_path: Path) -> None:
    """A cable pulled while idling: nothing fails, and nothing comes."""

    class Pulled(FakeImap):
        def answer_done(self, tag: str, command: str) -> None:
            pass

    timeouts = Timeouts(connect=5, read=0.2, command=5)
    with Pulled() as fake, ImapMailbox(mailbox_config(tmp_path, imap_port=fake.port), timeouts) as mailbox:
        mailbox.open("INBOX")
        with pytest.raises(TemporaryError):
            mailbox.wait(0.05)


def test_a_notice_that_comes_with_the_start_of_idle_is_seen(tmp_path: Path) -> None:
    class Together(FakeImap):
        def answer_idle(self, tag: str, command: str) -> None:
            self._idle_tag = tag
            self.send(b"+ idling\r\n* 4 EXISTS\r\n")

    with Together() as fake, ImapMailbox(mailbox_config(tmp_path, imap_port=fake.port)) as mailbox:
        mailbox.open("INBOX")
        mailbox.wait(60)
        assert fake.heard[-1] in ("", "DONE")


def test_a_mail_of_which_idle_does_not_tell_is_looked_for_soon_and_then_more_seldom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came between our last command and IDLE, pymap never tells of."""
    monkeypatch.setattr("mailbot.mail.imap._FIRST_IDLE_SECONDS", 0.1)
    with FakeImap() as fake, ImapMailbox(mailbox_config(tmp_path, imap_port=fake.port)) as mailbox:
        mailbox.open("INBOX")
        waits = []
        for _ in range(4):
            begun = time.monotonic()
            mailbox.wait(60)
            waits.append(time.monotonic() - begun)
        assert fake.heard.count("IDLE") == 4
    assert all(wait >= least for wait, least in zip(waits, (0.1, 0.2, 0.4, 0.8), strict=True))
    assert waits[0] < 30


def test_refused_mails_are_asked_for_again_later(tmp_path: Path) -> None:
    with FakeImap() as fake, ImapMailbox(mailbox_config(tmp_path, imap_port=fake.port)) as mailbox:
        mailbox.open("INBOX")
        batches = list(mailbox.fetch_uids([9, 5, 3], max_octets=LARGE))
    assert all_mails(batches) == {3: MAILS[3], 9: MAILS[9]}
    assert [uid for batch in batches for uid in batch.vanished] == [5]


def test_a_refused_command_is_no_end_of_the_connection(tmp_path: Path) -> None:
    class NoFolder(FakeImap):
        def answer_examine(self, tag: str, command: str) -> None:
            if "Junk" in command:
                self.send(f"{tag} NO 文件夹不存在\r\n".encode("gbk"))
            else:
                super().answer_examine(tag, command)

    with NoFolder() as fake, ImapMailbox(mailbox_config(tmp_path, imap_port=fake.port)) as mailbox:
        with pytest.raises(RefusedError):
            mailbox.open("Junk")
        assert mailbox.open("INBOX").exists == 3

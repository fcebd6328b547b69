"""FETCH commands sent ahead, on servers that bear it in one way or another, or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbot.errors import TemporaryError
from mailbot.mail.connection import Timeouts
from mailbot.mail.imap import ImapMailbox
from tests.contract.fake_imap import FakeImap
from tests.contract.test_imap import LARGE, QUICK, all_mails, mail
from tests.servers import mailbox_config

MAILS = {3: mail("three"), 4: mail("large", 5 * 2**20 + 17), 9: mail("nine")}


class Fake(FakeImap):
    def __init__(self) -> None:
        super().__init__()
        self.mails = dict(MAILS)

    @property
    def bodies(self) -> list[str]:
        return [command for command in self.heard if "BODY" in command]


def connected(fake: FakeImap, tmp_path: Path, timeouts: Timeouts | None = None) -> ImapMailbox:
    mailbox = ImapMailbox(mailbox_config(tmp_path, imap_port=fake.port), timeouts)
    mailbox.connect()
    return mailbox


def fetched(mailbox: ImapMailbox) -> dict[int, bytes | None]:
    return all_mails(mailbox.fetch_new(mailbox.open("INBOX"), 0, max_octets=LARGE))


@pytest.mark.parametrize("ends_first", [True, False], ids=["in turn", "as dovecot"])
def test_all_is_asked_for_before_anything_is_answered(tmp_path: Path, ends_first: bool) -> None:
    class Holding(Fake):
        """Answers when it has heard everything; data first and ends afterwards, or each with its end."""

        def __init__(self) -> None:
            super().__init__()
            self.held: list[tuple[str, str]] = []

        def answer_fetch(self, tag: str, command: str) -> None:
            if "BODY" not in command:
                return super().answer_fetch(tag, command)
            self.held.append((tag, command))
            if len(self.held) < 7:
                return None
            for held_tag, held in self.held:
                for uid in self.asked(held):
                    self.give(uid, held)
                if ends_first:
                    self.ok(held_tag)
            if not ends_first:
                for held_tag, _ in self.held:
                    self.ok(held_tag)
            return None

    with Holding() as fake:
        mailbox = connected(fake, tmp_path, QUICK)
        assert fetched(mailbox) == MAILS
        assert len(fake.bodies) == 7
        mailbox.close()


@pytest.mark.parametrize("answer", ["BAD one at a time", "NO busy", "OK done"])
def test_what_is_refused_or_left_out_is_asked_for_once_more_alone(tmp_path: Path, answer: str) -> None:
    class Once(Fake):
        left = 1

        def answer_fetch(self, tag: str, command: str) -> None:
            if "<1048576." in command and self.left:
                self.left = 0
                self.send(f"{tag} {answer}\r\n".encode())
            else:
                super().answer_fetch(tag, command)

    with Once() as fake:
        mailbox = connected(fake, tmp_path, QUICK)
        state = mailbox.open("INBOX")
        for _ in range(2):
            assert all_mails(mailbox.fetch_new(state, 0, max_octets=LARGE)) == MAILS
        mailbox.close()


def test_after_a_connection_that_broke_over_it_nothing_is_sent_ahead(tmp_path: Path) -> None:
    class Stumbling(Fake):
        """Ends a second question as QQ ends what it does not know: it does not."""

        stumbles = True

        def answer_fetch(self, tag: str, command: str) -> None:
            if "<1048576." in command and self.stumbles:
                self.stumbles = False
                self.send(b"* BAD command unknown\r\n")
            elif self.stumbles or "BODY" not in command or not self.has_more():
                super().answer_fetch(tag, command)
            else:
                self.cut()

    with Stumbling() as fake:
        mailbox = connected(fake, tmp_path, QUICK)
        with pytest.raises(TemporaryError):
            fetched(mailbox)
        assert not mailbox.ahead
        mailbox.connect()
        assert fetched(mailbox) == MAILS
        mailbox.close()


def test_a_connection_left_in_the_middle_is_not_used_again(tmp_path: Path) -> None:
    with Fake() as fake:
        fake.mails |= {uid: mail(f"m{uid}", 6 * 2**20) for uid in range(10, 14)}
        mailbox = connected(fake, tmp_path)
        batches = mailbox.fetch_new(mailbox.open("INBOX"), 0, max_octets=LARGE)
        next(batches)
        batches.close()
        with pytest.raises(TemporaryError):
            mailbox.open("INBOX")
        mailbox.connect()
        assert fetched(mailbox) == fake.mails
        mailbox.close()


def test_no_more_is_on_its_way_than_may_be_held(tmp_path: Path) -> None:
    with Fake() as fake:
        fake.mails = {uid: mail(f"m{uid}", 3 * 2**20) for uid in range(3, 23)}
        mailbox = connected(fake, tmp_path)
        state = mailbox.open("INBOX")
        for _ in mailbox.fetch_new(state, 0, max_octets=LARGE):
            on_their_way = sum(fetch.octets for fetch, _ in mailbox._sent)
            assert on_their_way < 40 * 2**20
        mailbox.close()

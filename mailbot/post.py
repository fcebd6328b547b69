"""Sends a mail to the staff, at once and past the outbox."""

from __future__ import annotations

from datetime import datetime

from mailbot.config import Config, Mailbox
from mailbot.errors import MailbotError, RecipientRefusedError, TemporaryError, UnreachedError
from mailbot.log import log
from mailbot.mail.compose import Attachment, OutgoingMail, compose
from mailbot.mail.smtp import Submission
from mailbot.reading import Address
from mailbot.records import OUR_MESSAGE_ID


def tell_staff(
    config: Config,
    name: str,
    *,
    subject: str,
    text: str,
    html: str,
    at: datetime,
    attachments: tuple[Attachment, ...] = (),
) -> None:
    """Send a mail to `staff.digest_to` through the first mailbox that takes it: of one whose account is locked the word
    must get out as well. `name` becomes its Message-ID.

    Raises TemporaryError where no server takes it for one of them; an address that is refused for good is let alone where
    another has got it.
    """
    left = config.staff.digest_to
    for mailbox in config.mailboxes:
        mail = OutgoingMail(
            sender=Address(name="收件系统", address=mailbox.address),
            to=config.staff.digest_to,
            subject=subject,
            text=text,
            html=html,
            message_id=f"{OUR_MESSAGE_ID}{name}@{mailbox.address.rpartition('@')[2]}>",
            date=at,
            attachments=attachments,
            auto_submitted="auto-generated",
        )
        faults = _send(mailbox, compose(mail), left)
        left = tuple(faults)
        for address, fault in faults.items():
            log.warning("staff's mail is not taken", mailbox=mailbox.name, to=address, reason=str(fault))
        if not left:
            break
    final = all(isinstance(fault, RecipientRefusedError) for fault in faults.values())
    if not final or left == config.staff.digest_to:
        raise TemporaryError(f"the staff's mail was not taken: {'; '.join(map(str, faults.values()))}")
    log.info("told the staff", name=name)


def _send(mailbox: Mailbox, octets: bytes, addresses: tuple[str, ...]) -> dict[str, MailbotError]:
    """To whom it could not be handed over, and why. A server that is away is asked once."""
    faults: dict[str, MailbotError] = {}
    submission = Submission(mailbox.smtp)
    try:
        for number, address in enumerate(addresses):
            try:
                submission.send(octets, mailbox.address, address)
            except UnreachedError as error:
                return faults | dict.fromkeys(addresses[number:], error)
            except MailbotError as error:
                faults[address] = error
    finally:
        submission.close()
    return faults

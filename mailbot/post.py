"""Sends a mail to the staff, at once and past the outbox."""

from __future__ import annotations

from datetime import datetime

from mailbot.config import Config
from mailbot.errors import MailbotError, TemporaryError
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
    """Send a mail to `staff.digest_to` through the first mailbox; `name` becomes its Message-ID.

    Raises TemporaryError where the server does not take it.
    """
    mailbox = config.mailboxes[0]
    octets = compose(
        OutgoingMail(
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
    )
    submission = Submission(mailbox.smtp)
    try:
        for address in config.staff.digest_to:
            submission.send(octets, mailbox.address, address)
    except TemporaryError:
        raise
    except MailbotError as error:
        raise TemporaryError(f"the staff's mail was not taken: {error}") from error
    finally:
        submission.close()
    log.info("told the staff", name=name)

"""The error tree: each class says who can do something about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class MailbotError(Exception):
    """Anything this program raises on purpose."""


class ConfigError(MailbotError):
    """One mistake of the operator's: which file, which key, and why it will not do."""

    def __init__(self, file: str, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}" if key else f"{file}: {reason}")
        self.file = file
        self.key = key
        self.reason = reason


class ConfigurationError(MailbotError):
    """Every mistake found in one reading of the configuration, so that all can be mended at once."""

    def __init__(self, faults: Sequence[ConfigError]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class UsageError(MailbotError):
    """The command was called with something it cannot take; the text says what and what is wanted."""


class TemporaryError(MailbotError):
    """Something outside did not answer; trying again later may help."""


class AnotherWorkerError(TemporaryError):
    """Somebody else is the one worker on this storage directory, or on this database."""


class UnreachedError(TemporaryError):
    """No connection to a mail server came about: whatever was to go over it had no part in that."""


class LoginError(UnreachedError):
    """A server refused the login. For a person to mend: trying again fast only locks the account."""


class RateLimitedError(TemporaryError):
    """The submission server wants us to slow down; nothing more is sent through it for a while."""


class ScannerError(TemporaryError):
    """The scanner for malware did not answer, or could not look through this; what it should have seen waits."""


class RecipientRefusedError(MailbotError):
    """The submission server refused this mail for good (SMTP 5yz); sending it again cannot help."""


class DeliveryUncertainError(MailbotError):
    """The connection broke after the mail was handed over and before the server's answer was read."""


class DocumentError(MailbotError):
    """A file that cannot be read. Each subclass carries the contract's finding code."""

    code: ClassVar[str]


class UnreadableError(DocumentError):
    """The file is damaged, or not what it claims to be."""

    code = "document.unreadable"


class EncryptedError(DocumentError):
    """The file needs a password."""

    code = "document.encrypted"


class UnsupportedError(DocumentError):
    """A format that is not read, or not read here because an optional part is not installed."""

    code = "document.unsupported"


class EmptyError(DocumentError):
    """Zero bytes."""

    code = "document.empty"


class TooLargeError(DocumentError):
    """Beyond the configured limits."""

    code = "document.too_large"


class DoubtfulError(DocumentError):
    """It is not read here, or would be read wrong, through no fault of the sender's: a person looks."""

    code = "message.unprocessable"


class DangerousError(DocumentError):
    """A bomb, infected, or otherwise refused for safety."""

    code = "document.dangerous"

"""The servers of `tests.servers` as fixtures of the contract tests."""

from __future__ import annotations

from tests.servers import account, dovecot, imap_server, smtp_server

__all__ = ["account", "dovecot", "imap_server", "smtp_server"]

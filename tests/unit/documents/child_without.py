"""The work of test_sandbox's children on a kernel without Landlock: loaded before the child would be confined."""

from mailbot.documents import landlock
from tests.unit.documents.child_work import serve

__all__ = ["serve"]
landlock.version = lambda: 0

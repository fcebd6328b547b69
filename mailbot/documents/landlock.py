"""Confines a process to the files it may read: Landlock (Linux 5.13, landlock(7)); no writing, no TCP, no signals.

What an older kernel does not know is left out of the rules; where it knows nothing of Landlock nothing happens.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH = 1, 1
_PR_SET_NO_NEW_PRIVS = 38
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_TCP_BIND_AND_CONNECT = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11
_RIGHTS_BY_VERSION = ((1, 13), (2, 14), (3, 15), (5, 16))
"""Since which version of the interface the kernel knows how many rights to files."""
_NET_SINCE, _SCOPES_SINCE = 4, 6


def version() -> int:
    """The version of the interface that this kernel has; 0 where there is none, or it is switched off."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)))


def confine(readable: Iterable[Path]) -> bool:
    """Let this thread, and all it starts, open for good only what lies under these paths, and only to read.

    A path that is not there is passed over. Returns whether it holds.
    """
    known = version()
    if not known:
        return False
    libc = _libc()
    ruleset = libc.syscall(_CREATE_RULESET, *_handled(known), 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            with suppress(FileNotFoundError, PermissionError):
                _allow(libc, ruleset, path, _READ_FILE | (_READ_DIR if path.is_dir() else 0))
        _allow(libc, ruleset, Path(os.devnull), _READ_FILE | _WRITE_FILE)
        if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            return False
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _handled(known: int) -> tuple[bytes, int]:
    """`struct landlock_ruleset_attr` as far as this version knows it, and its length."""
    rights = max(count for since, count in _RIGHTS_BY_VERSION if since <= known)
    attributes = struct.pack("=Q", (1 << rights) - 1)
    if known >= _NET_SINCE:
        attributes += struct.pack("=Q", _TCP_BIND_AND_CONNECT)
    if known >= _SCOPES_SINCE:
        attributes += struct.pack("=Q", _ABSTRACT_SOCKETS_AND_SIGNALS)
    return attributes, len(attributes)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    """Raises OSError where the path cannot be opened, or the kernel does not take the rule."""
    beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, beneath), 0) != 0:
            raise OSError(ctypes.get_errno(), "no rule for", str(path))
    finally:
        os.close(beneath)

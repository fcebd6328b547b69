"""Forbids a process to start programs, open sockets or trace others: a seccomp filter (seccomp(2), x86-64 and arm64).

Where the kernel or the machine does not offer it, nothing happens and `forbid_programs_and_sockets` says so.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from typing import NamedTuple

_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000 | errno.EPERM
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ARCHITECTURE_AT, _NUMBER_AT = 4, 0
_FOREIGN_NUMBERS = 0x40000000
"""From here on x86-64 has a second set of the same calls (x32)."""


class _Machine(NamedTuple):
    architecture: int
    seccomp: int
    forbidden: tuple[int, ...]


_MACHINES = {
    # execve, execveat, socket, connect, bind, ptrace, process_vm_readv, process_vm_writev, mount, bpf, io_uring_setup
    "x86_64": _Machine(0xC000003E, 317, (59, 322, 41, 42, 49, 101, 310, 311, 165, 321, 425)),
    "aarch64": _Machine(0xC00000B7, 277, (221, 281, 198, 203, 200, 117, 270, 271, 40, 280, 425)),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def forbid_programs_and_sockets() -> bool:
    """Install the filter in all threads of this process for good. Returns whether it holds."""
    machine = _MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    if machine is None:
        return False
    code = _instructions(machine)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    done = libc.syscall(machine.seccomp, _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(program))
    return bool(done == 0)


def _instructions(machine: _Machine) -> bytes:
    """Classic BPF: another architecture's calls and the forbidden numbers get EPERM, everything else goes."""

    def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("=HBBI", code, if_true, if_false, value)

    refuse = len(machine.forbidden)
    return b"".join(
        (
            step(_LOAD, _ARCHITECTURE_AT),
            step(_JUMP_IF_EQUAL, machine.architecture, 0, refuse + 3),
            step(_LOAD, _NUMBER_AT),
            step(_JUMP_IF_AT_LEAST, _FOREIGN_NUMBERS, refuse + 1),
            *(step(_JUMP_IF_EQUAL, number, refuse - at) for at, number in enumerate(machine.forbidden)),
            step(_RETURN, _ALLOW),
            step(_RETURN, _ERRNO),
        )
    )

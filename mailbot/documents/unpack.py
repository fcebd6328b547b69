"""What an archive, a winmail.dat or a forwarded mail holds, one member after the other and within bounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from mailbot.documents import archives
from mailbot.errors import DangerousError, TooLargeError, UnreadableError
from mailbot.model import Format
from mailbot.names import UNSEEN, safe_name
from mailbot.reading import Part

_MOST_MEMBERS = 500
_LONGEST_FOLDER = 200
_BOMB_RATIO, _BOMB_OCTETS = 200, 32 * 2**20
"""No honest file is packed to less than a 200th, unless it is small."""
_JUNK = re.compile(r"(?:^|/)(?:__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$|~\$|\._)", re.I)
CONTAINERS = frozenset({Format.ZIP, Format.RAR, Format.SEVEN_ZIP, Format.TAR, Format.TNEF, Format.EML})


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file out of a container."""

    filename: str
    """Without folders; safe to show and to keep."""
    data: bytes
    content_type: str = ""
    folder: str = ""
    """The folders it lies in, as the archive names them."""


@dataclass(slots=True)
class Budget:
    """What may still be unpacked, over all containers of one mail."""

    octets: int
    members: int = _MOST_MEMBERS


def members(
    data: bytes,
    format_: Format,
    *,
    budget: Budget,
    open_mail: Callable[[bytes], tuple[Part, ...]],
) -> Iterator[Member]:
    """The files in a container; folders, links and what programs leave beside files are passed over.

    Each is unpacked when it is asked for. Raises EncryptedError, UnreadableError, UnsupportedError, TooLargeError
    where the budget is spent, DangerousError for a bomb; what came before stands.
    """
    match format_:
        case Format.EML:
            found = (
                Member(filename=p.filename, data=p.data, content_type=p.content_type) for p in open_mail(data)
            )
            yield from counted(found, budget)
        case Format.TNEF:
            yield from counted(_tnef(data), budget)
        case Format.ZIP:
            yield from _unpacked(archives.zip_entries(data), len(data), budget)
        case Format.TAR:
            yield from _unpacked(archives.tar_entries(data), len(data), budget)
        case _:
            yield from _unpacked(archives.packed_entries(data, format_), len(data), budget)


def counted(found: Iterable[Member], budget: Budget) -> Iterator[Member]:
    """Members that are unpacked already, as far as the budget goes. Raises TooLargeError, DangerousError beyond it."""
    for member in found:
        _count(budget)
        budget.octets -= len(member.data)
        if budget.octets < 0:
            raise TooLargeError("unpacked it is beyond the limit")
        yield member


def _count(budget: Budget) -> None:
    budget.members -= 1
    if budget.members < 0:
        raise DangerousError(f"more than {_MOST_MEMBERS} files")


def _unpacked(entries: Iterable[archives.Entry], packed: int, budget: Budget) -> Iterator[Member]:
    unpacked = 0
    for entry in entries:
        name = decoded_name(entry.name).replace("\\", "/")
        if _JUNK.search(name):
            continue
        _count(budget)
        filename = safe_name(name) or f"file{_MOST_MEMBERS - budget.members}"
        data = bytearray()
        for block in entry.blocks:
            data += block
            unpacked += len(block)
            budget.octets -= len(block)
            if unpacked > _BOMB_OCTETS and unpacked > _BOMB_RATIO * packed:
                raise DangerousError(f"{packed} octets unpack to more than {unpacked}")
            if budget.octets < 0:
                raise TooLargeError("unpacked it is beyond the limit")
        folder = UNSEEN.sub("", name.rpartition("/")[0])[-_LONGEST_FOLDER:]
        yield Member(filename=filename, data=bytes(data), folder=folder)


def decoded_name(name: bytes | str) -> str:
    """A member's name: UTF-8 where it is that, else GB18030 as Chinese Windows writes it."""
    if isinstance(name, str):
        return name
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return name.decode("gb18030", "replace")


def _tnef(data: bytes) -> Iterator[Member]:
    from tnefparse import TNEF

    try:
        attachments = TNEF(data, do_checksum=False).attachments
    except Exception as error:
        raise UnreadableError(f"no winmail.dat: {type(error).__name__}") from error
    for number, attachment in enumerate(attachments, start=1):
        content = attachment.data
        if isinstance(content, bytes) and content:
            yield Member(filename=safe_name(_tnef_name(attachment)) or f"attachment{number}", data=content)


def _tnef_name(attachment: object) -> str:
    """The long name, as Unicode or in the sender's code page, else the short one."""
    from tnefparse import properties

    long_names = [
        a.data
        for a in getattr(attachment, "mapi_attrs", ())
        if a.name == properties.MAPI_ATTACH_LONG_FILENAME
    ]
    for name in (*long_names, getattr(attachment, "_name", b"")):
        if isinstance(name, (bytes, str)) and name:
            return decoded_name(name).strip("\0")
    return ""

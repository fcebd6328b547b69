"""How the machinery is doing: both mailboxes, the books, the replies that wait, the disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from mailbot.config import Config
from mailbot.model import ReplyState
from mailbot.records import Counts, FolderHealth
from mailbot.report.figures import octets, one_line, short_moment
from mailbot.report.labels import REPLY_STATES
from mailbot.report.standing import addresses, place_name

_SILENT_AFTER = timedelta(hours=1)
_LITTLE_DISK = 2 * 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One folder of one mailbox."""

    name: str
    good: bool
    last_good_round: str
    on_server: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of everything, in words."""

    alarms: tuple[str, ...]
    """What somebody has to look after."""
    folders: tuple[Folder, ...]
    queue: str
    books: str
    disk: str


def health(
    folders: Sequence[FolderHealth],
    counts: Counts,
    *,
    disk_free: int | None,
    alarms: Sequence[str],
    now: datetime,
    config: Config,
) -> Health:
    """State of mailboxes, books, queue and disk. What is wrong joins the alarms that were raised already."""
    raised = tuple(one_line(alarm, 300) for alarm in alarms)
    return Health(
        alarms=(
            *raised,
            *_own_alarms(folders, counts, disk_free=disk_free, raised=raised, now=now, config=config),
        ),
        folders=tuple(_folder(folder, now, config) for folder in folders),
        queue=_queue(counts),
        books=_books(folders, counts),
        disk=f"剩余{octets(disk_free)}" if disk_free is not None else "",
    )


def _silent(folder: FolderHealth, now: datetime) -> bool:
    return folder.last_good_round is None or now - folder.last_good_round > _SILENT_AFTER


def _own_alarms(
    folders: Sequence[FolderHealth],
    counts: Counts,
    *,
    disk_free: int | None,
    raised: Sequence[str],
    now: datetime,
    config: Config,
) -> Iterator[str]:
    for folder in folders:
        address = addresses(config).get(folder.mailbox, folder.mailbox)
        is_raised = any(address in alarm and "无法读取" in alarm for alarm in raised)
        if _silent(folder, now) and not is_raised:
            yield f"邮箱{_name(folder, config)}超过1小时未能收取，{_last(folder, config.campaign.timezone)}"
    lacking = _on_server(folders) - counts.messages
    if lacking > 0 and not any("对账" in alarm for alarm in raised):
        yield f"邮箱服务器上的邮件比登记的多{lacking}封，请管理员检查"
    if disk_free is not None and disk_free < _LITTLE_DISK:
        yield f"磁盘空间不足，剩余{octets(disk_free)}"


def _folder(folder: FolderHealth, now: datetime, config: Config) -> Folder:
    return Folder(
        name=_name(folder, config),
        good=not (folder.last_error or folder.is_missing or _silent(folder, now)),
        last_good_round=_last(folder, config.campaign.timezone),
        on_server="" if folder.on_server is None else f"服务器上{folder.on_server}封",
        error="没有该文件夹" if folder.is_missing else one_line(folder.last_error),
    )


def _name(folder: FolderHealth, config: Config) -> str:
    return one_line(place_name(folder.mailbox, folder.folder, config))


def _last(folder: FolderHealth, zone: tzinfo) -> str:
    if folder.last_good_round is None:
        return "从未正常收取"
    return f"最近一次正常收取{short_moment(folder.last_good_round, zone)}"


def _on_server(folders: Sequence[FolderHealth]) -> int:
    return sum(folder.on_server or 0 for folder in folders)


def _books(folders: Sequence[FolderHealth], counts: Counts) -> str:
    undecided = f"，其中{counts.waiting}封正等待处理" if counts.waiting else ""
    return f"已登记{counts.messages}封{undecided}；邮箱服务器上现有{_on_server(folders)}封"


def _queue(counts: Counts) -> str:
    states = [
        f"{REPLY_STATES[state]}{number}封"
        for state in ReplyState
        if (number := counts.replies.get(state, 0)) or state is ReplyState.QUEUED
    ]
    return "，".join(states)

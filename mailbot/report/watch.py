"""The mails that tell the staff what is wrong, and the sentences on the same in the digest: a silent mailbox, a broken
template, a scanner that is away, a stop of all sending, faulty files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape

from mailbot.config import Config
from mailbot.records import FolderHealth, ReminderRecord
from mailbot.report.figures import moment
from mailbot.report.labels import REPLY_STATES
from mailbot.report.standing import addresses, place_name

_MOST_UIDS = 5
_NOBODY_LOOKED = "收件程序长时间没有读取"
JUDGES_OTHERWISE = (
    "截止时间、应报材料或评分表已改动，此前的来件仍按原规定判定；"
    "请管理员运行 mailbot rescore 查看差异，再用 mailbot rescore --apply 更新"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A short mail to the staff."""

    subject: str
    text: str

    @property
    def html(self) -> str:
        """The same text as HTML."""
        return "".join(f"<p>{escape(line)}</p>" for line in self.text.splitlines())


def silent(folder: FolderHealth, config: Config) -> Notice:
    """The mailbox has not been read for too long."""
    return Notice(
        subject=f"【需处理】邮箱{_address(folder, config)}无法读取", text=alarm(folder, config) + _WHAT_TO_DO
    )


def works_again(folder: FolderHealth, config: Config) -> Notice:
    """The mailbox is read again."""
    since = _moment(folder.last_good_round, config.campaign.timezone)
    return Notice(
        subject=f"【已恢复】邮箱{_address(folder, config)}恢复读取",
        text=(
            f"邮箱{place_name(folder.mailbox, folder.folder, config)}已恢复读取，最近一次成功读取：{since}。\n"
            "期间到达的邮件会按实际收到时间补登，无需处理。"
        ),
    )


def broken_template(fault: str, waiting: int) -> Notice:
    """Replies wait because a template of the office's cannot be filled in."""
    return Notice(
        subject=f"【需处理】回复模板有错误，{waiting}封来件等待答复",
        text=template_alarm(fault, waiting) + "\n来件已登记，不会丢失。模板改好后，程序会自动继续，无需重启。"
        "\n请改正模板目录中的该文件，或把它移走以改用自带的模板；可请管理员运行 mailbot check 检查。",
    )


def template_alarm(fault: str, waiting: int) -> str:
    """One sentence on a template that is broken."""
    return f"回复模板有错误，{waiting}封来件等待答复：{fault}"


def stopped(at: datetime, letters: int, zone: tzinfo) -> Notice:
    """All sending has stopped."""
    return Notice(
        subject="【需处理】自动答复已全部停止",
        text=stopped_alarm(at, letters, zone)
        + "\n来件照常登记，收到时间不受影响；待发的答复都保留在队列中，不会丢失。"
        "\n请查看这些来件是否为自动回复；确认后请管理员运行 mailbot review --resume --by 姓名 --why 理由，答复即继续发出。"
        "\n不应发出的答复，可先用 mailbot review --reply 编号 --drop 取消。",
    )


def stopped_alarm(at: datetime, letters: int, zone: tzinfo) -> str:
    """One sentence on why nothing is sent."""
    return (
        f"自{_moment(at, zone)}起，自动答复已全部停止：一小时内有{letters}封答复针对的来件没有任何附件，"
        "可能是在与自动程序往来；运行 mailbot review --resume 后恢复"
    )


def standstill(fault: str) -> Notice:
    """No round can begin."""
    return Notice(
        subject="【需处理】收件程序无法运行，来件暂未收取",
        text=f"收件程序无法运行，原因：{fault}"
        "\n在改正之前，来件不会收取、登记和答复；邮件仍保存在邮箱服务器上，不会丢失，收到时间不受影响。"
        "\n请管理员按上述原因改正；可运行 mailbot check 检查。服务方式运行的，改正后请重新启动服务。",
    )


def changed(fault: str) -> Notice:
    """A changed file of the administrator's has a fault, or is such that only he can have it taken over."""
    return Notice(
        subject="【需处理】改动后的配置、评分表或单位名单暂未采用",
        text=changed_alarm(fault)
        + "\n收件和答复照常进行，不受影响。"
        + "\n请管理员按上述原因处理：文件有误的，改好后程序会自动采用，无需重启；"
        + "改用另一年度或另一存储位置，或者邮箱已删去、改名的，须重新启动服务。可运行 mailbot check 检查。",
    )


def changed_alarm(fault: str) -> str:
    """One sentence on changed files that are not taken over."""
    return f"改动后的配置、评分表或单位名单暂未采用，仍按改动前的执行，原因：{fault}"


def unsent(mailbox: str, letters: int, since: datetime, why: str, config: Config) -> Notice:
    """Letters do not leave."""
    return Notice(
        subject=f"【需处理】邮箱{addresses(config).get(mailbox, mailbox)}的答复未能发出",
        text=unsent_alarm(mailbox, letters, since, why, config)
        + "\n来件照常登记，收到时间不受影响；答复都保留在队列中，恢复后会自动发出。"
        "\n请检查邮箱的授权码是否变更（修改邮箱密码会使授权码失效）、SMTP 服务是否开启，或请管理员运行 mailbot check。",
    )


def unsent_alarm(mailbox: str, letters: int, since: datetime, why: str, config: Config) -> str:
    """One sentence on letters that do not leave."""
    name, time = addresses(config).get(mailbox, mailbox), _moment(since, config.campaign.timezone)
    return f"邮箱{name}有{letters}封答复未能发出，最早一封从{time}等到现在；原因：{why}"


def stranded_alarm(mailbox: str, letters: int) -> str:
    """One sentence on letters of a mailbox that is configured no more."""
    return (
        f"{letters}封答复尚未发出，所属邮箱 {mailbox} 已不在配置中，不会发出；"
        "请管理员在配置中恢复该邮箱的名称（name），待答复发完后再改"
    )


def scanner_away(fault: str, waiting: int) -> Notice:
    """Mails wait because nobody looks them through for malware."""
    return Notice(
        subject=f"【需处理】病毒扫描服务不可用，{waiting}封来件等待处理",
        text=scanner_alarm(fault, waiting)
        + "\n来件已登记，收到时间不受影响，也不会丢失；扫描服务恢复后，程序会自动继续，无需重启。"
        "\n请管理员检查 clamd 是否运行、StreamMaxLength 是否足够大，并运行 mailbot check。",
    )


def scanner_alarm(fault: str, waiting: int) -> str:
    """One sentence on a scanner that is away."""
    return f"病毒扫描服务不可用，{waiting}封来件等待处理：{fault}"


def digest_template_alarm(fault: str) -> str:
    """One sentence on the digest's own template."""
    return f"日报模板有错误，本日报按自带模板生成：{fault}"


def reminder_alarm(reminder: ReminderRecord) -> str:
    """One sentence on a reminder that did not go out, or of which nobody knows."""
    why = f"；{reminder.error}" if reminder.error else ""
    return f"{reminder.organization}（{reminder.recipient}）的报送提醒{REPLY_STATES[reminder.state]}，当天不再重发{why}"


def alarm(folder: FolderHealth, config: Config) -> str:
    """One sentence on a mailbox that cannot be read."""
    good = folder.last_good_round
    since = _moment(good, config.campaign.timezone) if good else "从未成功"
    why = folder.last_error or _NOBODY_LOOKED
    name = place_name(folder.mailbox, folder.folder, config)
    return f"邮箱{name}无法读取，最近一次成功读取：{since}；原因：{why}"


def missing_alarm(folder: FolderHealth, config: Config) -> str:
    """One sentence on a Junk folder that is configured and is not there."""
    address = addresses(config).get(folder.mailbox, folder.mailbox)
    return (
        f"邮箱 {address} 中没有文件夹 {folder.folder}，被误判为垃圾邮件的来件可能无人看到，其他收件和答复不受影响；"
        "请管理员运行 mailbot check，并核对配置中的 junk_folder"
    )


def books_open(mailbox: str, folder: str, uids: Sequence[int], config: Config) -> str:
    """One sentence on mails that the server shows and that could not be taken in."""
    some = "、".join(str(uid) for uid in uids[:_MOST_UIDS]) + ("等" if len(uids) > _MOST_UIDS else "")
    return (
        f"邮箱{place_name(mailbox, folder, config)}对账不符：服务器上有{len(uids)}封邮件未能登记（UID {some}），"
        "请在网页邮箱中查看，并请管理员运行 mailbot verify"
    )


_WHAT_TO_DO = (
    "\n来件仍保存在邮箱服务器上，不会丢失，但在恢复之前不会登记和答复。"
    "\n请检查邮箱的授权码是否变更（修改邮箱密码会使授权码失效）、IMAP 服务是否开启，或请管理员运行 mailbot check。"
)


def _address(folder: FolderHealth, config: Config) -> str:
    return addresses(config).get(folder.mailbox, folder.mailbox)


def _moment(time: datetime | None, zone: tzinfo) -> str:
    return moment(time, zone) if time else "—"

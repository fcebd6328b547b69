"""How the program says things in Chinese: a finding for staff, what was mended, times, points, quotations. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from mailbot.model import Code, Finding, Role, doubted
from mailbot.rubric import Rubric
from mailbot.submission import MISSING

ROLE_NAMES = {
    Role.FORM: "自评表",
    Role.SUMMARY: "工作总结",
    Role.PLAN: "下一年度工作计划",
    Role.SUMMARY_AND_PLAN: "工作总结及下一年度工作计划",
    Role.EVIDENCE: "佐证材料",
    Role.OTHER: "其他材料",
}
LACKING = {code: ROLE_NAMES[role] for code, role in MISSING.items()}
"""The name of the missing document, by the finding that says so."""
_LONGEST_QUOTE = 40
_LONGEST_CRITERION, _LEAST_OF_A_LIST = 16, 9
_WEB = re.compile(r"(?:https?://|www\.)[^\s“”，。；）]*", re.IGNORECASE)

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_INNER = str.maketrans("“”「」", "‘’‘’")

_DETAILS = {
    Code.FORM_MISSING: "缺可读取的自评表",
    Code.SUMMARY_MISSING: "缺可读取的工作总结",
    Code.PLAN_MISSING: "缺可读取的下一年度工作计划",
    Code.FORM_BLANK: "自评表{document}是空白表",
    Code.FORM_WRONG_YEAR: "自评表不是本年度的表：写的是{found}，应为{wanted}",
    Code.FORM_ALTERED: "{item}的分值或内容被改动：现为{found}，应为{wanted}",
    Code.FORM_CONFLICTING: "来件含多份内容不同的自评表：{found}",
    Code.FORM_LOW_CONFIDENCE: "{item}识读没有把握，读作{found}",
    Code.ORGANIZATION_MISSING: "填报单位未填，也无法从邮件判断",
    Code.ORGANIZATION_UNKNOWN: "单位{found}不在名册中",
    Code.ORGANIZATION_MISMATCH: "来件写的是{found}，发件邮箱登记的是{wanted}",
    Code.SCORE_MISSING: "{item}未填自评分",
    Code.SCORE_NOT_A_NUMBER: "{item}自评分{found}不是一个数",
    Code.SCORE_OVER_MAX: "{item}自评分{found}超过分值{wanted}",
    Code.SCORE_NEGATIVE: "{item}自评分{found}小于零",
    Code.TOTAL_MISSING: "总计未填，按各项之和计{wanted}",
    Code.TOTAL_MISMATCH: "总计填{found}，各项之和为{wanted}",
    Code.EVIDENCE_MISSING: "{item}有自评分而无自评依据",
    Code.EVIDENCE_UNSUPPORTED: "{item}自评依据未体现评价内容的要求{wanted}：{found}",
    Code.DOCUMENT_UNREADABLE: "文件{document}无法打开",
    Code.DOCUMENT_ENCRYPTED: "文件{document}设有密码",
    Code.DOCUMENT_UNSUPPORTED: "文件{document}的格式不能读取",
    Code.DOCUMENT_EMPTY: "文件{document}是空文件",
    Code.DOCUMENT_TOO_LARGE: "文件或邮件{document}超过大小限制",
    Code.DOCUMENT_DANGEROUS: "文件{document}因安全原因未打开：{found}",
    Code.DELIVERY_LINK_ONLY: "文件{found}只有下载链接，未随邮件送达，到期时间{wanted}",
    Code.DELIVERY_LATE: "收到时间晚于截止时间",
    Code.DELIVERY_WRONG_MAILBOX: "发到了另一类单位的邮箱，已照收",
    Code.DELIVERY_TIME_DISPUTED: "收到时间有两种记载，服务器标注为{found}",
    Code.DELIVERY_IN_JUNK: "邮件在垃圾箱中",
    Code.SENDER_UNAUTHENTICATED: "收件服务器未能证实发件人身份：{found}",
    Code.MESSAGE_AUTOMATIC: "自动邮件：{found}",
    Code.MESSAGE_DUPLICATE: "同一封邮件的副本，以来件编号{number}为准",
    Code.MESSAGE_OUT_OF_CAMPAIGN: "收到时间早于报送开始时间",
    Code.MESSAGE_INQUIRY: "来信咨询，未报送材料",
    Code.MESSAGE_UNPROCESSABLE: "多次处理失败，原件已保存",
}
_DANGERS = (
    (re.compile(r"archives in archives, deeper than (\d+)"), "压缩包里套压缩包超过{}层"),
    (re.compile(r"more than (\d+) files"), "里面的文件超过{}个"),
    (re.compile(r"(\d+) octets unpack to more than \d+"), "解压后的体积大得异常"),
)
"""Our own reasons to leave a file closed, of those that a person can tell its sender."""
_DATE = re.compile(
    r"20[0-9]{2}([-/])[0-9]{1,2}\1[0-9]{1,2}|(?:20[0-9]{2}年)?[0-9]{1,2}月[0-9]{1,2}日|[0-9]{1,2}-[A-Z][a-z]{2}"
)
_MENDED = {
    Code.FORM_MISSING: "已补报自评表",
    Code.SUMMARY_MISSING: "已补报工作总结",
    Code.PLAN_MISSING: "已补报下一年度工作计划",
    Code.FORM_BLANK: "自评表已填写",
    Code.FORM_WRONG_YEAR: "自评表已改用本年度的表",
    Code.FORM_ALTERED: "{items}自评表的项目已恢复",
    Code.SCORE_MISSING: "{items}自评分已补填",
    Code.SCORE_NOT_A_NUMBER: "{items}自评分已更正",
    Code.SCORE_OVER_MAX: "{items}自评分已更正",
    Code.SCORE_NEGATIVE: "{items}自评分已更正",
    Code.TOTAL_MISMATCH: "总计已更正",
    Code.EVIDENCE_MISSING: "{items}自评依据已补填",
}


def plain(text: str) -> str:
    """A text from outside on one line: no control or direction characters, and no web address a mail client links."""
    kept = text
    if not text.isprintable():
        kept = "".join(
            " " if c in "\r\n\t\u2028\u2029" else c for c in text if c in "\r\n\t" or not _unseen(c)
        )
    return " ".join(_WEB.sub("（网址略）", kept).split())


def _unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn")


def shortened(text: str, limit: int) -> str:
    """At most so many characters, with … where something was cut off."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def quoted(text: str, limit: int = _LONGEST_QUOTE) -> str:
    """“what stood there”, cleaned and cut, marks within it made single (GB/T 15834); '' for nothing."""
    cleaned = shortened(plain(text).translate(_INNER), limit)
    return f"“{cleaned}”" if cleaned else ""


def why_no_score(found: str) -> str:
    """Why a text is no score. Of a date it says how the cell came to hold one."""
    if _DATE.fullmatch(found):
        return "是一个日期（表格软件会把“1-2”“1/2”自动改成“1月2日”）"
    return "无法识别为一个分数"


def minute(when: datetime) -> str:
    """2021年1月15日17:30, in the time zone that it carries."""
    return f"{when.year}年{when.month}月{when.day}日{when.hour}:{when:%M}"


def second(when: datetime) -> str:
    """2021年1月14日9:12:03."""
    return f"{minute(when)}:{when:%S}"


def exact(when: datetime) -> str:
    """2021年1月15日17:30, with seconds where there are any: a deadline."""
    return second(when) if when.second else minute(when)


def span(length: timedelta) -> str:
    """3天5小时, 5小时20分钟, 20分钟: the two largest units, rounded down."""
    minutes = max(int(length.total_seconds()) // 60, 0)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days}天{hours}小时" if hours else f"{days}天"
    if hours:
        return f"{hours}小时{rest}分钟" if rest else f"{hours}小时"
    return f"{rest}分钟" if rest else "不到1分钟"


def points(value: Decimal) -> str:
    """A number of points without needless zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def criterion(rubric: Rubric, no: int) -> str:
    """A criterion in short: its first clause, at most sixteen characters, of a list whole words."""
    item = rubric.by_no.get(no)
    if item is None:
        return ""
    clause = re.split(r"[，,。；;]", item.criterion.strip(), maxsplit=1)[0]
    whole = clause[:_LONGEST_CRITERION].rpartition("、")[0]
    tells = len(whole) >= _LEAST_OF_A_LIST and len(clause) > _LONGEST_CRITERION
    return f"{whole}等" if tells else shortened(clause, _LONGEST_CRITERION)


def item_name(rubric: Rubric, no: int) -> str:
    """第8项（举办会员继续教育培训）."""
    short = criterion(rubric, no)
    return f"第{no}项（{short}）" if short else f"第{no}项"


def numbers(items: Iterable[int]) -> str:
    """第4、8、14项."""
    return f"第{'、'.join(str(no) for no in sorted(set(items)))}项"


def listed(names: Iterable[str]) -> str:
    """自评表、工作总结."""
    return "、".join(dict.fromkeys(names))


def detail(finding: Finding, rubric: Rubric) -> str:
    """One short sentence for staff and for the export."""
    text = _words(finding).format(
        item="表上有一处" if finding.item is None else item_name(rubric, finding.item),
        found=quoted(finding.found, 90 if finding.code is Code.FORM_CONFLICTING else _LONGEST_QUOTE)
        or "（空）",
        wanted=_wanted(finding.wanted) or "（未注明）",
        document=quoted(finding.document or ""),
        number=finding.found,
    )
    for nothing in (
        "：“dmarc=fail”",
        "，应为（未注明）",
        "，到期时间（未注明）",
        "：（空）",
        "，读作（空）",
        "（未注明）",
        "（空）",
    ):
        text = text.replace(nothing, "")
    return text


def _wanted(text: str) -> str:
    """A number as it is, words in quotation marks."""
    return text if _NUMBER.fullmatch(text) else quoted(text, 60)


def _words(finding: Finding) -> str:
    if finding.code is Code.FORM_ALTERED and finding.item is None:
        return "表中多出一行{found}"
    if finding.code is Code.FORM_ALTERED and not finding.found:
        return "表中缺少{item}"
    if finding.code is Code.ORGANIZATION_MISMATCH and not finding.wanted:
        return "来件中的材料分属几个单位：{found}"
    if finding.code is Code.ORGANIZATION_MISMATCH and finding.document is not None:
        what = "文件名{document}" if finding.found in finding.document else "文件{document}的标题"
        return what + "写的是{found}，自评表或发件邮箱是{wanted}的"
    if finding.code is Code.ORGANIZATION_MISSING and finding.wanted:
        return "来件未写明单位，发件邮箱登记的或曾报送的有{wanted}"
    if finding.code is Code.DOCUMENT_DANGEROUS and " " in finding.found:
        return _refused(finding.found)
    if finding.code is Code.FORM_LOW_CONFIDENCE and finding.item is None and not finding.found:
        return "自评表识读没有把握"
    if papers := doubted(finding):
        said = "或".join(ROLE_NAMES[role] for role in papers)
        if not finding.document:
            return f"邮件正文是否写有{said}或其所在，程序不能确定"
        return f"文件{{document}}是否为应报的{said}，程序不能确定"
    if finding.code is Code.MESSAGE_UNPROCESSABLE and finding.document:
        return "文件{document}程序未能读取，原件已保存"
    return _DETAILS[finding.code]


def _refused(reason: str) -> str:
    """Of a reason of ours, which unlike the name of malware is a sentence."""
    found = ((pattern.fullmatch(reason), words) for pattern, words in _DANGERS)
    why = next((words.format(match[1]) for match, words in found if match), "")
    return "文件{document}因安全原因未打开" + (f"：{why}" if why else "")


def mended(before: Sequence[Finding], now: Sequence[Finding]) -> tuple[str, ...]:
    """What an organization has mended since, in the order in which it was asked for. A blank form is none."""
    left = {(f.code, f.item) for f in now}
    if (Code.FORM_BLANK, None) in left:
        left.add((Code.FORM_MISSING, None))
    gone: dict[str, list[int]] = {}
    for one in before:
        if (one.code, one.item) in left or one.code not in _MENDED:
            continue
        gone.setdefault(_MENDED[one.code], []).extend([] if one.item is None else [one.item])
    return tuple(words.format(items=numbers(items) if items else "") for words, items in gone.items())

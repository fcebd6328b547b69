"""The contract's words as the staff read them. What a finding says in full is `wording.detail`."""

from __future__ import annotations

from collections.abc import Mapping

from mailbot.model import (
    Code,
    Finding,
    Outcome,
    ReadBy,
    ReplyKind,
    ReplyState,
    Role,
    RulingKind,
    Severity,
    Status,
    Track,
    doubted,
)
from mailbot.records import NOT_IN_SENT, PERHAPS_SENT, SUPERSEDED, MessageRecord, ReplyRecord
from mailbot.report.figures import one_line

TRACKS: Mapping[Track, str] = {Track.SOCIETY: "省级学会", Track.ENTERPRISE: "省属企业科协"}

ROLES: Mapping[Role, str] = {
    Role.FORM: "自评表",
    Role.SUMMARY: "工作总结",
    Role.PLAN: "工作计划",
    Role.SUMMARY_AND_PLAN: "工作总结和计划",
    Role.EVIDENCE: "佐证材料",
    Role.OTHER: "其他",
}

STATUSES: Mapping[Status, str] = {
    Status.COMPLETE: "已齐全",
    Status.INCOMPLETE: "待补正",
    Status.REVIEW: "待核对",
    Status.NOT_RECEIVED: "未报送",
}

STATUS_COLOURS: Mapping[Status, str] = {
    Status.COMPLETE: "#5b9f4a",
    Status.INCOMPLETE: "#e07b28",
    Status.REVIEW: "#e6b422",
    Status.NOT_RECEIVED: "#c3c9d1",
}
"""On the pages of the report and in the digest's bar."""

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.ACKNOWLEDGED: "已回执",
    Outcome.CORRECTION: "请补正",
    Outcome.REVIEW: "待人工核对",
    Outcome.IGNORED: "不处理",
}

REPLY_KINDS: Mapping[ReplyKind, str] = {
    ReplyKind.ACKNOWLEDGEMENT: "接收回执",
    ReplyKind.CORRECTION: "补正通知",
    ReplyKind.RECEIPT: "收到通知",
}

REPLY_STATES: Mapping[ReplyState, str] = {
    ReplyState.QUEUED: "待发",
    ReplyState.SENDING: "发送中",
    ReplyState.SENT: "已发",
    ReplyState.DRAFTED: "在草稿箱",
    ReplyState.HELD: "暂缓",
    ReplyState.FAILED: "发送失败",
    ReplyState.UNCERTAIN: "不知是否送达",
}

RULINGS: Mapping[RulingKind, str] = {
    RulingKind.ASSIGN: "归入单位",
    RulingKind.ACCEPT: "按现状接收",
    RulingKind.CORRECT: "请其补正",
    RulingKind.NO_SUBMISSION: "不作报送",
}

SEVERITIES: Mapping[Severity, str] = {
    Severity.ERROR: "需补正",
    Severity.WARNING: "提醒",
    Severity.INFO: "供参考",
}

READ_BY: Mapping[ReadBy, str] = {
    ReadBy.CELLS: "电子表格",
    ReadBy.TABLE: "文档表格",
    ReadBy.TEXT: "PDF文字",
    ReadBy.OCR: "图像识别",
}

CODES: Mapping[Code, str] = {
    Code.FORM_MISSING: "缺自评表",
    Code.SUMMARY_MISSING: "缺工作总结",
    Code.PLAN_MISSING: "缺工作计划",
    Code.FORM_BLANK: "自评表未填",
    Code.FORM_WRONG_YEAR: "自评表年度不符",
    Code.FORM_ALTERED: "自评表被改动",
    Code.FORM_CONFLICTING: "多份自评表不一致",
    Code.FORM_LOW_CONFIDENCE: "识读存疑",
    Code.ORGANIZATION_MISSING: "未写填报单位",
    Code.ORGANIZATION_UNKNOWN: "单位不在名册",
    Code.ORGANIZATION_MISMATCH: "单位与发件人不符",
    Code.SCORE_MISSING: "未填自评分",
    Code.SCORE_NOT_A_NUMBER: "自评分不是数字",
    Code.SCORE_OVER_MAX: "自评分超过分值",
    Code.SCORE_NEGATIVE: "自评分为负",
    Code.TOTAL_MISSING: "未填总计",
    Code.TOTAL_MISMATCH: "总计不符",
    Code.EVIDENCE_MISSING: "未填自评依据",
    Code.EVIDENCE_UNSUPPORTED: "依据或不足",
    Code.DOCUMENT_UNREADABLE: "文件打不开",
    Code.DOCUMENT_ENCRYPTED: "文件有密码",
    Code.DOCUMENT_UNSUPPORTED: "文件格式不支持",
    Code.DOCUMENT_EMPTY: "空文件",
    Code.DOCUMENT_TOO_LARGE: "文件过大",
    Code.DOCUMENT_DANGEROUS: "文件不安全",
    Code.DELIVERY_LINK_ONLY: "只有网盘链接",
    Code.DELIVERY_LATE: "逾期",
    Code.DELIVERY_WRONG_MAILBOX: "寄到另一邮箱",
    Code.DELIVERY_TIME_DISPUTED: "时间存疑",
    Code.DELIVERY_IN_JUNK: "在垃圾箱",
    Code.SENDER_UNAUTHENTICATED: "发件人未通过验证",
    Code.MESSAGE_AUTOMATIC: "自动邮件",
    Code.MESSAGE_DUPLICATE: "重复邮件",
    Code.MESSAGE_OUT_OF_CAMPAIGN: "不在收取期内",
    Code.MESSAGE_INQUIRY: "咨询",
    Code.MESSAGE_UNPROCESSABLE: "无法处理",
}

TO_DO: Mapping[Code, str] = {
    Code.FORM_CONFLICTING: "请向该单位核实以哪一份为准。",
    Code.FORM_LOW_CONFIDENCE: "请对照原件核对读出的内容，或请该单位发送电子表格。",
    Code.ORGANIZATION_UNKNOWN: "请确认是哪个单位；若是新单位或曾用名，请补进名册。",
    Code.ORGANIZATION_MISMATCH: "请向发件人核实是代报还是填错了单位。",
    Code.DOCUMENT_DANGEROUS: "请勿直接打开附件，请该单位重新发送。",
    Code.DOCUMENT_TOO_LARGE: "邮件过大，未下载，仍在邮箱中，请到邮箱查看。",
    Code.SENDER_UNAUTHENTICATED: "发件人可能系冒用，未回复；请用已知电话核实。",
    Code.DELIVERY_IN_JUNK: "若系误判，请移出垃圾箱并联系发件人。",
    Code.MESSAGE_INQUIRY: "来信没有应报的材料，请阅后答复；已答复或不需答复的，处理意见填“不作报送”。",
    Code.MESSAGE_UNPROCESSABLE: "程序未能处理，原件已保存，请打开原件办理。",
}
"""What a person is asked to do about each finding that only a person can decide."""
_IN_DOUBT = "材料存疑"
_JUDGE = "请打开来件判断：是应报材料的，按现状接收；不是的，请其补正。"
"""What to do about a paper that could be read, where it is not sure whether it is the missing one."""


def short(each: Finding) -> str:
    """A finding in a word or two."""
    return _IN_DOUBT if doubted(each) else CODES[each.code]


def step(each: Finding) -> str:
    """What a person is asked to do about a finding; '' where it asks nothing."""
    return _JUDGE if doubted(each) else TO_DO.get(each.code, "")


_UNTOLD: Mapping[Outcome, str] = {
    Outcome.ACKNOWLEDGED: "已齐全（未回信）",
    Outcome.CORRECTION: "需补正（未去信）",
}


def result(message: MessageRecord) -> str:
    """What became of a message; that nobody was written to about it, where the word for it says so otherwise."""
    if message.outcome is None:
        return ""
    told = OUTCOMES[message.outcome]
    return told if message.replies or message.copy_answered else _UNTOLD.get(message.outcome, told)


def answer(reply: ReplyRecord) -> str:
    """A reply in short; with its number where a person has to decide on it."""
    number = f"（答复编号{reply.id}）" if reply.is_stuck else ""
    return f"{REPLY_KINDS[reply.kind]}{fate(reply)}{number}"


def reason(reply: ReplyRecord) -> str:
    """Why a reply did not go out; '' where nothing is said. What is held without a word is over a limit."""
    if reply.state is ReplyState.HELD and not reply.error:
        return "发往该邮箱、该单位或一小时内的答复已达上限"
    return _REASONS.get(reply.error, reply.error)


_REASONS = {
    PERHAPS_SENT: "数据库重建前可能已发出，正在核对已发送邮件",
    NOT_IN_SENT: "数据库重建前可能已发出，已发送邮件中未找到",
}


def fate(reply: ReplyRecord) -> str:
    """Where a reply stands, or why it is not to go any more."""
    if not reply.dropped:
        return REPLY_STATES[reply.state]
    why = "已按新的处理结果答复" if reply.dropped == SUPERSEDED else one_line(reply.dropped)
    return f"{REPLY_STATES[reply.state]}，不再发出（{why}）"

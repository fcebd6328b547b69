"""Tells automatic mail from a person's: answering a robot starts a loop, so one sure sign is enough.

Ground: RFC 3834 §2 (whom not to answer), RFC 3464 and RFC 8098 (reports), and what QQ's own robots write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

_SUBJECTS = re.compile(
    r"^\s*(?:自动回复|自動回覆|自动答复|自动应答|休假自动回复|外出自动回复|来自[\w.\-]+的退信|系统退信|退信通知|邮件投递失败|已读[:：]|未读[:：]|阅读回执|"
    r"已讀[:：]|auto(?:matic)?[ -]?reply|auto[ -]?response|out of (?:the )?office|undeliver(?:ed|able)|"
    r"delivery status notification|mail delivery (?:failed|failure|system)|failure notice|returned mail|"
    r"read[:：]|not read[:：]|read receipt)",
    re.IGNORECASE,
)
_ROBOTS = re.compile(
    r"^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|noreply[\w.+-]*|bounces?(?:[+-].*)?|listserv|majordomo)@|\+auto_=",
    re.IGNORECASE,
)
_QQ_VACATION = "这是来自QQ邮箱的假期自动回复邮件"
_PRESENT = (
    "X-QQ-HolidayReply",
    "X-QQ-AUTO-REPLY",
    "X-Autoreply",
    "X-Autorespond",
    "X-Auto-Reply-From",
    "X-Mailbot-Campaign",
)
_LISTS = ("List-Id", "List-Post")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,250}@[^<>\s]{1,250}>")


def sign(
    headers: Mapping[str, str], *, content_type: str, sender: str, body: str, own: Collection[str]
) -> str:
    """The sign by which a mail is automatic; '' for a person's mail.

    `headers` are decoded, their names in lower case; `sender` is From's address, `own` our own addresses in lower case.
    """
    rules: tuple[Callable[[], str], ...] = (
        lambda: _own_mail(sender, own),
        lambda: _declared(headers),
        lambda: _bulk(headers),
        lambda: next((name for name in _PRESENT if name.lower() in headers), ""),
        lambda: next((name for name in _LISTS if name.lower() in headers), ""),
        lambda: _report(content_type),
        lambda: _null_sender(headers),
        lambda: _robot(headers, sender),
        lambda: _subject(headers.get("subject", "")),
        lambda: _QQ_VACATION if _QQ_VACATION in body else "",
    )
    return next((found for rule in rules if (found := rule())), "")


def _own_mail(sender: str, own: Collection[str]) -> str:
    return f"From: {sender}" if sender.lower() in own else ""


def _declared(headers: Mapping[str, str]) -> str:
    """RFC 3834 §5: anything but `no` is automatic."""
    value = headers.get("auto-submitted", "").split(";")[0].split("(")[0].strip().lower()
    return f"Auto-Submitted: {value}" if value and value != "no" else ""


def _bulk(headers: Mapping[str, str]) -> str:
    value = headers.get("precedence", "").strip().lower()
    return f"Precedence: {value}" if value in ("bulk", "list", "junk", "auto_reply") else ""


def _report(content_type: str) -> str:
    known = ("multipart/report", "message/disposition-notification", "message/delivery-status")
    return f"Content-Type: {content_type}" if content_type in known else ""


def _null_sender(headers: Mapping[str, str]) -> str:
    """RFC 5321 §4.5.5: notifications are sent with an empty reverse-path."""
    return "Return-Path: <>" if headers.get("return-path", "").strip() == "<>" else ""


def _robot(headers: Mapping[str, str], sender: str) -> str:
    for name, address in (
        ("From", sender),
        ("Sender", headers.get("sender", "")),
        ("Return-Path", headers.get("return-path", "")),
    ):
        if name != "Return-Path" and _ROBOTS.search(address.strip("<> ")):
            return f"{name}: {address}"
        if "+auto_=" in address:
            return f"{name}: {address}"
    return ""


def _subject(subject: str) -> str:
    return f"Subject: {subject[:80]}" if _SUBJECTS.match(subject) else ""


def returned_ids(text: str) -> tuple[str, ...]:
    """The Message-IDs that a bounce returns, from the headers or text that it quotes (RFC 3464 §2)."""
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(text)))[:20]

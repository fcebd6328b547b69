"""Tells automatic mail from a person's: answering a robot starts a loop, so one sure sign is enough.

Ground: RFC 3834 §2 (whom not to answer), RFC 3464 and RFC 8098 (reports), and what QQ's own robots write.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

Headers = Mapping[str, Sequence[str]]
"""Decoded values by header name in lower case, topmost first."""

_SUBJECT = re.compile(
    r"\s*(?:[\[【(（]?(?:休假|外出|假期)?(?:自动回[复覆]|自动答[复覆]|自动应答|自動回[复覆復])[\]】)）]?\s*(?:[:：】\]\-—]|$)"
    r"|来自[\w.\-]+的退信|系统退信\s*(?:$|[/／:：(（])|退信通知\s*(?:$|[:：])|邮件投递失败(?:通知)?\s*(?:$|[:：])"
    r"|(?:已读|已讀|未读|已读回执|阅读回执|收件回执|未送达|无法送达|无法投递)\s*[:：]"
    r"|auto(?:matic)?[ -]?(?:reply|response)\b|out of (?:the )?office\b|undeliver(?:ed|able)\b"
    r"|delivery status notification|mail delivery (?:failed|failure|system)|failure notice|returned mail"
    r"|read\s*[:：]|not read\s*[:：]|read receipt)",
    re.IGNORECASE,
)
_ROBOT = re.compile(
    r"^(?:mailer-daemon|postmaster|bounces?(?:[+-].*)?|listserv|majordomo"
    r"|(?:no[-_.]?reply|do[-_.]?not[-_.]?reply)[\w.+-]*)@|\+auto_=",
    re.IGNORECASE,
)
_QQ_VACATION = "这是来自QQ邮箱的假期自动回复邮件"
_PRESENT = (
    "X-QQ-HolidayReply",
    "X-QQ-AUTO-REPLY",
    "X-Autoreply",
    "X-Autorespond",
    "X-Auto-Reply-From",
    "X-Failed-Recipients",
)
_DENIED = frozenset({"no", "false", "0"})
_LISTS = ("List-Id", "List-Post")
_REPORTS = ("multipart/report", "message/disposition-notification", "message/delivery-status")
_MESSAGE_ID = re.compile(r"<[^<>\s@]{1,250}@[^<>\s@]{1,250}>")
_OURS = re.compile(r"<mailbot\.[0-9a-f]{32}@")
"""Message-IDs that `compose.reply_message_id` makes."""


def sign(
    headers: Headers,
    *,
    content_type: str,
    sender: str,
    body: str,
    own: Collection[str],
) -> str:
    """The sign by which a mail is automatic; '' for a person's mail.

    `sender` is From's address, `body` the sender's own words, `own` our own addresses in lower case.
    """
    rules: tuple[Callable[[], str], ...] = (
        lambda: _own_mail(headers, sender, own),
        lambda: _declared(headers),
        lambda: _present(headers),
        lambda: f"Content-Type: {content_type}" if content_type in _REPORTS else "",
        lambda: _null_sender(headers),
        lambda: _robot(headers, sender),
        lambda: _bulk(headers),
        lambda: _list(headers),
        lambda: _subject(_first(headers, "subject")),
        lambda: _QQ_VACATION if body.lstrip().startswith(_QQ_VACATION) else "",
    )
    return next((found for rule in rules if (found := rule())), "")


def _first(headers: Headers, name: str) -> str:
    return next(iter(headers.get(name, ())), "")


def _own_mail(headers: Headers, sender: str, own: Collection[str]) -> str:
    """Our own address, or a Message-ID that we made: a reply of ours that came back."""
    if sender.lower() in own:
        return f"From: {sender}"
    message_id = _first(headers, "message-id").strip()
    return f"Message-ID: {message_id}" if _OURS.match(message_id) else ""


def _declared(headers: Headers) -> str:
    """RFC 3834 §5: anything but `no` is automatic."""
    for value in headers.get("auto-submitted", ()):
        keyword = value.split(";")[0].split("(")[0].strip().lower()
        if keyword and keyword != "no":
            return f"Auto-Submitted: {keyword}"
    return "Precedence: auto_reply" if "auto_reply" in _precedence(headers) else ""


def _precedence(headers: Headers) -> list[str]:
    return [value.strip().lower() for value in headers.get("precedence", ())]


def _bulk(headers: Headers) -> str:
    return next((f"Precedence: {v}" for v in _precedence(headers) if v in ("bulk", "list", "junk")), "")


def _list(headers: Headers) -> str:
    """RFC 2919 and RFC 2369: what a list's server adds."""
    return next((name for name in _LISTS if name.lower() in headers), "")


def _present(headers: Headers) -> str:
    return next(
        (
            name
            for name in _PRESENT
            if any(value.strip().lower() not in _DENIED for value in headers.get(name.lower(), ()))
        ),
        "",
    )


def _null_sender(headers: Headers) -> str:
    """RFC 5321 §4.5.5: notifications are sent with an empty reverse-path. The topmost is the receiving server's."""
    return "Return-Path: <>" if "".join(_first(headers, "return-path").split()) == "<>" else ""


def _robot(headers: Headers, sender: str) -> str:
    if _ROBOT.search(sender):
        return f"From: {sender}"
    return next(
        (
            f"{name}: {value}"
            for name in ("Sender", "Return-Path")
            for value in headers.get(name.lower(), ())
            if "+auto_=" in value
        ),
        "",
    )


def _subject(subject: str) -> str:
    return f"Subject: {subject[:80]}" if _SUBJECT.match(subject) else ""


def returned_ids(text: str) -> tuple[str, ...]:
    """The Message-IDs in a text: those that a bounce returns (RFC 3464 §2), or a References header."""
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(text)))

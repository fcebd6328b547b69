"""A mail taken apart: what it says of itself, and the files that it carries. Nothing in it is trusted.

mail-parser reads the head of a repaired message without its attachments; the tree of parts is walked in `tree`, so
that each file keeps its octets and its place.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import Message

from mailparser import MailParser

from mailbot.errors import DangerousError, DocumentError, UnreadableError
from mailbot.mail import automatic, charset
from mailbot.mail.addresses import addresses, clean
from mailbot.mail.authentication import dmarc
from mailbot.mail.body import (
    announces,
    asks,
    before_history,
    claims_attachment,
    has_form_table,
    is_forward,
    own_markup,
    own_words,
    without_our_letters,
)
from mailbot.mail.introduction import introductions
from mailbot.mail.links import find_links
from mailbot.mail.question import question
from mailbot.mail.receipt import parse_date, received_date
from mailbot.mail.tree import Tree, open_message, walk
from mailbot.reading import Address, MailHead, Part

_LONG_BODY = 120
_LONGEST_LETTER = 600
"""A body up to here may be a letter that only names papers: what it asks is asked of us."""
_BODY_TITLE = re.compile(r"总结|计划|自评")
_MESSAGE_ID = re.compile(r"<[^<>\s@]{1,250}@[^<>\s@]{1,250}>")
_MOST_TEXT = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMail:
    """One mail: its head, and the files it carries."""

    head: MailHead
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """The body in its layers."""

    whole: str
    own: str
    """Without quoted history, signature and letters of ours."""
    signed: str
    """The same with its signature, and never a mail that it only hands on."""
    handed_on: str
    """What the sender wants read: a forward's quoted mail too, unless it is a letter of ours."""
    html: str
    """The same in markup."""


def parse(octets: bytes, *, authserv_id: str | None, own_addresses: frozenset[str]) -> ParsedMail:
    """Take one mail apart.

    `authserv_id` names the receiving server whose Authentication-Results counts, `own_addresses` are ours in lower
    case. Raises DangerousError for a mail built to break readers, UnreadableError where it cannot be taken apart.
    """
    try:
        return _parse(octets, authserv_id, own_addresses)
    except DocumentError:
        raise
    except RecursionError as error:
        raise DangerousError("a mail nested too deeply") from error
    except (ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
        raise UnreadableError(f"the mail cannot be taken apart: {error}") from error


def _parse(octets: bytes, authserv_id: str | None, own_addresses: frozenset[str]) -> ParsedMail:
    message = open_message(octets)
    tree = walk(message)
    skeleton = MailParser(_head_alone(message))
    subject = charset.visible(str(skeleton.subject))
    said = _said(tree, subject)
    body = tuple(_body_parts(said, len(tree.parts)))
    parts = (*tree.parts, *body)
    is_paper = bool(body) and len(said.own) > _LONGEST_LETTER
    from_ = addresses(message.get_all("from", []))
    links = find_links(said.handed_on, said.html, [part.filename for part in tree.parts])
    bare = not (_files(tree) or links or is_forward(subject))
    sign = _automatic(message, subject, from_, said.own, own=own_addresses, bare=bare)
    head = MailHead(
        message_id=_message_id(str(skeleton.message_id)),
        subject=subject,
        from_=from_,
        reply_to=addresses(message.get_all("reply-to", [])),
        to=clean(skeleton.to),
        cc=clean(skeleton.cc),
        date=parse_date(_one(message, "date")),
        in_reply_to=_message_id(_one(message, "in-reply-to")),
        references=_message_ids(_one(message, "references"))[-20:],
        received=_topmost_received(message),
        authentication=dmarc(message.get_all("authentication-results", []), authserv_id),
        automatic=sign,
        text=said.own[:20_000],
        links=links,
        claims_attachment=claims_attachment(subject, said.own),
        asks=asks(f"{subject}\n{said.own}") or announces(said.own),
        question=question(subject, said.own, is_paper=is_paper) if said.signed else None,
        introductions=introductions(said.signed),
        fingerprint=_fingerprint(message, parts, said.whole),
    )
    return ParsedMail(head=head, parts=parts)


def _said(tree: Tree, subject: str) -> _Said:
    whole = charset.readable("\n".join(tree.texts))[:_MOST_TEXT]
    forward = is_forward(subject)
    own = without_our_letters(own_words(whole, forward=forward))
    handed_on = without_our_letters(whole) if forward else own
    html = "\n".join(own_markup(html, forward=forward) for html in tree.htmls)
    signed = without_our_letters(before_history(whole))
    return _Said(whole=whole, own=own, signed=signed, handed_on=handed_on, html=html)


def _files(tree: Tree) -> bool:
    """Whether a file came; a picture within the words is how robots sign too."""
    return any(not (part.inline and part.content_type.startswith("image/")) for part in tree.parts)


def _body_parts(said: _Said, before: int) -> Iterator[Part]:
    """The body itself as a document: a form pasted as a table, or a summary written straight into the mail."""
    if has_form_table(said.html):
        kind, written = "text/html", f"<!DOCTYPE html>\n{said.html}"
    elif len(said.handed_on) > _LONG_BODY and _BODY_TITLE.search(said.handed_on):
        kind, written = "text/plain", said.handed_on
    else:
        return
    yield Part(key=str(before + 1), filename="", content_type=kind, data=written.encode("utf-8", "replace"))


def _head_alone(message: Message) -> Message:
    """The head alone, for mail-parser: its cost grows with what is attached."""
    bare = Message()
    for name, value in message.items():
        if name.lower() in ("to", "cc") or (name.lower() == "message-id" and name not in bare):
            bare[name] = str(value)[:20_000]
        elif name.lower() == "subject" and name not in bare:
            bare[name] = charset.visible(charset.words(str(value)))[:2_000]
    return bare


def _one(message: Message, name: str) -> str:
    return str(message.get(name, ""))[:20_000]


def _message_ids(text: str) -> tuple[str, ...]:
    """The Message-IDs in a header, each once."""
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(text)))


def _message_id(value: str) -> str:
    ids = _message_ids(value[:1_000])
    return ids[0] if ids else charset.visible(value)[:250]


def _topmost_received(message: Message) -> datetime | None:
    return received_date(" ".join(_one(message, "received").split()))


def _automatic(
    message: Message,
    subject: str,
    from_: tuple[Address, ...],
    body: str,
    *,
    own: frozenset[str],
    bare: bool,
) -> str:
    headers: dict[str, list[str]] = {}
    for name, value in message.items():
        headers.setdefault(name.lower(), []).append(charset.visible(charset.words(str(value)[:20_000])))
    headers["subject"] = [subject]
    return automatic.sign(
        headers,
        content_type=message.get_content_type(),
        sender=from_[0].address if from_ else "",
        body=body,
        own=own,
        bare=bare,
    )


def _fingerprint(message: Message, parts: Iterable[Part], text: str) -> str:
    """What the sender wrote, without what servers added on the way."""
    written = hashlib.sha256()
    for name in ("message-id", "from", "date", "subject"):
        written.update(f"{name}:{' '.join(_one(message, name).split())}\n".encode("utf-8", "replace"))
    written.update(" ".join(text.split()).encode("utf-8", "replace"))
    for part in parts:
        written.update(part.sha256)
    return written.hexdigest()

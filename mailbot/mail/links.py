"""Cloud links that stand in place of a file: recognized and recorded, never fetched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mailbot.mail.body import html_to_text
from mailbot.reading import Link

_REST = r"[^\s\"'<>，。；）]*"
_PROVIDERS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"https?://{address}{_REST}", re.I))
    for name, address in (
        (
            "QQ邮箱超大附件",
            r"(?:mail\.qq\.com/cgi-bin/(?:ftnExs_download|readtemplate\?t=ftn)|wx\.mail\.qq\.com/ftn/)",
        ),
        ("邮箱大师云附件", r"dashi\.163\.com/html/cloud-attachment-download"),
        (
            "网易云附件",
            r"(?:mail\.(?:163|126|yeah)\.(?:com|net)/large-attachment-download|(?:fs|u)\.163\.com/)",
        ),
        ("新浪邮箱中转站", r"mail\.sina\.com\.cn/filecenter/download\.php"),
        ("百度网盘", r"pan\.baidu\.com/s/"),
        ("腾讯微云", r"share\.weiyun\.com/"),
        ("阿里云盘", r"www\.(?:alipan|aliyundrive)\.com/s/"),
        ("腾讯文档", r"docs\.qq\.com/(?:doc|sheet|pdf|form)/"),
        ("金山文档", r"(?:www\.)?kdocs\.cn/(?:l|p|view)/"),
    )
)
_SIZE = re.compile(
    r"[(（]\s{0,9}(?P<size>\d[\d.]{0,9}\s?[KMG]B?)\b\s{0,9}[,，]?\s{0,9}(?P<expires>[^()（）]{0,60})[)）]",
    re.I,
)
_NAME = re.compile(r"[^\s<>\"/][^\n\t<>\"/]{0,149}\.\w{1,5}$")
_BLOCK_ELEMENT = re.compile(r"<[a-z]+\s[^<>]{0,500}\bid\s*=\s*[\"']?divNeteaseBigAttach\b", re.I)
_URL = re.compile(r"https?://[^\s\"'<>，。；）]+", re.I)
_MOST = 20
_LONGEST = 200_000
_NEAR = 200
_LONGEST_NAME = 170
_EXPIRY = re.compile(r"(?:到期|过期)\s*$")


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it is described: `name (size, until when)`."""

    start: int
    end: int
    name: str
    size: str
    expires: str


def find_links(text: str, html: str, attached: Iterable[str] = ()) -> tuple[Link, ...]:
    """The cloud links in a mail's body, each once, with name, size and expiry where they are written beside it.

    A link to a file of a name that is also `attached` stands in no file's place.
    """
    found: dict[str, Link] = {}
    flat = html_to_text(html[:_LONGEST], addresses=True)
    for body in (_URL.sub(r"\n\g<0>\n", written) for written in (text[:_LONGEST], flat)):
        urls = sorted(
            (match.start(), match.end(), provider)
            for provider, pattern in _PROVIDERS
            for match in pattern.finditer(body)
        )
        files = _nearest(body, urls)
        for start, end, provider in urls:
            url = body[start:end].rstrip(",.;)")
            if url not in found or (not found[url].filename and start in files):
                found[url] = _link(url, provider, files.get(start))
    if not found and _BLOCK_ELEMENT.search(html[:_LONGEST]):
        found = {file.name: _link("", "网易云附件", file) for file in _files(flat)}
    there = {name.lower() for name in attached}
    return tuple(link for link in found.values() if link.filename.lower() not in there)[:_MOST]


def _files(body: str) -> Iterator[_File]:
    for size in _SIZE.finditer(body):
        at = max(0, size.start() - _LONGEST_NAME)
        before = body[at : size.start()].rstrip()
        name = _NAME.search(before[before.rfind("\n") + 1 :])
        if name:
            yield _File(
                start=at + len(before) - len(name.group()),
                end=size.end(),
                name=name.group(),
                size=size["size"].replace(" ", ""),
                expires=_EXPIRY.sub("", size["expires"]).strip(),
            )


def _nearest(body: str, urls: list[tuple[int, int, str]]) -> dict[int, _File]:
    """To which link each description belongs: the one whose text it is (an anchor just before it), else the next."""
    belongs: dict[int, _File] = {}
    for file in _files(body):
        own = [start for start, end, _ in urls if end <= file.start and not body[end : file.start].strip()]
        following = [start for start, _, _ in urls if 0 <= start - file.end < _NEAR]
        free = [start for start in (*own[-1:], *following[:1]) if start not in belongs]
        belongs.update(dict.fromkeys(free[:1], file))
    return belongs


def _link(url: str, provider: str, file: _File | None) -> Link:
    if file is None:
        return Link(url=url, provider=provider)
    return Link(url=url, provider=provider, filename=file.name, size=file.size, expires=file.expires)

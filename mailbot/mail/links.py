"""Cloud links that stand in place of a file: recognized and recorded, never fetched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mailbot.mail.body import html_to_text
from mailbot.reading import Link

_PLACES = (
    r"mail\.qq\.com/cgi-bin/(?:ftnExs_download|readtemplate\?t=ftn)",  # QQ邮箱超大附件
    r"wx\.mail\.qq\.com/ftn/",
    r"dashi\.163\.com/html/cloud-attachment-download",  # 邮箱大师云附件
    r"mail\.(?:163|126|yeah)\.(?:com|net)/large-attachment-download",  # 网易云附件
    r"(?:fs|u)\.163\.com/",
    r"mail\.sina\.com\.cn/filecenter/download\.php",  # 新浪邮箱中转站
    r"pan\.baidu\.com/s/",  # 百度网盘
    r"share\.weiyun\.com/",  # 腾讯微云
    r"www\.(?:alipan|aliyundrive)\.com/s/",  # 阿里云盘
    r"docs\.qq\.com/(?:doc|sheet|pdf|form)/",  # 腾讯文档
    r"(?:www\.)?kdocs\.cn/(?:l|p|view)/",  # 金山文档
)
_CLOUD_LINK = re.compile(rf"https?://(?:{'|'.join(_PLACES)})[^\s\"'<>，。；）]*", re.I)
_SIZE = re.compile(
    r"[(（]\s{0,9}\d[\d.]{0,9}\s?[KMG]B?\b\s{0,9}[,，]?\s{0,9}(?P<expires>[^()（）]{0,60})[)）]",
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
    expires: str


def find_links(text: str, html: str, attached: Iterable[str] = ()) -> tuple[Link, ...]:
    """The cloud links in a mail's body, each once, with name and expiry where they are written beside it.

    A link to a file of a name that is also `attached` stands in no file's place.
    """
    found: dict[str, Link] = {}
    flat = html_to_text(html[:_LONGEST], addresses=True)
    for body in (_URL.sub(r"\n\g<0>\n", written) for written in (text[:_LONGEST], flat)):
        urls = [match.span() for match in _CLOUD_LINK.finditer(body)]
        files = _nearest(body, urls)
        for start, end in urls:
            url = body[start:end].rstrip(",.;)")
            if url not in found or (not found[url].filename and start in files):
                found[url] = _link(url, files.get(start))
    if not found and _BLOCK_ELEMENT.search(html[:_LONGEST]):
        found = {file.name: _link("", file) for file in _files(flat)}
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
                expires=_EXPIRY.sub("", size["expires"]).strip(),
            )


def _nearest(body: str, urls: list[tuple[int, int]]) -> dict[int, _File]:
    """To which link each description belongs: the one whose text it is (an anchor just before it), else the next."""
    belongs: dict[int, _File] = {}
    for file in _files(body):
        own = [start for start, end in urls if end <= file.start and not body[end : file.start].strip()]
        following = [start for start, _ in urls if 0 <= start - file.end < _NEAR]
        free = [start for start in (*own[-1:], *following[:1]) if start not in belongs]
        belongs.update(dict.fromkeys(free[:1], file))
    return belongs


def _link(url: str, file: _File | None) -> Link:
    if file is None:
        return Link(url=url)
    return Link(url=url, filename=file.name, expires=file.expires)

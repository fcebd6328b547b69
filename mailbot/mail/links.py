"""Cloud links that stand in place of a file: recognized and recorded, never fetched."""

from __future__ import annotations

import re

from mailbot.reading import Link

_PROVIDERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "QQ邮箱超大附件",
        re.compile(
            r"https?://(?:mail\.qq\.com/cgi-bin/(?:ftnExs_download|readtemplate\?t=ftn)|wx\.mail\.qq\.com/ftn/)[^\s\"'<>]*",
            re.I,
        ),
    ),
    (
        "网易云附件",
        re.compile(
            r"https?://(?:mail\.163\.com/large-attachment-download/|[\w.]*(?:163|126)\.com/[^\s\"'<>]*cloud-?attachment|fs\.163\.com/)[^\s\"'<>]*",
            re.I,
        ),
    ),
    (
        "邮箱大师云附件",
        re.compile(r"https?://dashi\.163\.com/html/cloud-attachment-download/[^\s\"'<>]*", re.I),
    ),
    ("新浪邮箱中转站", re.compile(r"https?://mail\.sina\.com\.cn/filecenter/download\.php[^\s\"'<>]*", re.I)),
    ("百度网盘", re.compile(r"https?://pan\.baidu\.com/s/[^\s\"'<>]*", re.I)),
    ("腾讯微云", re.compile(r"https?://share\.weiyun\.com/[^\s\"'<>]*", re.I)),
    ("阿里云盘", re.compile(r"https?://www\.(?:alipan|aliyundrive)\.com/s/[^\s\"'<>]*", re.I)),
    ("腾讯文档", re.compile(r"https?://docs\.qq\.com/(?:doc|sheet|pdf|form)/[^\s\"'<>]*", re.I)),
    ("金山文档", re.compile(r"https?://(?:www\.)?kdocs\.cn/(?:l|p|view)/[^\s\"'<>]*", re.I)),
)
_FILE = re.compile(
    r"(?P<name>[^\s()（）<>\"/]{1,150}\.\w{1,5})\s*[(（]\s*(?P<size>[\d.]+\s*[KMGkmg]B?)\s*[,，]?\s*(?P<expires>[^()（）]{0,40}?)\s*(?:到期|过期)?\s*[)）]"
)
_NETEASE_BLOCK = re.compile(r"<[a-z]+[^>]*\bid\s*=\s*[\"']?divNeteaseBigAttach\b", re.I)
_MOST = 20


def find_links(text: str, html: str) -> tuple[Link, ...]:
    """The cloud links in a mail's body, each once, with name, size and expiry where they are written beside it."""
    found: dict[str, Link] = {}
    for body in (text, html):
        described = [(m.end(), m) for m in _FILE.finditer(_untagged(body) if body is html else body)]
        for provider, pattern in _PROVIDERS:
            for match in pattern.finditer(body):
                url = match.group().rstrip("。，,.;；)）").replace("&amp;", "&")
                if url not in found and len(found) < _MOST:
                    found[url] = _link(
                        provider, url, described, match.start() if body is text else None, len(found)
                    )
    if not found and _NETEASE_BLOCK.search(html):
        files = list(_FILE.finditer(_untagged(html)))
        for file in files[:_MOST]:
            found[file["name"]] = Link(
                url="",
                provider="网易云附件",
                filename=file["name"],
                size=file["size"],
                expires=file["expires"].strip(),
            )
    return tuple(found.values())


def _link(
    provider: str, url: str, described: list[tuple[int, re.Match[str]]], position: int | None, index: int
) -> Link:
    """The link with the description just before it (plain text), or the one of the same rank (HTML)."""
    if position is not None:
        before = [match for end, match in described if end <= position and position - end < 200]
        match = before[-1] if before else None
    else:
        match = described[index][1] if index < len(described) else None
    if match is None:
        return Link(url=url, provider=provider)
    return Link(
        url=url,
        provider=provider,
        filename=match["name"],
        size=match["size"].replace(" ", ""),
        expires=match["expires"].strip(),
    )


def _untagged(html: str) -> str:
    return re.sub(r"<(?:style|script)\b.*?</(?:style|script)>|<[^>]{0,2000}>", " ", html, flags=re.I | re.S)

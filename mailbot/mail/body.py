"""The words of a mail that are its sender's own: markup, quoted history and signature taken off."""

from __future__ import annotations

import re

from lxml import etree
from lxml import html as lxml_html

_HISTORY = re.compile(
    r"^(?:[ \t>]*-{2,}\s*(?:原始邮件|原邮件|Original(?: Message)?|转发邮件信息|回复的邮件|Forwarded message).*"
    r"|[ \t]*在.{4,80}(?:写道|写到)[:：].*|[ \t]*On .{6,120} wrote:.*|[ \t]*_{20,}[ \t]*"
    r"|[ \t]*发件人[:：].{0,200}\n[ \t]*(?:发送时间|日期|收件人)[:：].*|[ \t]*From:.{0,200}\n[ \t]*(?:Sent|Date|To):.*)$",
    re.M | re.I,
)
_HTML_HISTORY = re.compile(
    r"<blockquote\b|<div[^>]{0,200}(?:id|class)=[\"']?(?:divRplyFwdMsg|gmail_quote|isReplyContent|ntes-pcmac-quote)|-{2,}\s*(?:原始邮件|Original)",
    re.I,
)
_SIGNATURE = re.compile(r"^-- ?$", re.M)
_QUOTED = re.compile(r"^[ \t]*>.*$", re.M)
_CLAIM = re.compile(
    r"(?:见|详见|请见|请查看|查看|查收|如|请看|奉上|附上|发送|提交|报送|上传|在)\s*(?:一下)?\s*附\s*件|附件(?:是|为|中|里|请|如下|已|内|[:：])|已附|随信附|随函附|attached|attachment",
    re.I,
)
_QUESTION = re.compile(
    r"[^。！\n]{0,30}附件[^。！\n]{0,30}(?:哪里|哪儿|在哪|下载|吗|呢|如何|怎么|无法打开|打不开|[?？])[^。！\n]*"
)
_FORWARDED_WHOLE = re.compile(r"^\s*(?:-{2,}\s*(?:转发邮件信息|Forwarded message))", re.I)
_BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table"})
_MOST_HTML = 2_000_000


def html_to_text(html: str) -> str:
    """The text of an HTML body, a line for each block, table cells split by tabs."""
    root = _root(html)
    if root is None:
        return ""
    for element in list(root.iter("script", "style", "head")):
        element.drop_tree()
    pieces: list[str] = []
    for event, element in etree.iterwalk(root, events=("start", "end", "comment")):
        if event == "start":
            pieces.append("\n" if element.tag in _BLOCKS else "\t" if element.tag in ("td", "th") else "")
            pieces.append(element.text or "")
        else:
            pieces.append(element.tail or "")
    return re.sub(r"\n\s*\n+", "\n", "".join(pieces)).strip()


def _root(html: str) -> lxml_html.HtmlElement | None:
    if not html.strip():
        return None
    try:
        return lxml_html.document_fromstring(html[:_MOST_HTML].replace("\x00", ""))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def own_words(text: str) -> str:
    """A body without the mail that it answers and without the signature, as far as they are marked."""
    if "<" in text[:2000] and ">" in text and re.search(r"<\w+[^>]*>", text[:2000]):
        history = _HTML_HISTORY.search(text)
        return text[: history.start()] if history and history.start() > 0 else text
    history = None if _FORWARDED_WHOLE.match(text) else _HISTORY.search(text)
    if history:
        text = text[: history.start()]
    signature = _SIGNATURE.search(text)
    if signature:
        text = text[: signature.start()]
    return _QUOTED.sub("", text).strip()


def claims_attachment(subject: str, text: str) -> bool:
    """Whether the sender says that a file is attached (见附件); a question about one (附件在哪里下载？) is no claim."""
    said = _QUESTION.sub("", f"{subject}\n{text}")
    return _CLAIM.search(said) is not None


def has_form_table(html: str) -> bool:
    """Whether a body holds a table of several rows and columns, as a form pasted into it does."""
    if html.lower().count("<tr") < 8:
        return False
    root = _root(html)
    if root is None:
        return False
    return any(
        sum(1 for row in table.iter("tr") if len(row.findall("td")) + len(row.findall("th")) >= 4) >= 8
        for table in root.iter("table")
    )

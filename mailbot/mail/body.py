"""The words of a mail that are its sender's own: markup, quoted history and signature taken off."""

from __future__ import annotations

import re
from itertools import islice

from lxml import etree
from lxml import html as lxml_html

_TITLES = (
    "原始邮件|回复的原邮件|回复的邮件|原邮件|邮件原件|邮件原文|转发的邮件|转发邮件信息|"
    "Original|Replied Message|Forwarded Message|Forwarded mail"
)
_HISTORY_LINE = "-----原始邮件-----"
_HISTORY = re.compile(
    rf"^[ \t>]*(?:-{{2,}}[ \t\xa0]{{0,9}}(?:{_TITLES})"
    r"|在[^\n]{4,120}(?:写道|写到)[ \t]*[:：]"
    r"|[^\n]{0,120}于[ \t]*\d{4}[年/-][^\n]{4,60}写道[ \t]*[:：]"
    r"|On [^\n]{6,120}wrote:"
    r"|(?:开始转发的邮件|Begin forwarded message)[:：]"
    r"|_{20,}[ \t]*\n[ \t]*(?:发件人|From)[ \t]*[:：]"
    r"|(?:发件人|From)[ \t]*[:：][^\n]{0,200}\n+[ \t]*(?:发送时间|发送日期|日期|收件人|Sent|Date|To)[ \t]*[:：])",
    re.M | re.I,
)
_HTML_HISTORY = re.compile(
    r"<blockquote\b|<div[^<>]{0,200}(?:id|class)=[\"']?(?:divRplyFwdMsg|gmail_quote|isReplyContent|"
    rf"ntes-pcmac-quote|ntes-mailmaster-quote)|(?<!-)-{{2,}}(?:\s|&nbsp;){{0,9}}(?:{_TITLES})",
    re.I,
)
_FORWARDED = re.compile(r"^\s*(?:转发|轉發|Fwd?|Fw)\s*[:：]", re.I)
_FORWARDED_WHOLE = re.compile(r"\s*(?:-{2,}\s*(?:转发|Forwarded)|开始转发的邮件|Begin forwarded)", re.I)
_SIGNATURE = re.compile(r"^-- ?$", re.M)
_LONGEST_SIGNATURE = 600
_QUOTED = re.compile(r"^[ \t]*>.*$", re.M)
_CLAIM = re.compile(
    r"(?:见|详见|请见|请查看|查看|查收|如|请看|奉上|附上|发送|提交|报送|上传|在)\s{0,9}(?:一下)?\s{0,9}附\s{0,9}件"
    r"|附件(?:是|为|中|里|请|如下|内|[:：])|附件已[^。，,；;！!\n]{0,8}(?:发|寄|传|附|添加|提交|报|补|填|改|更新|签|盖)"
    r"|已附|随信附|随函附|attached|attachment",
    re.I,
)
_TAKEN = r"(?:查?收|阅|看|读|查看|下载|打开|知悉|打印|转发|转交|转给)"
_GAP = "[^。，,；;！!\\n见请将报交送附如填]{0,12}"
_ANOTHERS = re.compile(
    rf"附件(?:(?:均|都|也)?已经?|均|都){_TAKEN}[^。，,；;！!\n]*"
    rf"|(?:已经?|均|都){_TAKEN}{_GAP}附件|(?:收|看|读|下载)(?:到|过|了){_GAP}附件"
    r"|(?:上[次封回个]|上一[次封]|昨天|昨日|前天|之前|此前|先前|前次|早先)[^。，,；;！!\n]{0,12}?"
    r"(?:邮件|来信|信|的|里|中)附件[^。，,；;！!\n]*"
    r"|(?:通知|来信|来函|来文|贵方|你们|您)(?:里|中|上|后|所附|发来|发|寄来)?的?附件(?!请|如下|[:：])[^。，,；;！!\n]*"
)
"""Of a file that came from us, or that was sent before: 通知附件已收到，上次邮件的附件是最终版."""
_QUESTION = re.compile(
    r"[^。！!\n]{0,30}附件[^。！!\n]{0,30}(?:哪里|哪儿|在哪|下载|吗|呢|如何|怎么|无法打开|打不开|[?？])[^。！!\n]*"
    r"|(?:请|麻烦|能否|可否|能不能|可不可以|帮忙)[^。！!\n]{0,8}(?:发送|提供|发给|发一下|再发|重发|给)[^。！!\n]{0,12}附件[^。！!\n]*"
    r"|(?:没有|没|未|无法)(?:看到|收到|找到|见到|打开|下载)[^。！!\n]{0,12}附件[^。！!\n]*"
)
_ASKS = re.compile(
    r"[?？](?![\w=&%/])|请问(?!候)|想问|请教|吗(?:[。，,！!\s]|$)|怎么|(?<!不管)怎样|如何填|能否|可否|能不能|可不可以|是不是|要不要"
    r"|需不需要|什么时候|何时|几点|几号|哪[里儿些个一]"
)
_ANNOUNCES = re.compile(
    r"通知[^。\n]{0,6}(?:收悉|知悉|已收到)"
    r"|(?:将|会|争取|准备)[^。，,\n]{0,16}(?:前|内)[^。，,\n]{0,6}(?:报送|提交|上报|发送|发给|寄送)"
    r"|(?:稍后|晚些|随后|下周|明天|过几天)[^。\n]{0,10}(?:报送|提交|上报|发送|发给|寄送)"
)
_OUR_LETTERS = (
    re.compile(
        r"您好[!！]\s{0,9}(?:贵单位报送|来[信件]已收到|[^\n]{0,80}材料的报送将于)[\s\S]*?(?:本邮件由系统自动发出[^\n]*|\Z)"
    ),
    re.compile(
        r"您好(?:(?!您好)[\s\S]){0,4000}?\n[ \t>|]*回执编号[\s:：|]{0,9}[0-9][\s\S]*?本邮件由系统自动发出[^\n]*"
    ),
)
"""From the greeting to the closing line: as our templates open, and as an office may have rewritten them."""
_BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "hr", "blockquote"})
_MOST_HTML = 2_000_000
_MOST_CLAIM = 20_000
_MOST_INDENTED = 10


def html_to_text(html: str, *, addresses: bool = False) -> str:
    """The text of an HTML body, a line for each block, table cells split by tabs.

    With `addresses`, each link's address stands on a line before its text.
    """
    root = _root(html)
    if root is None:
        return ""
    for element in list(root.iter("script", "style", "head")):
        element.drop_tree()
    pieces: list[str] = []
    for event, element in etree.iterwalk(root, events=("start", "end", "comment")):
        block = event != "comment" and element.tag in _BLOCKS
        if event == "start":
            pieces.append("\n" if block else "\t" if element.tag in ("td", "th") else "")
            if addresses and element.tag == "a":
                pieces.append(f"\n{element.get('href', '')}\n")
            pieces.append(" ".join(_flowed(element.text)))
        else:
            pieces.append("\n" if block and element.tag != "br" else "")
            pieces.append(" ".join(_flowed(element.tail)))
    lines = (line.strip(" ").removeprefix("\t") for line in "".join(pieces).split("\n"))
    return re.sub(r"\n\s*\n+", "\n", "\n".join(lines)).strip()


def _flowed(text: str | None) -> list[str]:
    """Pieces of running text: in HTML a line break is a blank."""
    return re.split(r"[ \t\r\n\f]+", text) if text else []


def _root(html: str) -> lxml_html.HtmlElement | None:
    octets = html[:_MOST_HTML].replace("\x00", "").encode("utf-8", "replace")
    if not octets.strip():
        return None
    try:
        return lxml_html.document_fromstring(octets, parser=lxml_html.HTMLParser(encoding="utf-8"))
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def is_forward(subject: str) -> bool:
    """Whether the subject says that what is quoted is what the sender wants to hand on."""
    return _FORWARDED.match(subject) is not None


def before_history(text: str) -> str:
    """A plain body without what it quotes, as far as that is marked; its signature stays."""
    return _QUOTED.sub("", _before_history(text)).strip()


def _before_history(text: str) -> str:
    history = _HISTORY.search(text)
    return text[: history.start()] if history else text


def own_words(text: str, *, forward: bool = False) -> str:
    """A plain body without the mail that it answers and without the signature, as far as they are marked.

    In a forward that says nothing of its own the quoted mail is what it says.
    """
    own = _before_history(text)
    if not own.strip() and (forward or _FORWARDED_WHOLE.match(text)):
        return text.strip()
    signature = _SIGNATURE.search(own)
    if signature and len(own) - signature.end() < _LONGEST_SIGNATURE:
        own = own[: signature.start()]
    return _QUOTED.sub("", own).strip()


def without_our_letters(text: str) -> str:
    """A text without letters of ours that it quotes: what they say is missing was not sent with them."""
    for letter in _OUR_LETTERS:
        text = letter.sub("", text)
    return text.strip()


def own_markup(html: str, *, forward: bool = False) -> str:
    """An HTML body without the mail that it answers, as far as that is marked; a forward as a whole.

    A block quotation with nothing before it is how some programs indent, no history.
    """
    if forward:
        return html
    for history in islice(_HTML_HISTORY.finditer(html), _MOST_INDENTED):
        own = html[: history.start()]
        if not history.group().startswith("<blockquote") or html_to_text(own):
            return own
    return html


def html_to_lines(html: str) -> str:
    """The text of an HTML body with the mail that it answers marked as in a plain one."""
    own = own_markup(html)
    history = html_to_text(html[len(own) :])
    return f"{html_to_text(own)}\n{_HISTORY_LINE}\n{history}" if history else html_to_text(own)


def claims_attachment(subject: str, text: str) -> bool:
    """Whether the sender says that a file is attached (见附件).

    A question about one (附件在哪里下载？) is no claim, nor is a word on one that came from us or before.
    """
    said = _ANOTHERS.sub("", _QUESTION.sub("", f"{subject}\n{text[:_MOST_CLAIM]}"))
    return _CLAIM.search(said) is not None


def asks(text: str) -> bool:
    """Whether the words hold a question. A sign within an address (?k=1) is none."""
    return _ASKS.search(text[:_MOST_CLAIM]) is not None


def announces(text: str) -> bool:
    """Whether the words say that papers will come later."""
    return _ANNOUNCES.search(text[:_MOST_CLAIM]) is not None


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

import pytest

from mailbot.mail.links import find_links
from mailbot.reading import Link

QQ = "http://mail.qq.com/cgi-bin/ftnExs_download?k=6631&t=exs_ftn_download&code=ab12"
QQ_NEW = "https://wx.mail.qq.com/ftn/download?func=3&key=6631&code=ab12"
NETEASE = "https://mail.163.com/large-attachment-download/index.html?p=X-NETEASE-HUGE-ATTACHMENT&file=ab-12"
MASTER = "https://dashi.163.com/html/cloud-attachment-download/?key=ab12"
SINA = "http://mail.sina.com.cn/filecenter/download.php?id=12&code=ab"

BLOCK = f"""您好，材料见超大附件。

从QQ邮箱发来的超大附件

2020年度工作总结(终稿).docx (128.03M, 2020年11月27日 21:59 到期)进入下载页面：{QQ}
自评表 盖章.rar (1.5G, 无限期)进入下载页面：{QQ_NEW}
"""


def test_the_text_block_of_qq():
    assert find_links(BLOCK, "") == (
        Link(
            url=QQ,
            filename="2020年度工作总结(终稿).docx",
            expires="2020年11月27日 21:59",
        ),
        Link(url=QQ_NEW, filename="自评表 盖章.rar", expires="无限期"),
    )


HTML = f"""<html><head><style>#divNeteaseBigAttach{{color:red}}</style></head><body><div>见附件</div>
<div><b>从QQ邮箱发来的超大附件</b>
<div><a href="{QQ.replace("&", "&amp;")}">总结.docx</a>&nbsp;<span>(128.03M, 2020年11月27日 21:59 到期)</span>
<a href="{QQ.replace("&", "&amp;")}">进入下载页面</a></div>
<div><a href='{NETEASE.replace("&", "&amp;")}'>自评表.rar</a> （12.5MB，2021年2月1日 过期）
<a href='{MASTER}'>下载</a></div></div>"""


def test_links_in_html_with_what_stands_beside_them():
    assert find_links("", HTML) == (
        Link(
            url=QQ,
            filename="总结.docx",
            expires="2020年11月27日 21:59",
        ),
        Link(url=NETEASE, filename="自评表.rar", expires="2021年2月1日"),
        Link(url=MASTER),
    )


def test_text_and_html_of_one_mail_give_each_link_once():
    html = "".join(f'<p><a href="{url.replace("&", "&amp;")}">下载</a></p>' for url in (QQ, QQ_NEW))
    assert find_links(BLOCK, html) == find_links(BLOCK, "")


@pytest.mark.parametrize(
    "url",
    [
        QQ,
        QQ_NEW,
        "https://mail.qq.com/cgi-bin/readtemplate?t=ftn_web&key=1",
        NETEASE,
        "http://fs.163.com/fs/display/?file=ab",
        MASTER,
        SINA,
        "https://pan.baidu.com/s/1abc_d-E",
        "https://share.weiyun.com/ab12",
        "https://www.alipan.com/s/ab12",
        "https://docs.qq.com/sheet/DAb12",
        "https://www.kdocs.cn/l/ab12",
    ],
)
def test_the_links_of_each_provider(url):
    for text, html in (
        (f"下载：{url}。谢谢", ""),
        ("", f'<a href="{url.replace("&", "&amp;")}">下载</a>'),
        (f"（{url}）", ""),
    ):
        assert find_links(text, html) == (Link(url=url),)


@pytest.mark.parametrize(
    "text",
    [
        "https://mail.qq.com/",
        "https://mail.qq.com/cgi-bin/frame_html?sid=1",
        "http://www.zast.org.cn/notice.html",
        "https://mail.163.com/",
        "从QQ邮箱发来的超大附件",
        "总结.docx (1.2M, 明天 到期)",
        "ftnExs_download",
    ],
)
def test_what_is_no_cloud_link(text):
    assert find_links(text, f"<p>{text}</p>") == ()


def test_the_element_of_netease_and_not_its_name_in_a_style_sheet():
    file = "总结.rar (235.65M, 2021年2月1日 10:20 到期)"
    style = f"<style>#divNeteaseBigAttach {{ color: red }}</style><p>{file}</p>"
    script = f"<script>var id = 'divNeteaseBigAttach';</script><p>id=divNeteaseBigAttach {file}</p>"
    assert find_links("", style) == ()
    assert find_links("", script) == ()
    for quote in ('"', "'", ""):
        element = f"<div style='x' id={quote}divNeteaseBigAttach{quote} class=a><p>{file}</p></div>"
        (found,) = find_links("", style + element)
        assert (found.filename, found.expires) == ("总结.rar", "2021年2月1日 10:20")


def test_never_more_than_a_few():
    assert len(find_links(" ".join(f"https://pan.baidu.com/s/{n}" for n in range(500)), "")) == 20


@pytest.mark.parametrize(
    "hostile",
    ["<style>" * 20_000, "<a href=" * 20_000, "(1M" * 50_000, "a.b (" * 40_000, "<div id=" * 20_000],
)
def test_hostile_bodies_end(hostile):
    assert find_links(hostile, hostile) == ()

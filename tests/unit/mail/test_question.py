"""What counts as a question beside the papers; politeness never does."""

from __future__ import annotations

import pytest

from mailbot.mail.question import question
from tests.unit.mail.mails import XLSX, attached, multipart, part, read

PLAIN = (
    "请问纸质材料寄到哪里，我们不清楚，所以先发电子版。",
    "请问纸质盖章件可以晚几天寄吗？",
    "附件是我会材料，请查收。另外想问一下纸质件寄到哪里",
    "王老师好，材料见附件。纸质版需要盖法人章吗？谢谢！",
    "如果纸质件下周才能寄到可以吗？",
    "请教一下，第8项是否要附证明",
    "纸质件寄送地址在哪里?",
    "我会的年检材料还没下来，能不能先报后补？",
    "章老师，计划需要加盖公章么？",
    "如有变更，请问找谁办理？",
)
OTHERWISE = (
    "不知道纸质材料寄到哪里，所以先发电子版。",
    "不清楚计划怎么写，就先报送总结，请查收。",
    "不清楚纸质材料寄到哪里，就没有寄送。",
    "麻烦告知联系电话",
    "烦请告知贵部的收件地址，谢谢。",
    "请提供一下新的样表",
    "第12项不知道怎么填，先空着",
    "恳请准许延期一周提交计划",
    "纸质件也寄这里？",
    "能否晚几天寄纸质件，请领导答复",
    "望告知下一步安排。",
    "纸质材料寄到哪里",
    "另，贵处邮编多少",
    "是不是必须寄EMS",
    "烦请发一份空白表。",
    "请把模板再发我一份，谢谢",
    "不知道计划要不要盖章，先发电子版",
    "不确定第12项怎么填，所以空着",
)
COURTESY = (
    "您好，材料见附件，请查收。如有问题请与我联系。",
    "请查收，收到请回复，谢谢！",
    "附件为我会2020年度总结，请审阅。不妥之处，敬请批评指正。",
    "如有不妥，请告知我们，我们及时修改。",
    "材料已按要求修改，如仍有不符合要求的地方请告知，联系人：张三 13800000000",
    "收到请告知",
    "请问候各位领导，祝新年快乐！",
    "请问收到了吗？",
    "材料是否齐全？请确认",
    "麻烦查收一下，好吗？",
    "您好吗？材料见附件。",
    "有问题请随时联系我",
    "若有疑问，请致电0571-88091396咨询。",
    "请领导批示。妥否，请批复。",
    "现将《我们为什么要做科普？》等材料一并报送",
    "章老师，您好！现将我会材料报送如下，请予以审核。顺祝新年快乐！",
    "材料??请查收",
    "收到后麻烦回复一下，谢谢",
    "请您百忙之中审核，如需补充材料请通知我",
    "https://mail.qq.com/x?id=3&k=怎 请下载",
    "请审核，有什么需要修改的地方请及时告诉我。",
    "如材料不全，请告知。",
    "有任何问题欢迎来电",
    "贵处的通知收悉，现报送材料。",
    "附件打不开的话请告诉我",
    "如收件有问题，烦请告知，多谢！",
    "如果有什么不清楚的地方，可以打我电话：138",
    "特此报告，请予接收为盼。",
    "辛苦您了，盼复！",
    "请问材料齐了吗？",
    "联系地址：杭州市？？路8号",
    "现报送邀请教授讲课、开展政策咨询下基层活动的材料",
    "谢谢老师，有需要补充的您再告诉我",
    "麻烦老师看看有没有问题，谢谢",
    "不确定应报送至哪个邮箱，故两个邮箱各发一份，请查收。",
    "不确定应报送至哪个邮箱，两个邮箱各发一份，请见附件。",
    "因不清楚联系人是哪位，材料统一发至此邮箱。",
    "因不知是否发送成功，再发一次。",
    "上次不知道怎么填，已向章老师请教，现重新报送。",
    "无论寄到哪里，都请签收。",
)


@pytest.mark.parametrize("said", PLAIN)
def test_a_plain_question(said: str) -> None:
    found = question("2020年度工作总结材料", said)
    assert found is not None
    assert found.plain


@pytest.mark.parametrize("said", OTHERWISE)
def test_what_a_person_should_see_though_no_letter_speaks_of_it(said: str) -> None:
    found = question("2020年度工作总结材料", said)
    assert found is not None
    assert not found.plain


@pytest.mark.parametrize("said", COURTESY)
def test_courtesy_is_no_question(said: str) -> None:
    assert question("2020年度工作总结材料", said) is None


def test_only_the_sentences_that_ask_are_quoted() -> None:
    said = "章老师：\n材料见附件，请查收。请问纸质件寄到哪里？另外，计划要盖章吗？\n如有问题请联系我。"
    found = question("回复：请问自评表在哪里下载？", said)
    assert found is not None
    assert found.words == "请问纸质件寄到哪里？ 另外，计划要盖章吗？"
    asked = question("请问纸质件可以后补吗", "材料见附件。")
    assert asked is not None
    assert asked.words == "请问纸质件可以后补吗"


def test_a_summary_in_the_body_asks_nothing_but_what_is_asked_of_us() -> None:
    body = "一、怎样办好学术年会？我们做了三件事。\n二、为什么要下基层？因为需要。"
    assert question("工作总结", body, is_paper=True) is None
    found = question("工作总结", f"请问计划可以下周报吗？\n{body}", is_paper=True)
    assert found is not None
    assert found.words == "请问计划可以下周报吗？"
    assert not found.plain


def test_a_cover_letter_of_some_length_that_names_the_papers_still_asks() -> None:
    letter = (
        "您好！根据贵会通知要求，我会组织人员对照自评表认真进行了自评，并完成了2020年度工作总结和2021年度工作计划的编写，"
        "经理事长审核同意，现报送贵部，请查收。自评表第20项今年没有开展，因此填0分。\n浙江省云岭学会秘书处\n2021年1月8日，杭州\n"
    )
    asked = "纸质材料是否需要一式两份？"
    attachment = attached(XLSX, b'attachment; filename="a.xlsx"')
    mail = read(multipart(part("text/plain; charset=utf-8", f"{letter}{asked}".encode()), attachment))
    assert mail.head.question is not None
    assert (mail.head.question.words, mail.head.question.plain) == (asked, True)
    summary = part("text/plain; charset=utf-8", f"2020年工作总结\n{letter * 5}{asked}".encode())
    assert read(multipart(summary, attachment)).head.question is None


LETTER = (
    "浙江省云岭学会：\n\n您好！贵单位报送2020年度材料的邮件已收到。经核对，以下内容需要补正。\n"
    "请问是否可以？\n回执编号：2020-000001-12345678\n\n本邮件由系统自动发出。报送要求见通知。\n"
)


@pytest.mark.parametrize(
    "body",
    [
        "材料见附件。\n\n------------------ 原始邮件 ------------------\n发件人: 章伟\n请问何时能报？",
        "> 请问何时能报？\n材料见附件。",
        f"材料见附件。\n\n{LETTER}",
        "----- 转发的邮件 -----\n发件人: 王\n日期: 2021年1月12日\n请问何时能报？",
        "材料见附件。\n-- \n为什么选择我们？请问我们！",
    ],
)
def test_what_is_only_quoted_asks_nothing(body: str) -> None:
    text = part("text/plain; charset=utf-8", body.encode())
    head = read(multipart(text, attached(XLSX, b'attachment; filename="a.xlsx"'))).head
    assert head.question is None

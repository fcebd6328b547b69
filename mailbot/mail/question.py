"""What a mail asks in its own words beside the papers that it brings; courtesy, and what our letters answer, is no question."""

from __future__ import annotations

import re

from mailbot.reading import Question

_MOST_TEXT, _LONGEST_SENTENCE, _LONGEST = 5_000, 200, 500
_QUOTED = r"https?://\S+|《[^》\n]{0,80}》|“[^”\n]{0,80}”|\"[^\"\n]{0,80}\""
_SENTENCE = re.compile(rf"(?:{_QUOTED}|[^。！!？?；;\n])+[。！!？?；;]*")
_ANSWERS_SUBJECT = re.compile(r"\s*(?:re|aw|fwd?|回[复覆]|答[复覆]|转发|轉發)\s*[:：]", re.I)
_WORD = r"[^。！!？?；;\n]"
_TELL = "联系|告知|告诉|通知|指出|指正|来电|致电|电话|反馈|回复|退回|说明|提出|沟通|咨询|答复|留言|补充|提供"
_AMISS = "问题|疑问|疑义|异议|不妥|不当|不足|不清|不明|不全|不符|不对|不行|打不开|错误|错漏|差错|遗漏|缺漏|缺少|有误|需要?|欠缺"
_COURTESY = re.compile(
    rf"(?:(?:如|若|倘|万一|凡|有){_WORD}{{0,24}}?(?:{_AMISS})|(?:{_AMISS})了?的话){_WORD}{{0,24}}?(?:{_TELL}){_WORD}{{0,20}}"
    rf"|(?:问题|不妥|不当|不足|错漏|遗漏)之处{_WORD}{{0,12}}(?:{_TELL}){_WORD}{{0,12}}"
    rf"|(?:查收|审阅|审核|审查|查阅|过目|接收|收下|看一下){_WORD}{{0,6}}(?:可以|好|行)(?:吗|么|嘛|不)[？?]*"
    r"|^\s*\S{0,12}(?:您|你|大家)?(?:好|在|忙)(?:吗|么|不)[？?]*"
)
"""Courtesy that looks like a question: 如有问题请与我联系, 不妥之处敬请指正, 请查收可以吗."""
_ANSWERED = re.compile(
    rf"(?:收到|收悉|收妥|收全|齐全|齐备|齐了|完整){_WORD}{{0,8}}(?:吗|么|没|否|[？?]|请?(?:回[复个]|告知|告诉|确认))"
    rf"|(?:请|麻烦|烦请|盼|望){_WORD}{{0,8}}(?:回[复个信]|告知|告诉|确认){_WORD}{{0,8}}(?:收到|收悉|收妥|齐全)"
    rf"|(?:是否|有没有|有无){_WORD}{{0,6}}(?:收到|收悉|收妥|齐全|齐备|完整)"
)
"""Questions that every letter of ours answers anyway: 收到请回复, 材料是否齐全."""
_AT_FIRST = rf"(?!{_WORD}{{0,16}}[先没未暂])"
_SETTLED = re.compile(
    rf"不(?:知道?|清楚|太清楚|明白|确定|了解){_WORD}{{0,40}}[，,]{_AT_FIRST}(?:故|因此|因而|所以|于是|就|再|已|{_WORD}{{0,8}}[各都均]){_WORD}{{0,16}}"
    rf"(?:发|寄|送|报|传|请教|咨询){_WORD}{{0,20}}(?:[，,]请(?:查收|谅解|见谅|审阅|见附件){_WORD}{{0,4}})?$"
    rf"|^{_WORD}{{0,12}}因(?:为)?(?:不|未|没){_WORD}{{0,40}}[，,]{_AT_FIRST}{_WORD}{{0,12}}(?:发|寄|送|报|传){_WORD}{{0,20}}$"
)
"""A sentence that tells what its writer did about a doubt, and so asks nothing: 不确定应报送至哪个邮箱，故各发一份. It does
not match where that was done only for the time being (所以先发电子版)."""
_INTERROGATIVE = r"吗|么(?!多)|呢|哪|何|怎|什么|多少|几|谁|是否|能否|可否|能不能|可不可以|要不要|需不需要|是不是|有没有|行不行"
_PLAINLY = re.compile(r"请问(?!候)|想问|问一下|请教(?![授师育学练])|咨询一下")
_ENDS_AS_QUESTION = re.compile(rf"(?:{_INTERROGATIVE}){_WORD}{{0,40}}[？?]|吗[。，,！!\s]*$")
_OTHERWISE = re.compile(
    r"(?<!？)？(?!？)|(?:能否|可否|能不能|可不可以|是否(?:可以|可|能|需要?|必须)|要不要|需不需要|行不行)"
    rf"|(?<!让人)不(?:知道?|清楚|太清楚|明白|太明白|确定|了解){_WORD}{{0,16}}(?:怎|如何|哪|何|什么|是否|谁|能不能|要不要)"
    rf"|(?:请|麻烦|烦请|劳烦|敬请|恳请|盼|望|希望){_WORD}{{0,10}}(?:告知|告诉|告之|赐告|示知|明示|答复|解答|答疑|赐教)"
    rf"|(?:请|麻烦|烦请|劳烦|恳请|希望){_WORD}{{0,8}}(?:提供|发送|发来|发一?下?){_WORD}{{0,12}}(?:电话|地址|联系方式|模板|样表|空白?表|邮编)"
    rf"|(?:请|麻烦|烦请|劳烦){_WORD}{{0,4}}[把将]{_WORD}{{0,12}}(?:模板|样表|空白?表|通知){_WORD}{{0,8}}(?:发|给)"
    r"|是不是(?:必须|一定|需?要|可以|得)"
    rf"|^(?!{_WORD}*(?:不管|不论|无论)){_WORD}*(?:哪里|哪儿|几[号点份天]|多少|什么时候|怎么[填写办交报]|如何[填写办交报])[。！!\s]*$"
    rf"|(?:恳请|请求|请予?以?|请(?:允许|准许|同意|批准)|希望能?){_WORD}{{0,8}}(?:延期|宽限|延长|推迟|缓交)"
)


def question(subject: str, own: str, *, is_paper: bool = False) -> Question | None:
    """What the subject and the sender's own words ask; None where they ask nothing that a person has to answer.

    `is_paper`: the words may be a summary, whose questions are rhetorical, so that only 请问 and the like count.
    """
    said = own[:_MOST_TEXT] if _ANSWERS_SUBJECT.match(subject) else f"{subject}\n{own[:_MOST_TEXT]}"
    asked = [(sentence, bare) for sentence in _sentences(said) if _asks(bare := _bare(sentence))]
    if is_paper:
        asked = [(sentence, bare) for sentence, bare in asked if _PLAINLY.search(bare)]
    if not asked:
        return None
    words = " ".join(dict.fromkeys(" ".join(sentence.split()) for sentence, _ in asked))
    plain = not is_paper and any(_asks_plainly(bare) for _, bare in asked)
    return Question(words=words[:_LONGEST], plain=plain)


def _sentences(text: str) -> list[str]:
    return [match.group()[-_LONGEST_SENTENCE:] for match in _SENTENCE.finditer(text)]


def _bare(sentence: str) -> str:
    """The sentence without quotations and courtesy."""
    return _COURTESY.sub("", re.sub(_QUOTED, "", sentence))


def _asks(bare: str) -> bool:
    if _ANSWERED.search(bare) or _is_settled(bare):
        return False
    return _asks_plainly(bare) or _OTHERWISE.search(bare) is not None


def _is_settled(bare: str) -> bool:
    """Whether a sentence only tells what its writer did about a doubt (`_SETTLED`), and does not ask with 请问."""
    return "请问" not in bare and _SETTLED.search(bare.strip().rstrip("。！!；;")) is not None


def _asks_plainly(bare: str) -> bool:
    """Whether a sentence is certainly a question."""
    return _PLAINLY.search(bare) is not None or _ENDS_AS_QUESTION.search(bare) is not None

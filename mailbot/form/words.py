"""The words by which summaries, plans and evidence are recognized. All patterns are for folded text without blanks."""

import re

_YEAR = r"(?P<year>20[0-9]{2})(?:年?度?[-—–~至、和](?P<until>20[0-9]{2}))?年?度?"
_NEXT = r"下一?个?年度?|明年|来年|新年度|新的?一年|下一?步|下一?阶段|今后"
_PLAN_WORD = (
    r"(?:计划|思路|打算|要点|设想|展望|谋划|工作(?:主要|总体|具体)?(?:安排|规划|重点|任务)|重点工作|主要任务)"
)
_DATED_PLAN_WORD = rf"(?:{_PLAN_WORD}|工作(?:部署|目标)|目标任务)"
_SUMMARY_WORD = (
    r"(?:(?:工作|年度|年终|年|学会|协会)总结|总结报告|工作小结|工作回顾|工作综述|工作报告|工作汇报|工作情况)"
)
_DONE = r"(?!的?(?:完成|执行|落实|实施)|书|生育|考核|责任)"

SUMMARY = re.compile(rf"(?:{_YEAR})?[^0-9。;,]{{0,24}}?{_SUMMARY_WORD}")
PLAN = re.compile(
    rf"(?:(?:{_YEAR}|{_NEXT})[^0-9。;,总结]{{0,24}}?{_DATED_PLAN_WORD}|[^0-9。;,总结]{{0,24}}?{_PLAN_WORD}){_DONE}"
)
PLAN_SECTION = re.compile(
    rf"(?:(?<![0-9]){_YEAR}|{_NEXT})[^0-9。;]{{0,14}}?(?:{_DATED_PLAN_WORD}{_DONE}[^。;]{{0,8}}|工作(?:任务|目标|举措)?)$"
)
SUMMARY_SECTION = re.compile(
    rf"(?:(?<![0-9]){_YEAR}|本年度?|今年|全年|一年来的?|年度)[^0-9。;]{{0,14}}?(?:总结|回顾|工作(?:小结|报告|汇报|情况|完成情况|开展情况))[^。;]{{0,6}}$"
)
PLAN_ALONE = re.compile(
    r"^(?:.{0,10}[和与及])?(?:未来)?(?:工作)?(?:计划|打算|思路|设想|展望|谋划|安排|规划)$"
    r"|^(?:.{0,10}[和与及])?(?:下一?步|今后|未来|20[0-9]{2}年?度?)?的?(?:工作|努力)(?:方向|展望)$|^(?:展望)?20[0-9]{2}年?度?$"
)
"""A heading that names a plan only if the text beneath looks ahead: it says no time, or no more than the time."""
MEETING = re.compile(
    r"(?:表彰|交流)?大?会(?![员费长刊讯])"
    r"|[暨和及与、](?:20[0-9]{2}年?度?)?[^在(—0-9-]{0,12}?(?:大会|会议|表彰会|座谈会|交流会|研讨会)"
    r"(?=$|[上的召在(]|议程|纪要|记录|通知|讲话|材料|顺利)"
)
"""Behind the name of a paper: the text is on a meeting and not that paper (2020年工作总结暨表彰大会)."""
HELD = re.compile(r"^[^(]*(?:召开|举行)|(?:大会|会议|座谈会|总结会|表彰会)(?:议程|纪要|记录|通知|材料)?$")
"""In a title: the text is on a meeting."""
AHEAD = re.compile(rf"{_NEXT}|未来|展望")
"""In a heading that says no year: the text beneath may be on the next year."""
DONE = re.compile(r"举办|组织|召开|参加|启动|筹备")
"""At the beginning of a heading: it tells what was done, even where it names something to come (筹备2021年年会)."""
BRANCH = re.compile(
    rf"(?:(?:专业|工作|专家)委员会|专委会|分会|支部|监事会)(?:20[0-9]{{2}}年?度?)?[^0-9。;,]{{0,8}}?(?:{_SUMMARY_WORD}|{_PLAN_WORD})"
)
"""In a title: the report is one of a branch or committee, and not the society's."""
PART = re.compile(
    r"(?![(0-9一二三四五六七八九十各]|.*(?:下[设属]|[成设建]立|[筹组新]建|新增|增设|换届|举办|召开|参加|完成))"
    r"(?:.{0,30}(?:学会|协会|研究会|促进会))?[^,。;:、]{1,16}(?:(?:专业|工作|专家)委员会|专委会|分会|支部)"
)
"""A whole line that is nothing but the name of a branch or committee of a society."""
SEVERAL_YEARS = re.compile(r"十[二三四]五(?!.{0,3}(?:收官|开局))|[三四五]年来?(?:的|工作)")
"""In an undated title: the report is on more than one year (十三五). Words on a period's first or last year do not
count: such a report is on that year."""
GENERAL = re.compile(r"[和与及、]|业务|年度?活动")
"""In a title on one matter: it names another one too, so that the report may be on all that the society did."""
SPECIAL = re.compile(
    r"(?:培训|年会|学术|科普|党建|财务|审计|预算|决算|专项|项目|活动|志愿|评审|调研|会员(?!(?:代表)?大会)|期刊|扶贫|科技周|科普日)[^年]{0,6}(?:总结|小结|报告|汇报|情况)"
    r"|(?:培训|预算|采购|招生|科技|引智|人才)计划"
    r"|(?:科普|党建|财务|期刊|志愿|扶贫)(?:工作|活动)?(?:计划|安排|要点|思路)"
)
EVIDENCE = re.compile(
    r"佐证|证明材料|支撑材料|印证材料|依据材料|附件材料|证书|荣誉|奖状|聘书|签到|会议通知|会议纪要|会议记录|活动照片|新闻报道|发票"
    r"|花名册|会员名册|年检|鉴定|审计报告|章程|会讯|简报|工作信息"
)
OTHER_PAPER = re.compile(
    r"(?:办法|制度|规定|细则|条例|公约|准则|章程|手册|协议书?|合同|方案|议程|通讯|论文|致辞|讲话|新闻稿|简介|名单"
    r"|(?:自评|考核|评分|登记|申请|申报|审批|统计|信息)表)(?:[(].{1,12}[)])?$"
)
"""At the end of a title: a paper that a society has and that is not collected."""
OF_THE_YEAR = re.compile(r"工作|报告|年报|述职|履职|回顾|大事")
"""In a title with the year: it may be the summary's (2020年工作亮点)."""
CALLED_SUMMARY = re.compile(r"总结(?!.{0,2}会)|小结")
"""In a title without a year: it may be the summary's."""
MONTHS = re.compile(
    r"(?<![0-9个近])(?:1[0-2]|[1-9])(?=月)|(?<=20[0-9]{2}[-./])(?:1[0-2]|0?[1-9])(?![0-9])|[一二三四五六七八九十1-4]{1,2}(?=月|季度)"
)
"""The months and quarters of a calendar (3月, 2021-03-05, 三季度), and no lengths of time (3个月)."""
DATES = re.compile(r"(?<![0-9])20[0-9]{2}(?=[年./-])")
ACTIVITIES = re.compile(r"举办|召开|开展|组织|承办|换届|发展.{0,4}会员|年会|论坛|培训|讲座|科普")
"""Activities; a plan that is given in a mail's own words names several of them."""
WITHIN = re.compile(
    r"计划[^,。;]{0,8}(?:在|入)[^,。;]{0,6}总结|总结[^,。;]{0,10}(?:含|包括|中有|里有|后附|后面|末尾|最后)[^,。;]{0,12}(?:计划|打算|思路)"
)
"""A mail's word that the plan is within the summary."""
NOTICE = re.compile(
    r"关于(?:上报|报送).{0,60}工作总结.{0,30}的通知.{0,80}各(?:省级学会|单位|有关单位|省属企业科协)"
)
TRANSMITTAL = re.compile(
    r"^(?:(?!关于).)*关于.*(?:上报|报送|印发|提交|填报|转发|召开|举办|征集|申报)|^.{0,60}的(?:通知|函|请示|批复|复函)$|^附[件表]?[0-9]*[:：].*"
)
ENCLOSURES = re.compile(
    r"^.{0,20}(?:材料|资料|文件)(?:清单|目录|一览表?)$|^.{0,20}(?:报送|(?<!工作)情况)说明$"
)
"""The title of a list of what is sent."""
OURS = re.compile(r"您好!(?:贵单位报送|来[信件]已收到|.{0,80}材料的报送将于)|首次接收时间末次有效接收时间")
"""How a letter begins that we write, and the heads of the 汇总表's columns."""
COVER_LETTER = re.compile(r"现将|现报|报上|呈报|随文|请审|请查收|特此")
ON_SENDING = re.compile(
    r"报送|补报|待报|尚缺|再报|报上|另报|另附|另行|附件|查收|寄出|寄送|盖章|纸质|待.{0,20}[审批定]|审议|审定|稍后|下周|感谢|联系人|电话|邮件|邮箱|老师|请及时|特此"
    r"|有没有|要不要|是否|吗$|[?]$|^.{0,30}(?:学会|协会|研究会|促进会|科协)$|^(?:20|二).{3,10}日$"
)
"""In a sentence: it is on the papers and how they are sent, a question or a signature, and no part of a report or plan."""
NUMBERING = re.compile(
    r"^(?:第[一二三四五六七八九十]+(?:部分|章|节)|[(][一二三四五六七八九十0-9]{1,3}[)]|[一二三四五六七八九十]{1,3}(?=[、.,])|[0-9]{1,2}(?=[、.]))[、.,:]*"
)
ASIDE = re.compile(r"参与|制定|讨论|申报|提出|编制|列入|承担|组织实施|附件")
"""A heading with one of these speaks of a plan among other things and is not the heading of one."""
YEARS = re.compile(r"(?<![0-9])(20[0-9]{2})年")
EARLY = re.compile(r"^(20[0-9]{2})年[1-3]月[0-9]{1,2}日$")
"""The date beneath a text of the first months, which looks back on the year before."""
SHORT_YEAR = re.compile(
    r"[12](?<![0-9.近立有事满第了过去前后达约共超着做干].)[0-9]年度?(?:学会|协会)?(?:工作|总结|计划|年终)"
)
"""A year of two digits and what it is of: 21年工作计划; not a span of time: 成立20年工作总结."""
YEAR_IN_WORDS = re.compile(r"二[〇零○Oo0][一二][〇零○Oo0一二三四五六七八九]")
BACKWARD = re.compile(
    r"一年来|过去一年|全年共|累计|取得了|先后|工作回顾|存在的?问题|不足之处|圆满完成|成功举办|成功召开|共举办|开展了|组织了|完成了|指导下|支持下|领导下"
)
FORWARD = re.compile(
    r"拟于|拟举办|计划举办|计划召开|计划开展|将继续|将进一步|力争|争取|明年|新的一年|下一年|继续做好|进一步加强"
)
DEEDS = re.compile(
    r"一年来|全年|累计|先后|圆满|取得|完成|开展|举办|召开|组织|参加|参与|获得?|荣获|发展|加强|建立|落实|推进|做好|服务|提高|提升|存在|不足"
)
INTENTIONS = re.compile(
    r"将|拟|计划|继续|进一步|加强|推进|推动|力争|争取|做好|开展|举办|召开|完善|提高|提升|落实|围绕|加大|深化|建设|打造|探索|强化|健全|扩大|促进|明年|新的?一年"
)
"""`DEEDS` are words that any summary has several of, `INTENTIONS` that any plan has. They only bear out what a title says:
unlike `BACKWARD` and `FORWARD` they do not tell the two apart."""
SELF = re.compile(r"我会|本会|我学会|学会|协会|研究会|促进会|我科协|科协")

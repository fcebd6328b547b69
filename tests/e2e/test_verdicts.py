"""Decisions that staff write into the sheet 待核对 of the 汇总表, and the operator hands in."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.e2e.office import IN_TIME, KNOWN, OTHER, REGISTRY, STRANGER, Office, form, mail, papers, run

SIGNED = {"经办人": "章伟", "理由": "电话核实"}


class Waiting:
    """The sheet as staff open it, fill it in and save it."""

    def __init__(self, office: Office) -> None:
        self.path = office.directory / "汇总表.xlsx"
        run(office, "export", "--format", "xlsx", "--output", str(self.path))
        self.book = load_workbook(self.path)
        sheet = self.book["待核对"]
        assert isinstance(sheet, Worksheet)
        self.sheet = sheet
        self.at = {cell.value: cell.column for cell in sheet[1]}

    def row(self, number: int) -> dict[object, object]:
        return {head: self.sheet.cell(self._row_of(number), column).value for head, column in self.at.items()}

    def _row_of(self, number: int) -> int:
        column = self.at["来件编号"]
        return next(n for n in range(2, self.sheet.max_row + 1) if self.sheet.cell(n, column).value == number)

    def fill(self, number: int, **cells: object) -> Waiting:
        row = self._row_of(number)
        for head, value in cells.items():
            self.sheet.cell(row, self.at[head]).value = value
        return self

    def save(self) -> str:
        self.book.save(self.path)
        return str(self.path)


def outcomes(office: Office) -> list[tuple[str, str | None]]:
    return [(m["outcome"], m["organization"]) for m in office.export()["messages"]]


def kinds(office: Office) -> list[list[str]]:
    return [[reply["kind"] for reply in m["replies"]] for m in office.export()["messages"]]


def three_that_wait(office: Office) -> None:
    """A stranger's papers with a fault, a question, and somebody's second form under another name."""
    office.deliver(mail(papers(STRANGER, scores={8: "3"}), sender="new@yuncen.example.com"))
    office.deliver(
        mail({}, sender="ask@haitang.example.com", message_id="<2@x>", body="请问截止时间是几点？"),
        IN_TIME + timedelta(minutes=1),
    )
    office.deliver(
        mail({"自评表.xlsx": form(STRANGER)}, sender="b@yuncen.example.com", message_id="<3@x>"),
        IN_TIME + timedelta(minutes=2),
    )
    office.round()


def test_what_waits_stands_in_the_sheet_with_why_and_a_choice(registered: Office) -> None:
    three_that_wait(registered)
    waiting = Waiting(registered)
    first, question = waiting.row(1), waiting.row(2)
    assert (first["发件人"], first["单位名称"]) == ("new@yuncen.example.com", STRANGER)
    assert isinstance(first["接收时间"], datetime)
    assert "不在名册" in str(first["待核对事项"])
    assert "→ 请确认是哪个单位" in str(first["待核对事项"])
    assert "来信：请问截止时间是几点？" in str(question["待核对事项"])
    [choice] = waiting.sheet.data_validations.dataValidation
    assert choice.formula1 == '"按现状接收,请其补正,不作报送"'
    assert str(choice.sqref) == "H2:H4"


def test_each_decision_is_shown_then_carried_out_and_answered(registered: Office) -> None:
    three_that_wait(registered)
    waiting = Waiting(registered)
    waiting.fill(1, 归入单位=OTHER, 处理="请其补正", 补正内容="请补盖公章。", **SIGNED)
    waiting.fill(2, 处理="不作报送", **SIGNED)
    waiting.fill(3, 归入单位=KNOWN, **SIGNED)
    path = waiting.save()
    shown = run(registered, "import", path)
    assert (
        f"mail 1  处理: 请其补正; 归入单位: {OTHER}; 补正内容: 请补盖公章。; 经办人: 章伟; 理由: 电话核实"
        in shown
    )
    assert "3 mails are decided; nothing kept; --yes keeps them" in shown
    assert {outcome for outcome, _ in outcomes(registered)} == {"review"}
    said = run(registered, "import", path, "--yes")
    assert "0 organizations change, 3 mails are decided; kept" in said
    assert f"message 1: correction, {OTHER}" in said
    assert outcomes(registered) == [("correction", OTHER), ("ignored", None), ("correction", KNOWN)]
    registered.round()
    assert kinds(registered) == [["receipt", "correction"], ["receipt"], ["receipt", "correction"]]


def test_a_workbook_handed_in_again_takes_back_nothing_decided_since(registered: Office) -> None:
    three_that_wait(registered)
    path = Waiting(registered).fill(2, 处理="不作报送", **SIGNED).fill(1, 归入单位=OTHER, **SIGNED).save()
    run(registered, "import", path, "--yes")
    run(registered, "review", "1", "--organization", KNOWN, "--by", "李", "--why", "来电更正")
    assert outcomes(registered)[0][1] == KNOWN
    assert run(registered, "import", path, "--yes").strip() == "nothing changes"
    assert outcomes(registered)[0][1] == KNOWN
    newer = Waiting(registered)
    assert newer.sheet.cell(2, newer.at["来件编号"]).value == 3


def test_a_workbook_is_handed_in_again_where_a_decision_left_one_of_its_organizations_without_mails(
    registered: Office,
) -> None:
    registered.deliver(mail(papers(STRANGER), sender="new@yuncen.example.com"))
    registered.deliver(mail({}, sender="ask@haitang.example.com", message_id="<2@x>", body="请问怎么填？"))
    registered.round()
    waiting = Waiting(registered).fill(1, 归入单位=OTHER, **SIGNED)
    assert STRANGER in [cell.value for cell in waiting.book["汇总表"]["B"]]
    run(registered, "import", waiting.save(), "--yes")
    path = waiting.fill(2, 处理="不作报送", **SIGNED).save()
    assert "0 organizations change, 1 mails are decided; kept" in run(registered, "import", path, "--yes")
    summary = waiting.book["汇总表"]
    heads = {cell.value: cell.column for cell in summary[1]}
    row = next(cell.row for cell in summary["B"] if cell.value == STRANGER)
    summary.cell(row, heads["备注"]).value = "已联系"
    said = run(registered, "import", waiting.save(), "--yes", status=2)
    assert f"汇总表!B{row}: no organization '{STRANGER}' in this campaign" in said


def test_a_workbook_handed_in_again_after_a_rename_takes_back_nothing_either(registered: Office) -> None:
    three_that_wait(registered)
    path = Waiting(registered).fill(1, 归入单位=OTHER, **SIGNED).save()
    run(registered, "import", path, "--yes")
    run(registered, "review", "1", "--organization", KNOWN, "--by", "李", "--why", "来电更正")
    renamed = REGISTRY.replace(f"{OTHER},society,,", f"浙江省海塘研究会,society,{OTHER},")
    (registered.directory / "organizations.csv").write_text(renamed, encoding="utf-8")
    assert run(registered, "import", path, "--yes").strip() == "nothing changes"
    registered.round()
    assert run(registered, "import", path, "--yes").strip() == "nothing changes"
    assert outcomes(registered)[0][1] == KNOWN


def test_a_cell_in_the_last_row_of_a_sheet_costs_nothing(registered: Office) -> None:
    three_that_wait(registered)
    waiting = Waiting(registered).fill(2, 处理="不作报送", **SIGNED)
    for name in ("汇总表", "待核对"):
        waiting.book[name].cell(1_048_576, 1).value = " "
    began = time.monotonic()
    assert "1 mails are decided; kept" in run(registered, "import", waiting.save(), "--yes")
    assert time.monotonic() - began < 10


def test_numbers_and_times_that_came_back_as_texts_are_what_they_were(registered: Office) -> None:
    three_that_wait(registered)
    waiting = Waiting(registered)
    received = str(waiting.row(2)["接收时间"])
    waiting.fill(2, 接收时间=received, 处理="不作报送", **SIGNED).fill(2, 来件编号="2")
    assert "1 mails are decided; kept" in run(registered, "import", waiting.save(), "--yes")
    assert outcomes(registered)[1] == ("ignored", None)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"处理": "接收", **SIGNED}, "待核对!H2: '接收' is none of 按现状接收, 请其补正, 不作报送"),
        ({"处理": "请其补正", **SIGNED}, "待核对!J2: 补正内容 and 处理 请其补正 want each other"),
        ({"处理": "按现状接收", "补正内容": "请补", **SIGNED}, "待核对!J2: 补正内容 and 处理 请其补正 want each other"),
        ({"处理": "按现状接收", "经办人": "章伟"}, "待核对!L2: 理由 is empty"),
        ({"处理": "按现状接收", "理由": "核实"}, "待核对!K2: 经办人 is empty"),
        (SIGNED, "待核对!H2: 处理 and 归入单位 are both empty"),
        ({"处理": "不作报送", "归入单位": OTHER, **SIGNED}, "待核对!2: --no-submission belongs to no organization"),
        ({"归入单位": "浙江省没有学会", **SIGNED}, "待核对!2: no organization"),
        ({"来件编号": 99, "归入单位": OTHER, **SIGNED}, "待核对!2: there is no message 99"),
        ({"来件编号": "一", "归入单位": OTHER, **SIGNED}, "待核对!A2: '一' is no number of a mail"),
        ({"来件编号": 2, "归入单位": OTHER, **SIGNED}, "待核对!2: message 2 came at another time"),
        ({"接收时间": "昨天", "归入单位": OTHER, **SIGNED}, "待核对!B2: '昨天' is no time"),
        ({"归入单位": "=A1&B1", **SIGNED}, "待核对!I2: 归入单位: the formula '=A1&B1' without its value"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_taken_is_named_and_nothing_is_kept(
    registered: Office, cells: dict[str, object], said: str
) -> None:
    three_that_wait(registered)
    waiting = Waiting(registered).fill(3, 处理="按现状接收", **SIGNED).fill(1, **cells)
    assert said in run(registered, "import", waiting.save(), "--yes", status=2)
    assert {outcome for outcome, _ in outcomes(registered)} == {"review"}


def test_one_mail_in_two_rows_and_a_lost_column_are_named(registered: Office) -> None:
    three_that_wait(registered)
    waiting = Waiting(registered)
    at = waiting.row(1)["接收时间"]
    waiting.fill(1, 归入单位=OTHER, **SIGNED).fill(2, 来件编号=1, 接收时间=at, 归入单位=KNOWN, **SIGNED)
    assert "待核对!3: mail 1 is decided in 待核对!2 already" in run(
        registered, "import", waiting.save(), status=2
    )
    waiting.sheet.delete_cols(waiting.at["理由"])
    assert "待核对!1: the column 理由 is missing" in run(registered, "import", waiting.save(), status=2)


def test_a_workbook_of_an_earlier_version_has_no_such_sheet(registered: Office, tmp_path: Path) -> None:
    three_that_wait(registered)
    waiting = Waiting(registered)
    del waiting.book["待核对"]
    assert run(registered, "import", waiting.save(), "--yes").strip() == "nothing changes"


def test_papers_under_a_robots_sign_are_taken_in_from_the_sheet(registered: Office) -> None:
    registered.deliver(mail(papers(KNOWN), headers={"Auto-Submitted": "auto-generated"}))
    registered.round()
    waiting = Waiting(registered)
    assert "未接收：自动邮件\n→ 请看是否漏收" in str(waiting.row(1)["待核对事项"])
    run(registered, "import", waiting.fill(1, 归入单位=KNOWN, **SIGNED).save(), "--yes")
    assert outcomes(registered) == [("acknowledged", KNOWN)]

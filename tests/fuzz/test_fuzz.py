"""A bounded number of damaged mails and documents in each run; `make fuzz` tries a hundred thousand."""

from __future__ import annotations

import os
from pathlib import Path

from tests.fuzz.campaign import Campaign

CASES = int(os.environ.get("MAILBOT_FUZZ_CASES", "300"))
SEED = int(os.environ.get("MAILBOT_FUZZ_SEED", "2021"))


def test_nothing_escapes_and_nothing_hangs(tmp_path: Path) -> None:
    tally = Campaign(SEED, tmp_path).run(CASES)
    print(tally)
    assert tally.escaped == []
    assert tally.cases == CASES
    assert tally.became["read"] + tally.became["told of"] > CASES // 10
    assert list(tally.broke) == []

"""A short season in each run; `make soak` is twenty thousand mails long."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.soak.soak import Soak

MAILS = int(os.environ.get("MAILBOT_SOAK_MAILS", "300"))
SEED = int(os.environ.get("MAILBOT_SOAK_SEED", "2021"))


@pytest.mark.timeout(600)
def test_through_a_season_of_faults_nothing_is_lost_or_twice_and_nothing_piles_up(tmp_path: Path) -> None:
    with Soak(tmp_path, SEED) as soak:
        season = soak.run(MAILS, batch=20, sample_every=20)
    print(season, *season.samples, sep="\n")
    assert season.wrong == []
    assert season.delivered == MAILS
    assert season.most_often == 1
    assert sum(season.faults.values()) + season.kills == len(season.samples)
    assert season.kills > 0
    assert len(season.faults) > 3
    settled = season.samples[-5:]
    assert max(each.descriptors for each in settled) - min(each.descriptors for each in settled) <= 4
    assert max(each.children for each in settled) <= 5

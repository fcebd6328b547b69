"""`python -m tests.fuzz [CASES] [SEED]`: the nightly number of cases; exit status 1 where anything escaped."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.fuzz.campaign import Campaign


def main(cases: int, seed: int) -> int:
    print(f"seed {seed}", flush=True)
    tally = Campaign(seed, Path("fuzz-findings")).run(cases, say=1000)
    print(tally)
    for name, seconds in sorted(tally.slow.items(), key=lambda each: -each[1])[:20]:
        print(f"slow: {name}: {seconds} s")
    for words, path in tally.broke.items():
        print(f"{path}: {words}")
    for words in tally.escaped:
        print(f"escaped: {words}")
    return 1 if tally.escaped else 0


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*arguments[:1] or [100_000], *arguments[1:2] or [int(time.time())]))

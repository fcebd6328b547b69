"""`python -m tests.soak [MAILS] [SEED]`: exit status 1 where anything was lost, twice, or left open."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.soak.soak import Soak


def main(count: int, seed: int) -> int:
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="mailbot-soak-") as place, Soak(Path(place), seed) as soak:
        try:
            season = soak.run(count, say=True)
        except BaseException:
            print((Path(place) / "log").read_text(errors="replace")[-8000:])
            raise
    print(season)
    print("\n".join(season.wrong[:50]))
    return 1 if season.wrong else 0


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*arguments[:1] or [20_000], *arguments[1:2] or [int(time.time())]))

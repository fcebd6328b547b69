"""Damaged mails and documents through the real reader: nothing escapes, nothing hangs, and what breaks is counted."""

from __future__ import annotations

import random
import resource
import tempfile
import time
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from mailbot.config import Limits
from mailbot.errors import DocumentError
from mailbot.model import Role
from mailbot.reader import Reader
from mailbot.reading import MailReading
from tests.fuzz.corpus import RUBRIC, documents, mails, slow_documents
from tests.fuzz.mutate import mutated

LIMITS = Limits(parse_seconds=10, parse_memory_mb=1024)
_LONGEST = 60.0
_SLOW_ONE_IN = 100
_TELL_FROM = 10.0
"""Seconds from which on a case is named."""
_AHEAD = 100
"""How many cases are made before the first of them must have ended: a slow one keeps no child waiting."""
Tried = tuple[str, str, float]
"""What became of a case, the words, and how many seconds it took."""


@dataclass(slots=True)
class Tally:
    """What became of the cases."""

    cases: int = 0
    became: Counter[str] = field(default_factory=Counter)
    by_sample: Counter[str] = field(default_factory=Counter)
    broke: dict[str, Path] = field(default_factory=dict)
    """Contained faults of our own readers, each with one file that shows it."""
    escaped: list[str] = field(default_factory=list)
    slowest: float = 0.0
    slow: dict[str, float] = field(default_factory=dict)
    """Seconds of the cases that took long, by name."""
    memory_mb: int = 0

    def __str__(self) -> str:
        became = ", ".join(f"{what} {count}" for what, count in self.became.most_common())
        return (
            f"{self.cases} cases of {len(self.by_sample)} samples: {became}; slowest {self.slowest:.1f} s, "
            f"parent {self.memory_mb} MB, {len(self.escaped)} escaped"
        )


class Campaign:
    """A number of cases from one seed; the files of what broke are kept in a directory."""

    def __init__(self, seed: int, keep: Path) -> None:
        self._rng = random.Random(seed)
        self._keep = keep
        files = documents()
        self._slow = slow_documents()
        self._quick = {**files, **mails(files)}
        self._samples = {**self._quick, **self._slow}
        self.tally = Tally()

    def run(self, cases: int, *, children: int = 2, say: int = 0) -> Tally:
        """Try so many; prints the tally after each `say` of them."""
        pending: deque[tuple[Path, Future[Tried]]] = deque()
        with (
            tempfile.TemporaryDirectory() as place,
            Reader(RUBRIC, LIMITS, children=children) as reader,
            ThreadPoolExecutor(children) as threads,
        ):
            for number in range(cases):
                path = self._case(Path(place), self._name(number), number)
                pending.append((path, threads.submit(self._try, reader, path)))
                if len(pending) == _AHEAD:
                    self._count(*pending.popleft())
                if say and number % say == say - 1:
                    print(self.tally, flush=True)
            for each in pending:
                self._count(*each)
        return self.tally

    def _name(self, number: int) -> str:
        one_in, kind = (_SLOW_ONE_IN, self._slow) if number % _SLOW_ONE_IN == 0 else (1, self._quick)
        return sorted(kind)[number // one_in % len(kind)]

    def _case(self, place: Path, name: str, number: int) -> Path:
        other = self._samples[self._rng.choice(sorted(self._samples))]
        path = place / f"{number}-{name}"
        path.write_bytes(mutated(self._rng, self._samples[name], other))
        return path

    @staticmethod
    def _try(reader: Reader, path: Path) -> Tried:
        begun = time.monotonic()
        try:
            if path.suffix == ".eml":
                reading = reader.read_mail(path, authserv_id=None, own_addresses=(), required=frozenset(Role))
            else:
                reading = reader.read_document(path)
            became, words = _became(reading)
        except DocumentError as error:
            became, words = f"refused ({error.code})", str(error)
        except BaseException as error:
            became, words = "escaped", f"{type(error).__name__}: {error}"
        return became, words, time.monotonic() - begun

    def _count(self, path: Path, tried: Future[Tried]) -> None:
        became, words, seconds = tried.result()
        tally = self.tally
        tally.cases += 1
        tally.became[became] += 1
        tally.by_sample[path.name.partition("-")[2]] += 1
        tally.slowest = max(tally.slowest, seconds)
        if seconds > _TELL_FROM:
            tally.slow[path.name] = round(seconds, 1)
        tally.memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        if became == "escaped" or seconds > _LONGEST:
            tally.escaped.append(f"{path.name}: {words} after {seconds:.1f} s")
        if became in ("escaped", "broke its reader") and words not in tally.broke:
            self._keep.mkdir(parents=True, exist_ok=True)
            tally.broke[words] = self._keep / path.name
            tally.broke[words].write_bytes(path.read_bytes())
        path.unlink()


def _became(reading: MailReading) -> tuple[str, str]:
    broken = [f.found for d in reading.documents for f in d.findings if f.found.startswith("raised at")]
    if broken:
        return "broke its reader", broken[0]
    if any(d.findings for d in reading.documents):
        return "told of", ""
    return "read", ""

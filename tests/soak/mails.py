"""The mails of a soak: what societies send in a bad season, each with its number, from one seed."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tests.e2e.office import mail, papers
from tests.fuzz.mutate import mutated

_MAILS_OF_ONE = 20
"""About how many mails an organization sends in all."""


@dataclass(frozen=True)
class Posted:
    """One mail, and to which mailboxes it goes."""

    kind: str
    octets: bytes
    mailboxes: tuple[str, ...]


def posted(count: int, seed: int) -> Iterator[Posted]:
    """So many deliveries; a mail to both mailboxes is two of them."""
    rng = random.Random(seed)
    kinds = list(_KINDS)
    weights = [weight for weight, _ in _KINDS.values()]
    organizations = max(3, count // _MAILS_OF_ONE)
    left, number = count, 0
    while left > 0:
        number += 1
        kind = rng.choices(kinds, weights)[0]
        octets = _KINDS[kind][1](rng, number, rng.randrange(organizations))
        mailboxes = ("societies", "enterprises")[: left if kind == "to both" else 1]
        yield Posted(kind=kind, octets=octets, mailboxes=mailboxes)
        left -= len(mailboxes)


@cache
def _papers(organization: int) -> dict[str, bytes]:
    return papers(f"浙江省第{organization}学会")


def _mail(
    rng: random.Random, number: int, organization: int, files: dict[str, bytes], **more: object
) -> bytes:
    return mail(
        files,
        sender=f"office@society{organization}.example.com",
        message_id=f"<{number}@society{organization}.example.com>",
        **more,  # type: ignore[arg-type]
    )


def _whole(rng: random.Random, number: int, organization: int) -> bytes:
    return _mail(rng, number, organization, _papers(organization))


def _part(rng: random.Random, number: int, organization: int) -> bytes:
    files = _papers(organization)
    name = rng.choice(sorted(files))
    return _mail(rng, number, organization, {name: files[name]})


def _damaged(rng: random.Random, number: int, organization: int) -> bytes:
    files = dict(_papers(organization))
    name, other = rng.sample(sorted(files), 2)
    files[name] = mutated(rng, files[name], files[other])
    return _mail(rng, number, organization, files)


def _broken_mail(rng: random.Random, number: int, organization: int) -> bytes:
    return mutated(rng, _whole(rng, number, organization), _papers(organization)["自评表.xlsx"])


def _archive(rng: random.Random, number: int, organization: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in _papers(organization).items():
            archive.writestr(name, data)
    octets = packed.getvalue()
    if rng.random() < 0.3:
        octets = octets[: rng.randrange(1, len(octets))]
    return _mail(rng, number, organization, {"材料.zip": octets})


def _question(rng: random.Random, number: int, organization: int) -> bytes:
    """From somebody new each time: one who only asks and asks is taken for a robot."""
    return _mail(rng, number, 10**6 + number, {}, body="请问材料可以分几次发送吗？")


def _robot(rng: random.Random, number: int, organization: int) -> bytes:
    return _mail(rng, number, organization, {}, headers={"Auto-Submitted": "auto-replied"})


_KINDS = {
    "whole": (20, _whole),
    "part": (25, _part),
    "to both": (10, _whole),
    "damaged files": (15, _damaged),
    "damaged mail": (5, _broken_mail),
    "archive": (10, _archive),
    "question": (10, _question),
    "robot": (5, _robot),
}

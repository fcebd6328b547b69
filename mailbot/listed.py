"""Keeps organizations as the registry has them: under its name for each, and in its track.

Who is renamed in the list, the old name being an alias now, would be two otherwise: one that has sent and is in no
registry, and one that has sent nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mailbot.config import Config
from mailbot.log import log
from mailbot.model import Organization
from mailbot.registry import Registry
from mailbot.store.store import Store
from mailbot.submission import Terms, fold


def kept_otherwise(store: Store, registry: Registry | None) -> Iterator[tuple[str, Organization]]:
    """The organizations that the store keeps under another name or track than the registry: the name in the store, and the
    registry's entry."""
    if registry is None:
        return
    for known, track in store.tracks().items():
        listed = registry.listed_as(known)
        if listed is not None and (listed.name, listed.track) != (known, track):
            yield known, listed


def keep_as_listed(store: Store, registry: Registry | None, config: Config, at: datetime) -> None:
    """Give the organizations in the store the names and tracks of the registry. Only for the one worker. Versions are made
    anew from what is kept; no mail is read or judged again."""
    terms = Terms(opens=config.campaign.opens, deadline=config.campaign.deadline, requires=config.owed)
    for known, listed in kept_otherwise(store, registry):
        names = dict.fromkeys((listed.name, known))
        contributions = [one for name in names for one in store.contributions(name)]
        store.keep_as(known, listed, fold(contributions, listed.track, terms), at)
        log.warning("kept as the registry has it", known=known, name=listed.name, track=listed.track.value)

"""Which organization a mail is from: exact name, alias, sender, then a clear-margin match; else a person decides.

Names of societies lie close together (医学会 within 预防医学会, 数学会 and 物理学会 one character apart), so a match
that is not exact may differ only in what names nobody apart: the province, brackets, an office's suffix.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz, process

from mailbot.model import Code, Finding, Organization, Track, finding

_DECORATION = re.compile(
    r"[(（\[【]?\s*(?:盖章|公章|章|加盖公章|单位盖章|盖单位公章)\s*[)）\]】]?|[_＿\s:：.。,，;；\"'“”《》<>]+"
)
_PROVINCE = re.compile(r"^浙江省?|^省")
_OFFICE = re.compile(r"(?:秘书处|办公室|理事会)$")
_NAME = re.compile(
    r"浙江省?[一-鿿·（）()]{1,30}?(?:科学技术协会|科协|联合会|学会|协会|研究会|促进会)(?![一-鿿]{0,2}(?:会议|章程))"
    r"|[一-鿿（）()]{2,30}?(?:集团|公司|企业|研究院|银行|电厂|油田|大学|医院)[一-鿿（）()]{0,12}?(?:科学技术协会|科协)"
)
_ENTERPRISE = re.compile(r"公司|集团|企业|银行|科协$|科学技术协会$")
_SOCIETY = re.compile(r"(?:学会|协会|研究会|促进会|联合会)$")
_CLEAR_SCORE = 92.0
_CLEAR_MARGIN = 6.0


def clean(name: str) -> str:
    """A name as it is compared: full-width folded (NFKC), blanks, underscores and (盖章) taken out."""
    return _DECORATION.sub("", unicodedata.normalize("NFKC", name)).strip("()")


def _core(name: str) -> str:
    """What tells a name apart, without the province and an office's suffix."""
    return _OFFICE.sub("", _PROVINCE.sub("", clean(name)))


def organization_names(text: str) -> tuple[str, ...]:
    """Names that look like a reporting organization's, in the order in which they stand."""
    folded = unicodedata.normalize("NFKC", text)
    names = (clean(match.group()) for match in _NAME.finditer(folded))
    return tuple(dict.fromkeys(name for name in names if not _is_the_receiver(name)))


def _is_the_receiver(name: str) -> bool:
    return _core(name) in ("科学技术协会", "科协")


@dataclass(frozen=True)
class Registry:
    """The organizations that are to report."""

    organizations: tuple[Organization, ...]

    @cached_property
    def _names(self) -> dict[str, Organization]:
        return {clean(name): o for o in self.organizations for name in (o.name, *o.aliases)}

    @cached_property
    def _cores(self) -> dict[str, tuple[Organization, ...]]:
        cores: dict[str, tuple[Organization, ...]] = {}
        for name, organization in self._names.items():
            known = cores.get(_core(name), ())
            if organization not in known:
                cores[_core(name)] = (*known, organization)
        return cores

    @cached_property
    def _addresses(self) -> dict[str, tuple[Organization, ...]]:
        addresses: dict[str, tuple[Organization, ...]] = {}
        for organization in self.organizations:
            for address in organization.emails:
                addresses[address.lower()] = (*addresses.get(address.lower(), ()), organization)
        return addresses

    def named(self, name: str) -> Organization | None:
        """The organization of that name or alias, or the only one that it can mean."""
        exact = self._names.get(clean(name))
        if exact is not None:
            return exact
        same_core = self._cores.get(_core(name), ())
        return same_core[0] if len(same_core) == 1 else self._clear_match(name)

    def _clear_match(self, name: str) -> Organization | None:
        """A match by resemblance: high, far above the next, and the same characters but for their order or doubles."""
        core = _core(name)
        best = process.extract(core, self._cores.keys(), scorer=fuzz.ratio, limit=2)
        if not best or best[0][1] < _CLEAR_SCORE:
            return None
        if len(best) > 1 and best[0][1] - best[1][1] < _CLEAR_MARGIN:
            return None
        found = self._cores[best[0][0]]
        return found[0] if len(found) == 1 and set(core) == set(best[0][0]) else None

    def of_sender(self, addresses: Iterable[str]) -> Organization | None:
        """The one organization that these addresses are registered for."""
        found = {o.name: o for a in addresses for o in self._addresses.get(a.lower(), ())}
        return next(iter(found.values())) if len(found) == 1 else None

    def mentioned(self, text: str) -> tuple[Organization, ...]:
        """Organizations whose full name or alias stands in a text; a name within another's does not count."""
        folded = clean(text)
        names = [name for name in self._names if len(name) > 3 and name in folded]
        outer = [n for n in names if not any(n != other and n in other for other in names)]
        return tuple(dict.fromkeys(self._names[name] for name in outer))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a mail is from, by what it was told, and what speaks against it."""

    organization: Organization | None
    how: str
    """`form`, `sender`, the hint's kind, `learned`, or `none`."""
    findings: tuple[Finding, ...] = ()


def identify(
    registry: Registry | None,
    *,
    form_name: str | None,
    senders: Sequence[str],
    hints: Sequence[tuple[str, str]],
    learned: Organization | None,
    default_track: Track,
    has_form: bool,
) -> Identity:
    """Who reports: the form's 填报单位, else the registered sender, else the hints in their order, else what is learned.

    `hints` are (kind, text): titles and signatures, the subject, file names. `learned` is what earlier mails of
    the sender or the thread say.
    """
    form_name = clean(form_name or "")
    sender = registry.of_sender(senders) if registry else None
    if form_name:
        return _by_form(registry, form_name, sender, default_track, has_form=has_form)
    if sender:
        return Identity(organization=sender, how="sender")
    by_hint = _by_hints(registry, hints, default_track, has_form=has_form)
    if by_hint is not None:
        return by_hint
    if learned:
        return Identity(organization=learned, how="learned")
    return Identity(organization=None, how="none", findings=(finding(Code.ORGANIZATION_MISSING),))


def _by_form(
    registry: Registry | None, name: str, sender: Organization | None, default_track: Track, *, has_form: bool
) -> Identity:
    if registry is None:
        return Identity(organization=_unregistered(name, default_track, has_form=has_form), how="form")
    organization = registry.named(name)
    if organization is None:
        unknown = finding(Code.ORGANIZATION_UNKNOWN, found=name)
        return Identity(
            organization=_unregistered(name, default_track, has_form=has_form),
            how="form",
            findings=(unknown,),
        )
    if sender is not None and sender != organization:
        mismatch = finding(Code.ORGANIZATION_MISMATCH, found=organization.name, wanted=sender.name)
        return Identity(organization=organization, how="form", findings=(mismatch,))
    return Identity(organization=organization, how="form")


def _by_hints(
    registry: Registry | None, hints: Sequence[tuple[str, str]], default_track: Track, *, has_form: bool
) -> Identity | None:
    """The first kind of hint that names exactly one organization; two names of one kind decide nothing."""
    unknown: Identity | None = None
    for kind in dict.fromkeys(kind for kind, _ in hints):
        texts = [text for each, text in hints if each == kind]
        if registry is not None:
            known = {o.name: o for text in texts for o in registry.mentioned(text)}
            names = {name for text in texts for name in organization_names(text)}
            known |= {o.name: o for name in names if (o := registry.named(name))}
            if len(known) == 1:
                return Identity(organization=next(iter(known.values())), how=kind)
        else:
            names = {name for text in texts for name in organization_names(text)}
            known = {}
        if len(names) == 1 and not known:
            organization = _unregistered(next(iter(names)), default_track, has_form=has_form)
            if registry is None:
                return Identity(organization=organization, how=kind)
            strange = finding(Code.ORGANIZATION_UNKNOWN, found=organization.name)
            unknown = unknown or Identity(organization=organization, how=kind, findings=(strange,))
    return unknown


def _unregistered(name: str, default_track: Track, *, has_form: bool) -> Organization:
    """An organization known by its name alone; only societies owe a form."""
    if has_form:
        track = Track.SOCIETY
    elif _ENTERPRISE.search(name):
        track = Track.ENTERPRISE
    elif _SOCIETY.search(name):
        track = Track.SOCIETY
    else:
        track = default_track
    return Organization(name=name, track=track)

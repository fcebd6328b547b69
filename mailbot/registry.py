"""Which organization a mail is from: exact name, alias, sender, then a clear-margin match; else a person decides.

Names of societies lie close together (医学会 within 预防医学会, 数学会 and 物理学会 one character apart), so a match
that is not exact may differ only in what names nobody apart: the province, brackets, an office's suffix.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from mailbot.model import PAPERS, Code, Finding, Organization, Track, finding
from mailbot.names import UNSEEN
from mailbot.reading import DocumentReading

_BLANKS = re.compile(r"[_\s:.。,;\"'“”《》<>]+")
_SEAL = re.compile(
    r"[(\[【〔](?:加盖|盖)?(?:单位)?(?:公章|盖章|签章|印章|章)处?[)\]】〕]|[(\[【〔]?(?:加盖公章|单位盖章|盖单位公章|盖章|公章)处?[)\]】〕]?$"
)
_PROVINCE = re.compile(r"^浙江省?|^省")
_OFFICE = re.compile(r"(?:秘书处|办公室|理事会)$")
_LONG_SUFFIX = re.compile(r"科学技术协会$")
_GROUP = re.compile(r"集团(?:有限(?:责任)?)?公司(?=科协$|$)")
_BRANCH = r"(?![议计]|[^\W\d_及和与各]{0,12}?(?:分会|专业委员会|专委会))"
"""What may not follow a society's name: 学会议, 会计, and its branches, which are not the society."""
_NOBODY = re.compile(
    r"(?:浙江)?省(?:科学技术协会|科协)(?:学会(?:学术)?部)?|浙江科协(?:学会(?:学术)?部)?"
    r"|各?省级(?:学会|协会|研究会|促进会)(?:\([^)]{0,20}\))?|省属企业(?:科学技术协会|科协)?"
)
"""The office itself, and those whom its notice addresses as a whole."""
_AROUND = re.compile(
    r"\d+年(?:度)?|年度|关于|报送|上报|提交|递交|召开|总结|附件|查收|敬请|请|来自|的|(?:我|贵|本|填报|报送)单位|我们|我会"
)
"""What stands around a name and is no part of it."""
_IN_NAME = r"(?:(?!浙江)[一-鿿·()])"
_NAME = re.compile(
    rf"浙江省?{_IN_NAME}{{1,30}}?(?:科学技术协会|科协|联合会|学会|协会|研究会|促进会){_BRANCH}"
    rf"|浙江省?{_IN_NAME}{{1,20}}?(?:集团|公司)(?:(?:股份|有限|责任)*公司)?(?=\|{{1,3}}(?:科学技术协会|科协))"
    rf"|(?<![一-鿿]){_IN_NAME}{{2,30}}?(?:集团|公司|企业|研究院|银行|电厂|油田|大学|医院){_IN_NAME}{{0,12}}?(?:科学技术协会|科协)"
)
_ENTERPRISE = re.compile(r"(?:科协|科学技术协会)$")
_SOCIETY = re.compile(r"(?:学会|协会|研究会|促进会|联合会)(?:\([^)]*\))?$")
_COMPANY = re.compile(r"公司|集团|企业|银行")
_LEAST_CORE = 3
_CLEAR_SCORE = 92.0
_CLEAR_MARGIN = 6.0


def clean(name: str) -> str:
    """A name as it is compared: full-width folded (NFKC), what is unseen, blanks, underscores and (盖章) taken out."""
    seen = UNSEEN.sub("", unicodedata.normalize("NFKC", name))
    bare = _SEAL.sub("", _BLANKS.sub("", seen))
    opened, closed = bare.count("("), bare.count(")")
    if opened == closed == 1 and bare.startswith("(") and bare.endswith(")"):
        return bare[1:-1]
    return bare.lstrip(")").rstrip("(") if opened == closed else bare.strip("()")


def core(name: str) -> str:
    """What tells a name apart, without the province, an office's suffix and a company's legal form."""
    bare = _OFFICE.sub("", _PROVINCE.sub("", clean(name)))
    return _GROUP.sub("集团", _LONG_SUFFIX.sub("科协", bare))


def organization_names(text: str) -> tuple[str, ...]:
    """Names that look like a reporting organization's, in the order in which they stand."""
    apart = _AROUND.sub("|", _NOBODY.sub("|", _folded(text)))
    return tuple(dict.fromkeys(clean(match.group()) for match in _NAME.finditer(apart)))


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _single(found: Sequence[Organization]) -> Organization | None:
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class Registry:
    """The organizations that are to report."""

    organizations: tuple[Organization, ...]

    @cached_property
    def _names(self) -> dict[str, tuple[Organization, ...]]:
        return _by_key((clean(n), o) for o in self.organizations for n in (o.name, *o.aliases))

    @cached_property
    def _cores(self) -> dict[str, tuple[Organization, ...]]:
        return _by_key((core(n), o) for o in self.organizations for n in (o.name, *o.aliases))

    @cached_property
    def _addresses(self) -> dict[str, tuple[Organization, ...]]:
        return _by_key((address.lower(), o) for o in self.organizations for address in o.emails)

    @cached_property
    def _patterns(self) -> dict[str, re.Pattern[str]]:
        return {name: _standing_alone(name) for name in self._names if len(name) > 3}

    def listed_as(self, name: str) -> Organization | None:
        """The organization of exactly that name or alias."""
        return _single(self._names.get(clean(name), ()))

    def named(self, name: str) -> Organization | None:
        """The organization of that name or alias, or the only one that it can mean."""
        exact = self._names.get(clean(name))
        if exact:
            return _single(exact)
        apart = core(name)
        if len(apart) < 2:
            return None
        same = self._cores.get(apart)
        return _single(same) if same else self._clear_match(apart)

    def _clear_match(self, apart: str) -> Organization | None:
        """A match by resemblance: high, far above the next organization, and of the same characters."""
        from rapidfuzz import fuzz, process

        scored = process.extract(
            apart,
            self._cores.keys(),
            scorer=fuzz.ratio,
            limit=None,
            score_cutoff=_CLEAR_SCORE - _CLEAR_MARGIN,
        )
        if not scored or scored[0][1] < _CLEAR_SCORE:
            return None
        best, score, _ = scored[0]
        found = _single(self._cores[best])
        rivals = (each for each, other, _ in scored if score - other < _CLEAR_MARGIN)
        if found is None or any(self._cores[each] != (found,) for each in rivals):
            return None
        return found if set(apart) == set(best) else None

    def all_of_sender(self, addresses: Iterable[str]) -> tuple[Organization, ...]:
        """Every organization that one of these addresses is registered for."""
        return tuple(dict.fromkeys(o for a in addresses for o in self._addresses.get(a.lower(), ())))

    def mentioned(self, text: str) -> tuple[Organization, ...]:
        """Organizations whose full name or alias stands in a text, by itself or behind a year and the like; a name within
        another's does not count."""
        folded = _folded(text)
        return self._standing_in(folded) or self._standing_in(_AROUND.sub("|", folded))

    def _standing_in(self, folded: str) -> tuple[Organization, ...]:
        spans = [
            (match.span(), name)
            for name, pattern in self._patterns.items()
            if name in folded
            for match in pattern.finditer(folded)
        ]
        outer = [
            name
            for (start, end), name in sorted(spans)
            if not any(s <= start and end <= e and e - s > end - start for (s, e), _ in spans)
        ]
        return tuple(dict.fromkeys(o for name in outer for o in self._names[name]))


def _by_key(pairs: Iterable[tuple[str, Organization]]) -> dict[str, tuple[Organization, ...]]:
    found: dict[str, tuple[Organization, ...]] = {}
    for key, organization in pairs:
        known = found.get(key, ())
        if organization not in known:
            found[key] = (*known, organization)
    return found


def _standing_alone(name: str) -> re.Pattern[str]:
    """The name where it is not the end of a longer one (针灸学会 in 杭州市针灸学会), nor one of its branches."""
    before = "" if name.startswith("浙江") else r"(?:(?<![一-鿿\w])|(?<=浙江省)|(?<=浙江))"
    return re.compile(f"{before}{re.escape(name)}{_BRANCH}")


Texts = Sequence[tuple[str, str]]
"""(kind, text): where a text stood that may name who reports."""


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
    hints: Texts,
    papers: Sequence[DocumentReading] = (),
    introductions: Texts = (),
    learned: Organization | None,
    default_track: Track,
    has_form: bool,
    wrote_for: Sequence[Organization] = (),
) -> Identity:
    """Which organization reports. The first of these that tells it: the form's 填报单位, the organization that the
    sender's address is registered for, the `hints` in their order, what the body says of its writer (`introductions`),
    `learned`, and last the body's signature (the person may sign with an employer's name).

    `hints`: titles and signatures of documents, the subject, names of files and folders. `papers`: the summaries and
    plans that have a title; they must not be another organization's. `learned`: the organization that earlier mails of
    the sender or the thread counted for. `wrote_for`: the organizations of a sender who has written for several.
    """
    form_name = clean(form_name or "")
    registered = registry.all_of_sender(senders) if registry else ()
    if form_name:
        by_form = _by_form(registry, form_name, registered, default_track, has_form=has_form)
        return _as_known(registry, _against_titles(registry, by_form, papers), learned)
    if len(registered) == 1:
        by_sender = Identity(organization=registered[0], how="sender")
        return _against_titles(registry, by_sender, papers)
    if several := _several_papers(registry, papers):
        return Identity(organization=None, how="none", findings=(several,))
    by_texts = partial(_by_texts, registry, default_track=default_track, has_form=has_form)
    several = _several(registry, hints)
    found = by_texts((*_entitled(registry, papers), *hints))
    if found is None and several is None:
        found = by_texts([said for said in introductions if learned is None or said[0] != "signature"])
    if found is not None:
        return _as_known(registry, _against_sender(found, registered), learned)
    if learned:
        return _as_learned(registry, learned)
    nobody = several or finding(Code.ORGANIZATION_MISSING, wanted=_listed(registered or wrote_for))
    return Identity(organization=None, how="none", findings=(nobody,))


def _as_learned(registry: Registry | None, learned: Organization) -> Identity:
    """The organization of earlier mails; with the doubt that it is unknown, where the registry does not have it."""
    unlisted = registry is not None and registry.named(learned.name) is None
    unknown = finding(Code.ORGANIZATION_UNKNOWN, found=learned.name)
    return Identity(organization=learned, how="learned", findings=(unknown,) if unlisted else ())


def _as_known(registry: Registry | None, identity: Identity, learned: Organization | None) -> Identity:
    """Without a registry: the identity under the name that earlier mails gave, where this mail only spells it otherwise."""
    organization = identity.organization
    if registry is not None or organization is None or learned is None:
        return identity
    if _spelling_key(organization.name) != _spelling_key(learned.name):
        return identity
    return replace(identity, organization=replace(organization, name=learned.name))


def _spelling_key(name: str) -> str:
    """A key that is the same for spellings of one name: its `core`, unless that is too short to tell names apart."""
    apart = core(name)
    return apart if len(apart) >= _LEAST_CORE else clean(name)


def _against_titles(
    registry: Registry | None, identity: Identity, papers: Sequence[DocumentReading]
) -> Identity:
    """The identity; with a doubt where the papers seem to be another's.

    That is so where titles and file names of summary and plan name another registered organization, and neither they
    nor their signatures name this one.
    """
    organization = identity.organization
    if registry is None or organization is None or identity.findings or not papers:
        return identity
    titles = [text for paper in papers for text in _called(paper)]
    signed = [name for paper in papers for name in paper.organizations]
    (other, *more) = _named_in(registry, titles).known or (organization,)
    if more or other == organization or organization in _named_in(registry, signed).known:
        return identity
    if any(_calls(title, organization, apart_from=other) for title in titles):
        return identity
    document = next(paper.filename for paper in papers if other in _named_in(registry, _called(paper)).known)
    mismatch = finding(
        Code.ORGANIZATION_MISMATCH, found=other.name, wanted=organization.name, document=document
    )
    return replace(identity, findings=(mismatch,))


def _entitled(registry: Registry | None, papers: Sequence[DocumentReading]) -> Texts:
    """Registered organizations that the papers' titles name, also by an alias that does not look like a name."""
    if registry is None:
        return ()
    return tuple(("title", o.name) for paper in papers for o in registry.mentioned(paper.title))


def _called(paper: DocumentReading) -> tuple[str, str]:
    """What a paper is called: its title, and its file's name."""
    return paper.title, paper.filename


def _calls(text: str, organization: Organization, *, apart_from: Organization) -> bool:
    """Whether a text names an organization by the core of a name, once the names of the other are taken out of it."""
    rest = clean(text)
    for name in sorted((apart_from.name, *apart_from.aliases), key=len, reverse=True):
        rest = rest.replace(clean(name), "|").replace(core(name), "|")
    return any(core(name) in rest for name in (organization.name, *organization.aliases))


def _several(registry: Registry | None, hints: Texts) -> Finding | None:
    """A finding where the titles of documents name several registered organizations: a person has to tell them apart."""
    titles = [text for kind, text in hints if kind == "title"]
    named = {o.name for text in titles if (o := registry.named(text) if registry else None)}
    return finding(Code.ORGANIZATION_MISMATCH, found="、".join(sorted(named))) if len(named) > 1 else None


def _several_papers(registry: Registry | None, papers: Sequence[DocumentReading]) -> Finding | None:
    """A finding where one mail brings summaries, or plans, of different organizations, registered or not.

    To count the mail for one of them would leave the papers of the others unread.
    """
    owners = [(paper.covers, name) for paper in papers if (name := _owner(registry, paper))]
    for role in PAPERS:
        names = {_spelling_key(name): name for covers, name in owners if role in covers}
        if len(names) > 1:
            return finding(Code.ORGANIZATION_MISMATCH, found="、".join(names.values()))
    return None


def _owner(registry: Registry | None, paper: DocumentReading) -> str | None:
    """Whose a paper is: the only organization that its title names, else its file name; None where that is not one."""
    for text in _called(paper):
        named = _named_in(registry, [text])
        strangers = (name for name in named.names if registry is None or registry.named(name) is None)
        names = {*(o.name for o in named.known), *strangers}
        if len(names) == 1:
            return names.pop()
    return None


def _by_form(
    registry: Registry | None,
    name: str,
    registered: Sequence[Organization],
    default_track: Track,
    *,
    has_form: bool,
) -> Identity:
    if registry is None:
        return Identity(organization=_unregistered(name, default_track, has_form=has_form), how="form")
    organization = registry.named(name)
    if organization is None:
        unknown = finding(Code.ORGANIZATION_UNKNOWN, found=name, wanted=_listed(registered))
        return Identity(
            organization=_unregistered(name, default_track, has_form=has_form),
            how="form",
            findings=(unknown,),
        )
    return _against_sender(Identity(organization=organization, how="form"), registered)


def _against_sender(identity: Identity, registered: Sequence[Organization]) -> Identity:
    """The identity; with a doubt where the sender's address is registered, but only for other organizations."""
    organization = identity.organization
    if not registered or organization is None or organization in registered or identity.findings:
        return identity
    mismatch = finding(Code.ORGANIZATION_MISMATCH, found=organization.name, wanted=_listed(registered))
    return replace(identity, findings=(mismatch,))


def _listed(organizations: Iterable[Organization]) -> str:
    return "、".join(o.name for o in organizations)


@dataclass(frozen=True, slots=True)
class _Named:
    """The organizations that some texts name: their names, and those of them that are registered."""

    names: frozenset[str]
    known: tuple[Organization, ...] = ()


def _named_in(registry: Registry | None, texts: Iterable[str]) -> _Named:
    texts = tuple(texts)
    names = frozenset(name for text in texts for name in organization_names(text))
    if registry is None:
        fullest = {_spelling_key(name): name for name in sorted(names, key=lambda name: (len(name), name))}
        return _Named(frozenset(fullest.values()))
    known = [o for text in texts for o in registry.mentioned(text)]
    known += [o for name in names if (o := registry.named(name))]
    return _Named(names | {o.name for o in known}, tuple({o.name: o for o in known}.values()))


def _by_texts(
    registry: Registry | None, texts: Texts, *, default_track: Track, has_form: bool
) -> Identity | None:
    """The identity by the first kind of text that names exactly one organization; None where none does.

    Texts of one kind that name two organizations decide nothing. A registered organization goes before a name that the
    registry does not know, whatever their kinds.
    """
    unknown: Identity | None = None
    for kind in dict.fromkeys(kind for kind, _ in texts):
        named = _named_in(registry, [text for each, text in texts if each == kind])
        if len(named.known) == 1:
            return Identity(organization=named.known[0], how=kind)
        if len(named.names) == 1:
            organization = _unregistered(next(iter(named.names)), default_track, has_form=has_form)
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
    elif _COMPANY.search(name):
        track = Track.ENTERPRISE
    else:
        track = default_track
    return Organization(name=name, track=track)

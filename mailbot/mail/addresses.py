"""Mailbox addresses out of headers, as people's programs really write them (RFC 5322 §3.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email import utils
from functools import partial

from mailbot.mail.charset import visible, words
from mailbot.reading import Address

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]"
_ADDRESS = re.compile(rf"{_ATEXT}{{1,64}}@[A-Za-z0-9.\-\[\]:]{{1,255}}")
_NAMED_LIKE_AN_ADDRESS = re.compile(r"([^<>\",;:()@]*@[^<>\",;:()]*+)(<[^<>\s]+>\s*)")
_ANGLE = re.compile(r"<([^<>\s@]+@[^<>\s@]+)>")
_WORD = re.compile(r"=\?[^?\s]{1,60}\?[BbQq]\?[^?]*\?=")
_PLACE = re.compile(r"=word(\d{1,5})=")
_LONGEST_HEADER = 20_000
_getaddresses = (
    partial(utils.getaddresses, strict=False)
    if hasattr(utils, "supports_strict_parsing")
    else utils.getaddresses
)
"""One address that is none spoils no other: Debian's Python, and newer ones, would give none of them (CVE-2023-27043)."""


def is_address(text: str) -> bool:
    """Whether this can be written to: an ASCII addr-spec, its local part unquoted."""
    return _ADDRESS.fullmatch(text) is not None


def addresses(headers: Iterable[object]) -> tuple[Address, ...]:
    """The addresses of a header's values, each once, names decoded; what cannot be written to is left out."""
    return clean(pair for header in headers for pair in _pairs(str(header)[:_LONGEST_HEADER]))


def _pairs(header: str) -> list[tuple[str, str]]:
    """(name, address) as the standard library reads them; by their angle brackets where it finds none.

    Encoded words are put aside meanwhile: many programs leave commas and colons in them.
    """
    header = " ".join(header.split())
    encoded = _WORD.findall(header)
    places = iter(range(len(encoded)))
    plain = _WORD.sub(lambda _: f"=word{next(places)}=", header)
    alike = _NAMED_LIKE_AN_ADDRESS.fullmatch(plain)
    if alike:
        plain = f'"{alike[1].strip()}" {alike[2]}'
    pairs = [
        (_PLACE.sub(lambda place: (encoded[int(place[1]) :] or [place[0]])[0], name), address)
        for name, address in _getaddresses([plain])
        if "@" in address and not _PLACE.search(address)
    ]
    return pairs or [("", address) for address in _ANGLE.findall(words(header))]


def clean(pairs: Iterable[tuple[str, str]]) -> tuple[Address, ...]:
    """Addresses that can stand in a header of ours, domains in lower case and ASCII, names on one line."""
    written = ((visible(words(name))[:200], _normal(visible(address))) for name, address in pairs)
    by_address: dict[str, Address] = {}
    for name, address in written:
        if is_address(address):
            by_address.setdefault(address.lower(), Address(name=name, address=address))
    return tuple(by_address.values())


def _normal(address: str) -> str:
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain.lower() if domain.isascii() else domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return address

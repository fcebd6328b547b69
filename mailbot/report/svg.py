"""Charts as inline SVG for the report: values in, markup out. Every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

_FONT = 13
_ROW = 26
_LABEL, _BAR, _VALUE = 250, 320, 120
_WIDE = 1030
"""As wide as a page's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: its share of the longest, and what stands beside it."""

    name: str
    share: float
    """0..1."""
    value: str
    colour: str = "#2e75b6"


def bars(rows: Sequence[Bar], title: str) -> Markup:
    """Horizontal bars, one below the other."""
    width, height = _LABEL + _BAR + _VALUE, _ROW * len(rows) + 6
    parts = [_row(row, number) for number, row in enumerate(rows)]
    return _svg(width, height, title, Markup("").join(parts))


def _row(row: Bar, number: int) -> Markup:
    top = number * _ROW + 4
    return Markup(
        '<text x="{x}" y="{y}" text-anchor="end" font-size="{size}">{name}</text>'
        '<rect x="{left}" y="{top}" width="{bar}" height="{thick}" fill="#e8ecf1"/>'
        '<rect x="{left}" y="{top}" width="{filled:.1f}" height="{thick}" fill="{colour}"/>'
        '<text x="{right}" y="{y}" font-size="{size}">{value}</text>'
    ).format(
        x=_LABEL - 10,
        y=top + 14,
        size=_FONT,
        name=row.name,
        left=_LABEL,
        top=top,
        bar=_BAR,
        filled=max(0.0, min(1.0, row.share)) * _BAR,
        thick=_ROW - 8,
        colour=row.colour,
        right=_LABEL + _BAR + 10,
        value=row.value,
    )


def stacked(parts: Sequence[tuple[str, int, str]], title: str) -> Markup:
    """One bar of several parts: name, number and colour of each; a legend below."""
    whole = sum(number for _, number, _ in parts) or 1
    pieces, at, legend = [], 0.0, 0.0
    for name, number, colour in parts:
        share = number / whole * _WIDE
        pieces.append(
            Markup('<rect x="{x:.1f}" y="0" width="{w:.1f}" height="22" fill="{c}"/>').format(
                x=at, w=share, c=colour
            )
        )
        pieces.append(
            Markup(
                '<rect x="{x:.0f}" y="32" width="12" height="12" fill="{c}"/>'
                '<text x="{t:.0f}" y="43" font-size="{size}">{name} {number}</text>'
            ).format(x=legend, c=colour, t=legend + 18, size=_FONT, name=name, number=number)
        )
        at += share
        legend += 150
    return _svg(_WIDE, 50, title, Markup("").join(pieces))


def columns(values: Sequence[tuple[str, int]], title: str) -> Markup:
    """Upright columns with their numbers above, for days."""
    tall = 120
    step = min(_WIDE / max(len(values), 1), 120)
    most = max((number for _, number in values), default=0) or 1
    every = max(1, -(-len(values) // 20))
    parts = []
    for place, (name, number) in enumerate(values):
        height = number / most * (tall - 24)
        label = name if place % every == 0 else ""
        parts.append(
            Markup(
                '<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" fill="#2e75b6"/>'
                '<text x="{m:.1f}" y="{above:.1f}" text-anchor="middle" font-size="11">{number}</text>'
                '<text x="{m:.1f}" y="{below}" text-anchor="middle" font-size="11">{label}</text>'
            ).format(
                x=place * step + step * 0.15,
                y=tall - height,
                w=step * 0.7,
                h=height,
                m=place * step + step / 2,
                above=tall - height - 4,
                number=number or "",
                below=tall + 16,
                label=label,
            )
        )
    return _svg(_WIDE, tall + 24, title, Markup("").join(parts))


def _svg(width: int, height: int, title: str, inside: Markup) -> Markup:
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {w} {h}" width="{w}" height="{h}" '
        'fill="#1f2933"><title>{title}</title>{inside}</svg>'
    ).format(w=width, h=height, title=title, inside=inside)

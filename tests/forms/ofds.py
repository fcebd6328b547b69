"""OFD files after GB/T 33190-2016, as two kinds of programs write them, from the pages of a real PDF of the form.

OFD printers place each run of characters with its distances; WPS gives each character an object of its own, with a
matrix from points, glyphs of a font in the file, and lines as thin filled boxes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from mailbot.documents import pdfium
from mailbot.documents.lines import Char, Segment, chunks, lines

MM = 25.4 / 72
_TIME = (2021, 1, 12, 9, 0, 0)
_SPACE = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def package(
    pages: Sequence[str],
    *,
    sealed: bool = False,
    template: str = "",
    pictures: Mapping[str, bytes] | None = None,
) -> bytes:
    """An OFD of pages given by what is in their layers; `pictures` by resource id."""
    parts: dict[str, bytes] = {}

    def put(name: str, root: str, content: str, about: str = "") -> None:
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<ofd:{root} {_SPACE}{about}>{content}</ofd:{root}>'
        parts[name] = text.encode()

    signatures = "<ofd:Signatures>/Doc_0/Signs/Signatures.xml</ofd:Signatures>" if sealed else ""
    about = "<ofd:DocInfo><ofd:DocID>0123456789abcdef</ofd:DocID><ofd:Creator>WPS</ofd:Creator></ofd:DocInfo>"
    body = f"<ofd:DocBody>{about}<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot>{signatures}</ofd:DocBody>"
    put("OFD.xml", "OFD", body, ' Version="1.0" DocType="OFD"')
    listed = "".join(f'<ofd:Page ID="{n}" BaseLoc="Pages/Page_{n}/Content.xml"/>' for n in range(len(pages)))
    put(
        "Doc_0/Document.xml",
        "Document",
        "<ofd:CommonData><ofd:MaxUnitID>9999</ofd:MaxUnitID><ofd:PageArea><ofd:PhysicalBox>0 0 297 210</ofd:PhysicalBox>"
        "</ofd:PageArea><ofd:PublicRes>PublicRes.xml</ofd:PublicRes><ofd:DocumentRes>DocumentRes.xml</ofd:DocumentRes>"
        '<ofd:TemplatePage ID="900" BaseLoc="Tpls/Tpl_0/Content.xml"/></ofd:CommonData>'
        f"<ofd:Pages>{listed}</ofd:Pages>",
    )
    fonts = '<ofd:Fonts><ofd:Font ID="3" FontName="宋体" FamilyName="宋体"/></ofd:Fonts>'
    put("Doc_0/PublicRes.xml", "Res", fonts, ' BaseLoc="Res"')
    media = "".join(
        f'<ofd:MultiMedia ID="{n}" Type="Image"><ofd:MediaFile>image_{n}</ofd:MediaFile></ofd:MultiMedia>'
        for n in pictures or ()
    )
    put("Doc_0/DocumentRes.xml", "Res", f"<ofd:MultiMedias>{media}</ofd:MultiMedias>", ' BaseLoc="Res"')
    parts.update({f"Doc_0/Res/image_{n}": octets for n, octets in (pictures or {}).items()})
    put("Doc_0/Tpls/Tpl_0/Content.xml", "Page", _layer(template))
    if sealed:
        put("Doc_0/Signs/Signatures.xml", "Signatures", '<ofd:Signature ID="1" Type="Seal" BaseLoc="S.xml"/>')
    for number, page in enumerate(pages):
        use = '<ofd:Template TemplateID="900" ZOrder="Background"/>' if template else ""
        put(f"Doc_0/Pages/Page_{number}/Content.xml", "Page", use + _layer(page))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, octets in parts.items():
            info = zipfile.ZipInfo(name, _TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, octets)
    return out.getvalue()


def _layer(content: str) -> str:
    return f'<ofd:Content><ofd:Layer ID="5">{content}</ofd:Layer></ofd:Content>'


def text(
    said: str, x: float, y: float, size: float = 4.0, *, deltas: str | None = None, ctm: str = ""
) -> str:
    """A text object; millimetres."""
    step = f' DeltaX="{deltas}"' if deltas is not None else ""
    turn = f' CTM="{ctm}"' if ctm else ""
    return (
        f'<ofd:TextObject ID="7" Boundary="{x} {y} 200 10" Font="3" Size="{size}"{turn}>'
        f'<ofd:TextCode X="0" Y="{size}"{step}>{escape(said)}</ofd:TextCode></ofd:TextObject>'
    )


def line(x0: float, y0: float, x1: float, y1: float) -> str:
    """A stroked path object; millimetres."""
    return (
        f'<ofd:PathObject ID="8" Boundary="{x0} {y0} {x1 - x0 + 0.4} {y1 - y0 + 0.4}" LineWidth="0.2">'
        f"<ofd:AbbreviatedData>M 0 0 L {x1 - x0} {y1 - y0}</ofd:AbbreviatedData></ofd:PathObject>"
    )


def picture(number: str, wide: float = 210, high: float = 297) -> str:
    """An image object over a whole page; millimetres."""
    size = f'Boundary="0 0 {wide} {high}" CTM="{wide} 0 0 {high} 0 0"'
    return f'<ofd:ImageObject ID="6" {size} ResourceID="{number}"/>'


def _printed(chars: Sequence[Char], segments: Sequence[Segment]) -> Iterator[str]:
    for found in lines(chars):
        for run in chunks(found):
            deltas = _grouped([(b.x0 - a.x0) * MM for a, b in pairwise(run)])
            size = run[0].size * MM
            yield text("".join(c.text for c in run), run[0].x0 * MM, run[0].top * MM, size, deltas=deltas)
    yield from (line(s.x0 * MM, s.top * MM, s.x1 * MM, s.bottom * MM) for s in segments)


def _grouped(steps: Sequence[float]) -> str:
    """Distances, repeated ones as `g` with their number (§11.3)."""
    said: list[tuple[str, int]] = []
    for step in (f"{step:.3f}" for step in steps):
        if said and said[-1][0] == step:
            said[-1] = (step, said[-1][1] + 1)
        else:
            said.append((step, 1))
    return " ".join(f"g {count} {step}" if count > 1 else step for step, count in said)


def _by_wps(chars: Sequence[Char], segments: Sequence[Segment]) -> Iterator[str]:
    for number, char in enumerate(chars):
        x, y, size = char.x0 * MM, char.top * MM, char.size
        yield (
            f'<ofd:TextObject ID="{100 + number}" CTM="{MM:.4f} 0 0 {MM:.4f} {-x:.6f} {y:.6f}" '
            f'Boundary="{x:.6f} {y:.6f} {size * MM:.6f} {size * MM:.6f}" LineWidth="1" Font="3" Size="{size:.3f}">'
            '<ofd:FillColor Value="0 0 0"/><ofd:CGTransform CodePosition="0" CodeCount="1" GlyphCount="1">'
            f"<ofd:Glyphs>{4000 + number}</ofd:Glyphs></ofd:CGTransform>"
            f'<ofd:TextCode X="{x / MM:.3f}" Y="{size - y / MM:.3f}">{escape(char.text)}</ofd:TextCode></ofd:TextObject>'
        )
    for segment in segments:
        wide = max((segment.x1 - segment.x0) * MM, 0.17)
        high = max((segment.bottom - segment.top) * MM, 0.17)
        yield (
            f'<ofd:PathObject ID="9" Boundary="{segment.x0 * MM:.4f} {segment.top * MM:.4f} {wide:.4f} {high:.4f}" '
            'Stroke="false" Fill="true"><ofd:FillColor Value="0 0 0"/><ofd:AbbreviatedData>'
            f"M 0 0 L {wide:.4f} 0 L {wide:.4f} {high:.4f} L 0 {high:.4f} C</ofd:AbbreviatedData></ofd:PathObject>"
        )


def pages(pdf: bytes, *, wps: bool = False) -> list[str]:
    """The pages of a PDF as OFD objects."""
    found = []
    with pdfium.opened(pdf) as document:
        for index in range(len(document)):
            page = pdfium.content(document, index)
            objects = (_by_wps if wps else _printed)(page.chars, page.segments)
            found.append(f"<ofd:PageBlock>{''.join(objects)}</ofd:PageBlock>")
    return found

"""`make pictures`: runs the demo and takes pictures of what people get to see of it, as they see it.

Needs chromium and LibreOffice with a Chinese font (Debian: chromium libreoffice-calc-nogui fonts-noto-cjk).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pypdfium2
from PIL import Image, ImageChops

from mailbot.app import App
from mailbot.config import load
from mailbot.demo.run import run_demo
from mailbot.demo.samples import january
from mailbot.reports import Reports

HERE = Path(__file__).parent
MOST_OCTETS = 150_000
TALLEST = 6000
MOST_PIXELS = 1700
"""Height beyond which a long page is cut off."""
WIDE, PHONE, PAGE = 760, 390, 1100


def main() -> None:
    """Make every picture anew."""
    chromium = _program("chromium", "chromium-browser", "google-chrome")
    office = _program("soffice", "libreoffice")
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        demo = work / "demo"
        if run_demo(demo):
            sys.exit("the demo did not end as it should")
        browser = Browser(chromium, work / "profile")
        for name, page, width in _pages(demo, work):
            _keep(browser.picture(page, width), name)
        for name, workbook in _workbooks(demo):
            _keep(_first_page(office, workbook, work), name)


def _program(*names: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    sys.exit(f"{names[0]} is needed for the pictures")


def _pages(demo: Path, work: Path) -> Iterable[tuple[str, Path, int]]:
    """Name of the picture, page and width."""
    letters = demo / "letters"
    for kind in ("acknowledgement", "correction", "receipt"):
        page = _letter(letters, kind, ".html")
        yield kind, page, WIDE
        yield f"{kind}-phone", page, PHONE
    yield "digest", demo / "digest.html", WIDE
    yield "digest-phone", demo / "digest.html", PHONE
    with App.open(load(demo / "config.toml"), clock=lambda: january(15, 18, 5)) as app:
        index = Reports(app).report(work / "report")
        names = [record.name for record in app.organizations()]
        reminder = work / "reminder.html"
    with App.open(load(demo / "config.toml"), clock=lambda: january(14, 9, 0)) as app:
        reminder.write_text(next(letter.html for _, letter in app.reminder_letters()), encoding="utf-8")
    yield "reminder", reminder, WIDE
    yield "report", index, PAGE
    faulty = next(
        n for n, name in enumerate(names, 1) if name in _letter(letters, "correction", ".html").name
    )
    yield "report-organization", index.with_name(f"organization-{faulty:04d}.html"), PAGE


def _workbooks(demo: Path) -> Iterable[tuple[str, Path]]:
    yield "summary", next(demo.glob("*汇总表.xlsx"))
    yield "marked-form", _letter(demo / "letters", "correction", ".xlsx")


def _letter(letters: Path, kind: str, suffix: str) -> Path:
    """The first letter of that kind whose form came back marked, or simply the first."""
    found = sorted(letters.glob(f"*-{kind}-*{suffix}"))
    marked = [path for path in found if path.with_suffix(".xlsx").exists() and "白屋" in path.name]
    return (marked or found)[0]


class Browser:
    """A headless Chromium with a profile of its own."""

    def __init__(self, program: str, profile: Path) -> None:
        self._program = program
        self._profile = profile

    def picture(self, page: Path, width: int) -> Image.Image:
        """The page at that width (no window of Chromium's is narrower than 500, so it stands in a frame)."""
        frame = self._profile.with_name("frame.html")
        frame.write_text(
            f'<body style="margin:0"><iframe src="{page.as_uri()}" style="border:0;width:{width}px;'
            f'height:{TALLEST}px" scrolling="no"></iframe>',
            encoding="utf-8",
        )
        target = self._profile.with_name("picture.png")
        subprocess.run(
            [
                self._program,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--user-data-dir={self._profile}",
                f"--window-size={max(width, 500)},{TALLEST}",
                f"--screenshot={target}",
                frame.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        with Image.open(target) as taken:
            return _trimmed(taken.convert("RGB").crop((0, 0, width, TALLEST)))


def _trimmed(picture: Image.Image) -> Image.Image:
    """Without the empty rest below."""
    background = Image.new("RGB", picture.size, picture.getpixel((2, picture.height - 2)))
    box = ImageChops.difference(picture, background).getbbox()
    bottom = min((box[3] if box else picture.height) + 12, picture.height, MOST_PIXELS)
    return picture.crop((0, 0, picture.width, bottom))


def _first_page(office: str, workbook: Path, work: Path) -> Image.Image:
    """The first page as it comes out of a printer."""
    copy = work / "workbook.xlsx"
    shutil.copyfile(workbook, copy)
    subprocess.run(
        [office, "--headless", f"-env:UserInstallation={(work / 'office').as_uri()}",
         "--convert-to", "pdf", "--outdir", str(work), str(copy)],
        check=True,
        capture_output=True,
        timeout=180,
    )  # fmt: skip
    document = pypdfium2.PdfDocument(work / "workbook.pdf")
    try:
        return document[0].render(scale=1.6).to_pil().convert("RGB")
    finally:
        document.close()


def _keep(picture: Image.Image, name: str) -> None:
    """Write it as a small PNG: fewer colours, and only then fewer points."""
    target = HERE / f"{name}.png"
    for colours in (256, 128, 64, 32):
        picture.quantize(colours, dither=Image.Dither.NONE).save(target, optimize=True)
        if target.stat().st_size <= MOST_OCTETS:
            break
    else:
        picture.resize((picture.width * 2 // 3, picture.height * 2 // 3), Image.Resampling.LANCZOS).quantize(
            64, dither=Image.Dither.NONE
        ).save(target, optimize=True)
    print(f"{target}  {picture.width}x{picture.height}  {target.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()

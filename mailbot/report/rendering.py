"""Templates to mail: ours, or the office's in their place; the HTML with its styles written into the elements."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateSyntaxError,
    select_autoescape,
)


class _OfficeLoader(FileSystemLoader):
    """The office's files, without the mark that Windows' editors put at their head. An empty one would send an empty
    mail; only a part (`_paper.txt`) is left out so."""

    def __init__(self, templates: Path) -> None:
        super().__init__(templates, encoding="utf-8-sig")

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """The file's text. Raises TemplateSyntaxError where there is none in it."""
        text, file, is_current = super().get_source(environment, template)
        if not text.strip() and not template.startswith("_"):
            raise TemplateSyntaxError("the file is empty", 1, template, file)
        return text, file, is_current


@lru_cache(maxsize=4)
def environment(templates: Path | None) -> Environment:
    """The templates; files in `templates` go before our own. HTML is escaped, and an unknown name is an error."""
    own = PackageLoader("mailbot", "templates")
    return Environment(
        loader=ChoiceLoader([_OfficeLoader(templates), own]) if templates else own,
        autoescape=select_autoescape(enabled_extensions=("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=templates is not None,
    )


def template_fault(error: Exception) -> str:
    """What is wrong with a template, with its file and line."""
    if isinstance(error, TemplateSyntaxError):
        return f"{type(error).__name__}: {error.message} ({error.filename or error.name}:{error.lineno})"
    said = f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    place = next((f for f in reversed(frames) if f.filename.endswith((".txt", ".html"))), None)
    return f"{said} ({place.filename}:{place.lineno})" if place else said


def tidy(text: str) -> str:
    """No trailing blanks and never two empty lines together: parts of a template that say nothing leave no gap."""
    lines: list[str] = []
    for line in (line.rstrip() for line in text.strip().splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"


def inlined(html: str) -> str:
    """The HTML with its style sheet written into the elements, as mail clients want it; nothing is fetched."""
    import css_inline

    inliner = css_inline.CSSInliner(
        load_remote_stylesheets=False, keep_style_tags=False, keep_link_tags=False
    )
    return inliner.inline(html)

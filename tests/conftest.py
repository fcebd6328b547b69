"""Shared by all tests: real components are looked for once, and are owed where everything is required."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

from mailbot.documents.archives import reads_packed

ROOT = Path(__file__).resolve().parent.parent


def lacking(reason: str) -> NoReturn:
    """Skips the test, or fails it where all components are required."""
    if os.environ.get("MAILBOT_TESTS_REQUIRE_ALL"):
        pytest.fail(reason)
    pytest.skip(reason)


def require(program: str, *also: Path) -> str:
    """The path of a real program; skips the test where it is not installed, and fails where all are required."""
    found = shutil.which(program) or next((str(path) for path in also if path.exists()), None)
    if found is None:
        lacking(f"{program} is not installed")
    return found


def require_chinese_font() -> None:
    """PDF files of the tests name a Chinese font and do not hold it, as many do."""
    fonts = Path("/usr/share/fonts")
    if not any(any(fonts.glob(f"**/{name}")) for name in ("wqy-zenhei.ttc", "NotoSansCJK*", "NotoSerifCJK*")):
        lacking("no Chinese font is installed")


def lacks_libarchive() -> bool:
    """Whether tests with the shared library are to be skipped; never where all components are required."""
    return not reads_packed() and not os.environ.get("MAILBOT_TESTS_REQUIRE_ALL")


def require_extra_ocr() -> None:
    """Skips the test where the extra `ocr` is not installed, and fails where all are required."""
    if not all(map(find_spec, ("rapidocr", "onnxruntime", "cv2"))):
        lacking("the extra ocr is not installed")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Octets are no name: archives hold the time of their making, and differ from worker to worker."""
    return argname if isinstance(val, bytes) else None

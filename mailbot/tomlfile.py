"""TOML files that an operator writes: read, and every fault told with its file, key and reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date, time
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from mailbot.errors import ConfigError, ConfigurationError

_PLAIN = {
    "tuple_type": 'a list in brackets is wanted, as ["first", "second"]',
    "model_type": "a section is wanted",
    "model_attributes_type": "a section is wanted",
    "dict_type": "a section is wanted",
    "path_type": "the path of a file is wanted, in quotation marks",
    "string_type": "a text in quotation marks is wanted",
    "string_too_short": "must not be empty",
    "int_type": "a whole number without quotation marks is wanted",
    "int_from_float": "a whole number is wanted",
    "float_type": "a number without quotation marks is wanted",
    "time_parsing": 'a time of day is wanted, as "08:30"',
    "datetime_parsing": "a time with its offset is wanted, as 2021-01-15T17:30:00+08:00",
    "datetime_from_date_parsing": "a time with its offset is wanted, as 2021-01-15T17:30:00+08:00",
    "bool_type": "true or false is wanted, without quotation marks",
}
"""What pydantic finds, in an operator's words."""
_SECRETS = ("password", "passwd", "secret", "authorization_code")


def read_toml(path: Path) -> dict[str, Any]:
    """The file's values. Raises ConfigurationError where it cannot be read or is no TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError([ConfigError(str(path), "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([ConfigError(str(path), "", "is not written in UTF-8")]) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError([ConfigError(str(path), "", f"is no TOML: {error}")]) from error


def keys_of_secrets(values: object, at: str = "") -> Iterator[str]:
    """The keys below which a password was written into the file."""
    items = (
        values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    )
    for key, value in items:
        here = f"{at}[{key}]" if isinstance(key, int) else f"{at}.{key}".lstrip(".")
        if str(key).lower() in _SECRETS:
            yield here
        yield from keys_of_secrets(value, here)


def fault_lines(path: Path, error: ValidationError, model: type[BaseModel]) -> Iterator[ConfigError]:
    """Each fault that pydantic found in a file of that model, with its key and in plain words."""
    for fault in error.errors():
        location = fault["loc"]
        if fault["type"] == "extra_forbidden":
            if str(location[-1]).lower() in _SECRETS:
                continue
            reason = f"there is no such key{_did_you_mean(location, model)}"
        elif fault["type"] == "missing":
            reason = "is missing"
        elif fault["type"] == "value_error":
            reason = str(fault["ctx"]["error"])
        elif fault["type"] == "tuple_type" and isinstance(fault["input"], dict):
            reason = f"there may be several: two brackets are wanted, [[{_key(location)}]]"
        else:
            reason = _PLAIN.get(fault["type"], fault["msg"]) + _what_stood_there(fault["input"])
        yield ConfigError(str(path), _key(location), reason)


def _what_stood_there(value: object) -> str:
    """A single value; never a whole section, which may hold a secret."""
    if isinstance(value, str):
        return f", found {value[:80]!r}"
    return f", found {value}" if isinstance(value, int | float | date | time) else ""


def _key(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _did_you_mean(location: tuple[int | str, ...], model: type[BaseModel]) -> str:
    for part in location[:-1]:
        if isinstance(part, str):
            model = _section(model, part)
    known = [field.alias or name for name, field in model.model_fields.items() if name != "file"]
    close = get_close_matches(str(location[-1]), known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _section(model: type[BaseModel], key: str) -> type[BaseModel]:
    """The model of one section, or of the rows of one list."""
    field = next(f for name, f in model.model_fields.items() if key in (name, f.alias))
    found = [t for t in _types_in(field.annotation) if isinstance(t, type) and issubclass(t, BaseModel)]
    return found[0] if found else model


def _types_in(annotation: object) -> Iterator[object]:
    yield annotation
    for part in get_args(annotation):
        yield from _types_in(part)

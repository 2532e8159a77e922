"""YAML files that people write: how they are read, and what is wrong in them, told by its key."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from saakh.errors import ConfigError, EmptyInputError, MissingInputError, UnreadableInputError

_WORDS = {
    "tuple_type": "must be a list",
    **dict.fromkeys(("dict_type", "model_type", "mapping_type"), "must hold keys and values"),
    "string_type": "must be text",
    "missing": "is missing",
    "finite_number": "must be a finite number",
}


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file's top-level keys; missing, unreadable and empty files are errors of their own kind."""
    if not path.is_file():
        raise MissingInputError(
            f"no file at {path}; name one that is there (README.md, 'Your own data', says how to begin)"
        )
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", at line {mark.line + 1}" if mark else ""
        raise UnreadableInputError(f"{path} is not readable YAML: {str(error).splitlines()[0]}{line}") from None
    if content is None:
        raise EmptyInputError(f"{path} is empty")
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold keys and values at the top level")
    return content


def problems(error: ValidationError) -> str:
    """The faults of a configuration in one line each: key, what was wrong, what is allowed."""
    said = [(".".join(map(str, fault["loc"])) or "(top level)", fault) for fault in faults(error)]
    return "; ".join(
        f"unknown key '{where}'" if fault["type"] == "extra_forbidden" else f"'{where}': {wrong(fault)}"
        for where, fault in said
    )


def faults(error: ValidationError) -> list[Any]:
    """The faults pydantic found, without a list's complaint of being short when that follows from a faulty item."""
    found = error.errors(include_url=False)
    return [f for f in found if not (f["type"] == "too_short" and any(_within(other, f) for other in found))]


def wrong(fault: Any) -> str:
    """What is wrong, in words of YAML."""
    said: str = _WORDS.get(fault["type"], fault["msg"])
    return said.removeprefix("Value error, ")


def _within(fault: Any, whole: Any) -> bool:
    return fault is not whole and fault["loc"][: len(whole["loc"])] == whole["loc"]

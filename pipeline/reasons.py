"""The words of reason codes, one file a language in `data/reasons`, checked for being whole before any is used."""

from pathlib import Path

from features.reasons import CODES
from pipeline.yamls import read_yaml
from saakh.errors import ConfigError

FOLDER = Path(__file__).parents[1] / "data" / "reasons"
Texts = dict[str, dict[str, str]]
"""By language, the text of each code."""


def read_reasons() -> Texts:
    """All languages there are; a `ConfigError` names the code that a file lacks, repeats the words of, or invents."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.yaml"))}


def _read(path: Path) -> dict[str, str]:
    said = {str(code): str(text or "").strip() for code, text in read_yaml(path).items()}
    if other := sorted(set(said) ^ set(CODES)):
        raise ConfigError(f"{path} must have a text for each code of features/reasons.py, and no other: {other[0]}")
    if unsaid := [code for code, text in said.items() if not text]:
        raise ConfigError(f"{path}: {unsaid[0]} has no text")
    if len(set(said.values())) < len(said):
        raise ConfigError(f"{path}: two codes have the same text")
    return said

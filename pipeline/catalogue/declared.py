"""What is declared about a feature and what follows from it, each under one word."""

import inspect
from dataclasses import dataclass
from pathlib import Path

from features.catalogue import MODULES
from features.columns import Sensitivity
from features.declare import Feature, Risk
from features.reasons import CODES
from features.sources import Cells, Rows, Source
from pipeline.catalogue.worked import ROOT
from pipeline.pages import words
from saakh.errors import DeclarationError

RISK = {Risk.FALLS: "falls", Risk.UNKNOWN: "-", Risk.RISES: "rises"}
DIRECTIONS = {
    Risk.FALLS: "falls as it grows",
    Risk.UNKNOWN: "no direction declared",
    Risk.RISES: "rises as it grows",
}
UNFINISHED = "TODO"


@dataclass(frozen=True)
class Definition:
    """Where a feature is declared and how it reads there."""

    path: Path
    line: int
    text: str


def facts(feature: Feature) -> dict[str, str]:
    """What is declared and derived about a feature, by name."""
    _, low, high = feature.unit.value
    return {
        "measures": feature.description,
        "family": feature.family,
        "table": f"{feature.table.name} ({feature.table.grain})",
        "measured on": measured_on(feature.source),
        "consent": feature.table.category.value,
        "sensitivity": feature.sensitivity.value,
        "reads": ", ".join(feature.lineage) or "the rows alone",
        "unit": feature.unit.value[0],
        "possible": f"{'-∞' if low is None else f'{low:g}'} to {'∞' if high is None else f'{high:g}'}",
        "windows": windows(feature),
        "columns": ", ".join(feature.columns),
        "risk": DIRECTIONS[feature.risk],
        "reason": feature.reason,
        "declared in": f"{definition(feature).path}:{definition(feature).line}",
        "fingerprint": feature.specs()[0].fingerprint[:16],
    }


def measured_on(source: Source) -> str:
    """The source of a feature in words."""
    if isinstance(source, Cells):
        beside = ", ranked" if source.ranked else ""
        beside += f", beside those {' and '.join(map(str, source.apart))} days older" if source.apart else ""
        return f"one row per {' and '.join(source.keys)} of {_rows(source.rows)}{beside}"
    return _rows(source)


def _rows(rows: Source) -> str:
    if not isinstance(rows, Rows):
        return f"rows of {rows.name}"
    if not rows.by:
        return f"{words(rows.name.removeprefix(f'{rows.table.name}_'))} rows of {rows.table.name}"
    same = "" if rows.by == "person_id" else f" of the same {rows.by}"
    some = "rows" if rows.where is None else "some rows"
    return f"{some} of {rows.table.name}, each with the ones before and after{same}"


def windows(feature: Feature) -> str:
    """The windows of a feature in words, with how they are cut."""
    days = ", ".join(map(str, feature.windows))
    return f"{days} days{_cuts(feature)}" if days else f"all consented history{_cuts(feature)}"


def _cuts(feature: Feature) -> str:
    words = [f"{axis.value[2]} and {axis.value[1]}" for axis in feature.splits]
    return f"; also by {', and by '.join(words)}" if words else ""


def definition(feature: Feature) -> Definition:
    """The declaration as it is written."""
    body = next(vars(module)[feature.name] for module in MODULES[feature.family] if feature.name in vars(module))
    lines, first = inspect.getsourcelines(body)
    path = Path(inspect.getsourcefile(body) or "").resolve()
    return Definition(path.relative_to(ROOT), first, "".join(lines).rstrip())


def refuse_unfinished(known: tuple[Feature, ...]) -> None:
    """A feature that still says TODO is no part of a catalogue."""
    for feature in known:
        if UNFINISHED in feature.description or UNFINISHED in feature.reason:
            at = definition(feature)
            raise DeclarationError(
                f"feature '{feature.name}' is unfinished: what it measures or its reason says {UNFINISHED}; "
                f"finish it in {at.path}, line {at.line}"
            )
        if feature.code not in CODES:
            raise DeclarationError(
                f"feature '{feature.name}' has no reason code; name it or its module in features/reasons.py"
            )


def sensitivity_mark(feature: Feature) -> str:
    """What is said before a description when a feature is more than ordinary."""
    return "" if feature.sensitivity is Sensitivity.ORDINARY else feature.sensitivity.value.replace("_", " ")

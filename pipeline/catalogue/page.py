"""The catalogue as one page to search: what is declared of each feature, how it is computed, what a run measured."""

from collections.abc import Sequence
from typing import Any

from features.catalogue import all_features, fingerprint, specs_of
from features.columns import Table
from features.declare import Feature
from pipeline.catalogue.declared import (
    DIRECTIONS,
    RISK,
    definition,
    measured_on,
    refuse_unfinished,
    sensitivity_mark,
    windows,
)
from pipeline.catalogue.measured import Distribution, Measured
from pipeline.catalogue.sql import shortest
from pipeline.catalogue.worked import FULL, Example, worked
from pipeline.pages import render, words
from pipeline.reidentify.suppress import withheld
from pipeline.summary import Tell, quiet
from saakh.spec import FAMILIES

BAR_WIDTH, BAR_HEIGHT = 5, 24
STATUSES = ("present", "silent", "closed")
Shown = dict[str, Any]


def page(run: Measured | None = None, known: Sequence[Feature] | None = None, tell: Tell = quiet) -> str:
    """The page, of all features unless some are given; without a run it has no distributions, and says so.

    `tell` hears of each feature: writing the SQL of all takes half a minute.
    """
    chosen = all_features() if known is None else tuple(known)
    refuse_unfinished(chosen)
    specs = specs_of(chosen)
    return render(
        "catalogue.html.j2",
        beside="catalogue",
        run=run,
        features=len(chosen),
        columns=len(specs),
        fingerprint=fingerprint(specs),
        families=_families(chosen, run, tell),
        sources=[_source(table, chosen, run) for table in dict.fromkeys(f.table for f in chosen)],
        choices=_choices(chosen),
        bar_height=BAR_HEIGHT,
    )


def _families(chosen: Sequence[Feature], run: Measured | None, tell: Tell) -> list[Shown]:
    """Families, in them the tables they are measured on, in them the features."""
    examples, told = worked(), {}
    for done, feature in enumerate(chosen):
        tell(feature.name, done, len(chosen))
        told[feature.name] = _feature(feature, examples.get(feature.name, []), run)
    shown = []
    for family in FAMILIES:
        members = [f for f in chosen if f.family == family]
        tables = dict.fromkeys(f.table for f in members)
        groups = [(table, [told[f.name] for f in members if f.table == table]) for table in tables]
        shown.append({"name": family, "groups": groups})
    return [family for family in shown if family["groups"]]


def _choices(chosen: Sequence[Feature]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """What can be filtered by: the attribute, what it is called, its values and what they are called."""
    found: dict[tuple[str, str], list[str]] = {
        ("family", "Family"): [f.family for f in chosen],
        ("table", "Table"): [f.table.name for f in chosen],
        ("consent", "Consent"): [f.table.category.value for f in chosen],
        ("unit", "Unit"): [f.unit.value[0] for f in chosen],
        ("risk", "Risk"): [RISK[f.risk] for f in chosen],
        ("sensitivity", "Sensitivity"): [f.sensitivity.value for f in chosen],
    }
    called = {"-": "no direction"}
    listed = {key: [(v, called.get(v, words(v))) for v in dict.fromkeys(values)] for key, values in found.items()}
    return [(*key, values) for key, values in listed.items() if len(values) > 1]


def _source(table: Table, chosen: Sequence[Feature], run: Measured | None) -> Shown:
    """A table of data: what a row is, what is measured on it, and how many applications it covers."""
    members = [f for f in chosen if f.table == table]
    counts = dict(run.coverage.get(table.name, {})) if run else {}
    total, parts, start = sum(counts.get(status, 0) for status in STATUSES), [], 0.0
    hidden = withheld({**counts, "all": sum(counts.values())}, [("all", tuple(counts))])
    for status in STATUSES if total else ():
        share = counts[status] / total
        parts.append({"status": status, "shown": status not in hidden, "share": share, "start": start})
        start += share
    return {"table": table, "features": len(members), "columns": len(specs_of(members)), "parts": parts}


def _feature(feature: Feature, examples: Sequence[Example], run: Measured | None) -> Shown:
    """All the page tells of one feature."""
    mark = sensitivity_mark(feature)
    shown: Shown = {
        "feature": feature,
        "mark": mark,
        "risk": RISK[feature.risk],
        "direction": DIRECTIONS[feature.risk],
        "windows": windows(feature),
        "measured_on": measured_on(feature.source),
        "definition": definition(feature),
        "fingerprint": feature.specs()[0].fingerprint[:16],
        "examples": [_example(one) for one in examples],
        "sql": shortest(feature),
        "table": _columns(feature, run),
        "first": _first(feature, run),
    }
    said = (feature.description, feature.reason, feature.family, feature.table.name, feature.table.category, mark)
    return shown | {"words": " ".join([feature.name, *said, *feature.lineage]).lower()}


def _columns(feature: Feature, run: Measured | None) -> list[tuple[str, str, list[tuple[str, Shown | None]]]]:
    """The feature's columns as rows of one part of the week or day each, in them a cell for each window."""
    rows: dict[str, list[tuple[str, Shown | None]]] = {}
    for column, cut in feature.columns.items():
        rows.setdefault(" ".join(cut.words), []).append((column, _drawn(column, run)))
    return [(part or "all", _pattern(feature, part), cells) for part, cells in rows.items()]


def _pattern(feature: Feature, part: str) -> str:
    """The names of a row's columns, as in `call_count_weekend_{7,30}d`."""
    name = "_".join([feature.name, *part.split()])
    days = ",".join(map(str, feature.windows))
    many = f"{name}_{{{days}}}d" if days else name
    return f"{name}_{days}d" if len(feature.windows) == 1 else many


def _first(feature: Feature, run: Measured | None) -> Shown | None:
    """The distribution that stands for the feature in a line: 30 days when there are, else its first column."""
    whole = [column for column, cut in feature.columns.items() if not cut.parts]
    return _drawn(next((column for column in whole if column.endswith("_30d")), whole[0]), run)


def _drawn(column: str, run: Measured | None) -> Shown | None:
    found = run.columns.get(column) if run else None
    return None if found is None else {"told": found, "path": _path(found), "width": BAR_WIDTH * len(found.bars)}


def _path(found: Distribution) -> str:
    """The bars as one SVG path: up from the base line, across, and down again."""
    drawn = []
    for number, height in enumerate(found.bars):
        tall = round(height * BAR_HEIGHT, 1)
        if tall:
            drawn.append(f"M{number * BAR_WIDTH} {BAR_HEIGHT}v-{max(tall, 0.5):g}h{BAR_WIDTH - 1}v{max(tall, 0.5):g}")
    return "".join(drawn)


def _example(one: Example) -> Shown:
    """A worked example: the events drawn, and each value with its working."""
    head, *rows = [_cells(line) for line in one.table.splitlines()] or [[]]
    start, end = one.consent or (None, None)
    bounds = [f"{word} {at:%Y-%m-%d %H:%M}" for word, at in (("from", start), ("to", end)) if at]
    consent = "refused" if one.consent is None else " ".join(bounds)
    return {
        "title": one.title,
        "snapshot": f"{one.snapshot:%Y-%m-%d %H:%M}",
        "consent": "" if one.consent == FULL else consent,
        "head": head,
        "rows": rows,
        "values": [(column, written, one.working[column]) for column, written in one.values.items()],
    }


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]

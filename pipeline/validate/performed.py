"""Sections on how the model performs: ranking, rank order, calibration, vintages, and where it is thin."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pipeline.explain.charts import axis
from pipeline.explain.counts import DOOR, Counts
from pipeline.explain.report import MEASURES, risk_groups
from pipeline.pages import SMALLEST_CELL, month, number, percent
from pipeline.reidentify.suppress import WITHHELD
from pipeline.validate.document import (
    Cell,
    Drawn,
    Figure,
    Finding,
    Mark,
    Section,
    Table,
    estimate,
    excludes,
    mark,
    plain,
    sentence,
    span,
    told,
)
from pipeline.validate.record import Found, Record

SIDES = (("out_of_time", "Out of time"), (DOOR, "All comers"), ("out_of_fold", "Out of fold"))
COUNTED_AS = {"out_of_time": "out_of_time", DOOR: DOOR, "out_of_fold": "development"}
CHANCE = 0.5
RANKING = ("auc", "gini", "ks", "h_measure", "profit")
SAID_OF_SIDES = (
    "Out of time: later applications by new people. All comers: these, and later ones by people trained on. Out of "
    "fold: applications trained on, each scored by a model that had not seen it. Beside each figure its interval."
)


def discrimination(record: Record, counts: Counts) -> Section:
    """How well the score ranks, in time and out of time."""
    metrics = record.stage("evaluate")
    table = Table("measures", SAID_OF_SIDES, _headings("Measure"), (*_loans(counts), *_measures(metrics, RANKING)))
    return Section("discrimination", "Discrimination", "Evaluate", (table,), tuple(_ranks_badly(metrics)))


def _headings(first: str) -> tuple[str, ...]:
    return (first, *(f"{name}#" for _, name in SIDES))


def _loans(counts: Counts) -> Iterator[tuple[Cell, ...]]:
    yield ("Loans", *(told(counts, COUNTED_AS[part]) for part, _ in SIDES))


def _measures(metrics: Found, keys: Sequence[str]) -> Iterator[tuple[Cell, ...]]:
    for key, name, digits, _ in MEASURES:
        if key in keys:
            yield (name, *(estimate(metrics[part][key], digits) for part, _ in SIDES))


def _ranks_badly(metrics: Found) -> Iterator[Finding]:
    later, earlier = metrics["out_of_time"]["auc"], metrics["out_of_fold"]["auc"]
    yield from (Finding("medium", sentence(text)) for text in metrics["warnings"])
    if later["value"] is None or (later["low"] is not None and later["low"] <= CHANCE):
        yield Finding("high", "Out of time, the ranking may be no better than chance: the AUC's interval reaches 0.5")
    if None not in (later["high"], earlier["low"]) and later["high"] < earlier["low"]:
        yield Finding("medium", "Out of time, the AUC is lower than out of fold, beyond chance")


def rank_order(record: Record, counts: Counts) -> Section:
    """Whether riskier groups went bad more often."""
    metrics = record.stage("evaluate")
    found = _risk_groups(metrics, "out_of_time", counts)
    rows = tuple(_risk_group(row) for row in found["groups"])
    marks = tuple(Mark(row["observed"], tick=row["expected"]) if row["shown"] else None for row in found["groups"])
    names = ("Group", "Loans#", "Observed#", "Predicted#", "Bad loans caught so far#")
    caption = "Out of time, groups of about equal size, riskiest first. Bar: observed bad rate; tick: predicted"
    table = Table("rank-order", caption, names, rows, Drawn("bar", found["axis"], marks))
    broken = [str(row["decile"]) for row in metrics["out_of_time"]["by_decile"] if not row["in_order"]]
    said = f"Groups {', '.join(broken)} went bad more often than the riskier group before them"
    return Section("rank-order", "Rank order", "Evaluate", (table,), (Finding("low", said),) if broken else ())


def _risk_groups(metrics: Found, part: str, counts: Counts) -> dict[str, Any]:
    """The risk groups of a part as the explanation report shows them; a figure that is not there is named."""
    for row in metrics[part].some("by_decile"):
        row.need("observed", "expected", "bads")
    return risk_groups(metrics, part, counts)


def _risk_group(row: dict[str, Any]) -> tuple[Cell, ...]:
    name = f"{row['decile']}"
    if not row["shown"]:
        return name, str(row["told"]), WITHHELD, WITHHELD, WITHHELD
    return (
        name,
        str(row["told"]),
        *(Figure(percent(row[key], 1), row[key]) for key in ("observed", "expected", "caught")),
    )


def calibration(record: Record, counts: Counts) -> Section:
    """Whether as many loans go bad as are predicted: overall, by risk group and by band of the score."""
    metrics = record.stage("evaluate")
    level = tuple(_measures(metrics, ("observed_expected", "calibration_slope", "brier", "log_loss")))
    found = _risk_groups(metrics, DOOR, counts)
    groups = tuple(_risk_group(row)[:4] for row in found["groups"])
    marks = tuple(
        Mark(row["observed"], row["low"], row["high"], row["expected"]) if row["shown"] else None
        for row in found["groups"]
    )
    names = ("Group", "Loans#", "Observed#", "Predicted#")
    caption = "All comers, riskiest first. Dot: observed bad rate with its interval; tick: predicted"
    blocks = (
        Table("level", SAID_OF_SIDES, _headings("Measure"), level),
        Table("calibrated", caption, names, groups, Drawn("dot", found["axis"], marks)),
        by_band(record, counts),
    )
    return Section("calibration", "Calibration", "Evaluate", blocks, tuple(_miscalibrated(metrics, record)))


def _miscalibrated(metrics: Found, record: Record) -> Iterator[Finding]:
    ratio, slope = metrics[DOOR]["observed_expected"], metrics[DOOR]["calibration_slope"]
    limit = record.params.monitor.act_ratio
    if ratio["low"] is not None and ratio["low"] > 1:
        grave = ratio["value"] >= limit
        yield Finding("high" if grave else "medium", "More loans of all comers went bad than predicted, beyond chance")
    if ratio["high"] is not None and ratio["high"] < 1:
        yield Finding("medium", "Fewer loans of all comers went bad than predicted, beyond chance")
    if slope["high"] is not None and slope["high"] < 1:
        yield Finding("medium", "The score is too sure of itself: its calibration slope is below 1, beyond chance")


def by_band(record: Record, counts: Counts) -> Table:
    """Observed and predicted by band; bands of a few have no rates."""
    rows, marks = [], []
    for row in record.bands:
        shown = row.rows >= SMALLEST_CELL
        points = "below" if row.from_points is None else number(row.from_points, 0)
        rates: list[Cell] = [Figure(percent(v), v) if shown else WITHHELD for v in (row.observed, row.expected)]
        rows.append((row.name, points, told(counts, f"{DOOR} {row.name}"), *(rates if row.rows else ["–", "–"])))
        marks.append(Mark(row.observed, tick=row.expected) if shown else None)
    scale = axis([v for m in marks if m for v in (m.value, m.tick) if v is not None], 5, through=0.0)
    caption = "All comers by band of the score. Bar: observed bad rate; tick: predicted"
    names = ("Band", "From points#", "Loans#", "Observed#", "Predicted#")
    return Table("bands", caption, names, tuple(rows), Drawn("bar", scale, tuple(marks)))


def vintages(record: Record, counts: Counts) -> Section:
    """Bad loans against expected, month by month of application."""
    metrics = record.stage("evaluate")
    rows: list[tuple[Cell, ...]] = []
    marks, beyond = [], []
    for part, said in (("out_of_fold", "out of fold"), (DOOR, "all comers")):
        for row in metrics[part].some("by_vintage"):
            shown, ratio = row["rows"] >= SMALLEST_CELL, estimate(row["observed_expected"], 2)
            rates = (*(plain(row, key, 1, share=True) for key in ("observed", "expected")), ratio)
            loans = told(counts, f"{part} {row['month']}")
            rows.append((month(row["month"]), said, loans, *(rates if shown else (WITHHELD,) * 3)))
            marks.append(mark(row["observed_expected"]) if shown else None)
            if shown and excludes(ratio, 1):
                beyond.append(month(row["month"]))
    drawn = Drawn("dot", span(marks, 1.0), tuple(marks), reference=1.0)
    names = ("Month", "Part", "Loans#", "Observed#", "Expected#", "Observed / expected#")
    table = Table("vintages", "By month of application. The upright line is 1", names, tuple(rows), drawn)
    text = f"Not as many loans went bad as expected, beyond chance for a single month: {', '.join(beyond)}"
    return Section("vintages", "Vintages", "Evaluate", (table,), (Finding("low", text),) if beyond else ())


def sensitivity(record: Record, counts: Counts) -> Section:
    """Where evidence is thin, and where categories were refused."""
    metrics = record.stage("evaluate")
    tables = [_slice(metrics, counts, *slice_) for slice_ in SLICES]
    weak = tuple(
        Finding("low", f"{sentence(str(row[0]))}: the ranking may be no better than chance ({row[2].note})")
        for table in tables
        for row in table.rows
        if isinstance(row[2], Figure) and row[2].low is not None and row[2].low <= CHANCE
    )
    return Section("sensitivity", "Sensitivity to thin data and refusals", "Evaluate", tuple(tables), weak)


def _slice(metrics: Found, counts: Counts, kind: str, key: str, name: str, say: Callable[..., str]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    marks = []
    for row in metrics[DOOR].some(kind):
        shown = row["rows"] >= SMALLEST_CELL
        found = estimate(row["auc"]), estimate(row["observed_expected"], 2)
        rows.append((say(row[key]), told(counts, f"{DOOR} {row[key]}"), *(found if shown else (WITHHELD,) * 2)))
        marks.append(mark(row["auc"]) if shown else None)
    names = (name.capitalize(), "Loans#", "AUC#", "Observed / expected#")
    caption = f"All comers by {name}. Dot: AUC with its interval; the line is {CHANCE}"
    drawn = Drawn("dot", span(marks, CHANCE), tuple(marks), CHANCE)
    return Table(kind.removeprefix("by_"), caption, names, tuple(rows), drawn)


SLICES: tuple[tuple[str, str, str, Callable[..., str]], ...] = (
    ("by_tier", "tier", "days seen", str),
    ("by_refusal", "refused", "refusals", lambda refused: "refused a category" if refused else "refused nothing"),
)

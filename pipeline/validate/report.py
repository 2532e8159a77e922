"""The report as a whole: its sections in order, each named when it cannot be written, and whether it may be signed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from pipeline.explain.counts import DOOR, Counts, counted
from pipeline.pages import words
from pipeline.params import Params
from pipeline.summary import Tell, quiet
from pipeline.validate import audited, governed, made, moved, performed
from pipeline.validate.document import LEVELS, Figure, Finding, Section, Table, every_finding
from pipeline.validate.performed import SIDES
from pipeline.validate.record import IncompleteReportError, LackingError, Record

SECTIONS: tuple[Callable[[Record, Counts], Section], ...] = (
    *(made.purpose, made.data, made.label, made.variables, made.alternatives),
    *(performed.discrimination, performed.rank_order, performed.calibration, performed.vintages, performed.sensitivity),
    *(moved.stability, audited.leakage, governed.serving, governed.explanation),
    *(audited.fairness, audited.privacy, audited.minimality, audited.proxies, audited.policies),
    *(governed.monitoring, governed.limits, governed.changes, governed.sign_off),
)
"""What a validation report holds (US SR 26-2 of April 2026; Reserve Bank of India, draft of June 2026)."""
COUNTED_IN = {
    "by_decile": "rank_order",
    "by_vintage": "vintages",
    "by_tier": "sensitivity",
    "by_refusal": "sensitivity",
}
HEADLINE = (("AUC", 0), ("Gini", 0), ("KS", 0), ("Observed / expected", 1), ("Calibration slope", 1))
"""Rows of the tables of measures, each with the side it is read from: out of time, or all comers."""
T = TypeVar("T")
STAGES = ("ingest", "cohort", "label", "derive", "train", "evaluate")


@dataclass(frozen=True)
class Report:
    """A validation report of one run."""

    params: Params
    model_sha256: str
    is_final: bool
    sections: tuple[Section, ...]

    @property
    def headline(self) -> list[tuple[str, str, Figure]]:
        """The figures to see first: name, whose loans, figure."""
        rows = {row[0]: row for block in self._tables("discrimination", "calibration") for row in block.rows}
        found = [(name, SIDES[side][1], rows[name][side + 1]) for name, side in HEADLINE]
        return [(name, whose, cell) for name, whose, cell in found if isinstance(cell, Figure)]

    def _tables(self, *keys: str) -> Iterator[Table]:
        for section in self.sections:
            yield from (block for block in section.blocks if section.key in keys and isinstance(block, Table))

    @property
    def status(self) -> str:
        """Whether it may be signed."""
        return "final" if self.is_final else "draft"

    @property
    def findings(self) -> list[tuple[Section, Finding]]:
        """All findings, the gravest first."""
        return every_finding(self.sections)

    @property
    def holes(self) -> list[str]:
        """What is not complete, each with the section it is missing from."""
        return [f"{section.title}: {found.text}" for section, found in self.findings if found.level == "hole"]

    def as_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "scorecard": self.params.export.version,
            "as_of": self.params.as_of.isoformat(),
            "model_sha256": self.model_sha256,
            "status": self.status,
            "findings": {level: sum(f.level == level for _, f in self.findings) for level in LEVELS},
            "sections": [section.as_dict() for section in self.sections],
        }


def write_report(record: Record, *, final: bool = False, tell: Tell = quiet) -> Report:
    """Every section, out of the run's own files.

    Raises:
        IncompleteReportError: when a figure is not in its file, or a report that is to be final has a hole.
    """
    counts = _in_section("data", lambda: counts_of(record))
    sections = []
    for place, build in enumerate(SECTIONS):
        tell(words(build.__name__), place, len(SECTIONS))
        sections.append(_in_section(build.__name__, partial(build, record, counts)))
    report = Report(record.params, record.stage("train")["model_sha256"], final, tuple(sections))
    if final and report.holes:
        raise IncompleteReportError(
            f"the report cannot be final, for {len(report.holes)} parts are missing:\n- "
            + "\n- ".join(report.holes)
            + "\nRun what is missing, or leave out --final for a draft."
        )
    return report


def counts_of(record: Record) -> Counts:
    """The counts of applications that are shown, and which are withheld; those by band of the score among them."""
    record.refuse_other_models()
    stages: dict[str, Any] = {name: record.stage(name) for name in STAGES}
    bands = [{"band": row.name, "rows": row.rows} for row in record.bands]
    metrics = stages["evaluate"]
    return counted(stages | {"evaluate": {**metrics, DOOR: {**metrics[DOOR], "by_band": bands}}})


def _in_section(name: str, build: Callable[[], T]) -> T:
    try:
        return build()
    except LackingError as error:
        said = str(error)
    owner = next((COUNTED_IN[kind] for kind in COUNTED_IN if f".{kind}." in said and name == "data"), name)
    raise IncompleteReportError(f"the section on {words(owner)} cannot be written: {said}")

"""The papers of the pack in Markdown: model card and Annex IV outline, filled from the run's files and the report."""

from typing import Any

from pipeline.pages import text
from pipeline.validate.document import LEVELS, between
from pipeline.validate.governed import LIMITS, review_by
from pipeline.validate.record import Record
from pipeline.validate.report import STAGES, Report


def model_card(record: Record, report: Report) -> str:
    """A model card in the sections of Mitchell and others 2019, *Model Cards for Model Reporting*."""
    return text("model_card.md.j2", **_content(record, report))


def annex_iv(record: Record, report: Report) -> str:
    """An outline of the technical file of Regulation (EU) 2024/1689, Annex IV; the rest is left to write."""
    return text("annex_iv.md.j2", **_content(record, report))


def _content(record: Record, report: Report) -> dict[str, Any]:
    return {
        "params": record.params,
        "asked": record.params.validation,
        "report": report,
        "levels": LEVELS,
        "limits": (*LIMITS, *record.params.validation.limits),
        "between": between,
        "review_by": review_by(record.params),
        "specs": record.file("derive", "specs.json"),
        "families": record.importance["families"],
        "section_of": {section.key: place for place, section in enumerate(report.sections, 1)},
        **{name: record.stage(name) for name in (*STAGES, "check", "selfcheck")},
    }

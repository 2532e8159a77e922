"""Validate: the report a risk team signs, out of the run's own files: page, PDF and JSON, each saying the same."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from pipeline import audit
from pipeline.params import Params
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.validate.document import LEVELS
from pipeline.validate.page import page
from pipeline.validate.pdf import pdf
from pipeline.validate.record import Record
from pipeline.validate.report import Report, write_report
from pipeline.workspace import Workspace, whole_folder

FOLDER = "validate"
JSON, PAGE, PDF = "validation.json", "validation.html", "validation.pdf"


def run(params: Params, ws: Workspace, tell: Tell = quiet, *, final: bool = False) -> Summary:
    """Write the report into `validate/`; one that is to be final is refused as long as anything is missing."""
    audit.ready(params, ws)
    with timed(FOLDER) as summary:
        report = write_report(Record(params, ws), final=final, tell=tell)
        with whole_folder(ws.root / FOLDER) as folder:
            write(report, folder)
        sum_up(summary, report, ws.root / FOLDER / PAGE)
    audit.record(params, ws, replace(summary, facts={}))
    return summary


def write(report: Report, folder: Path) -> None:
    """Write page, PDF and JSON into a folder; the first two name the digest of the third."""
    body = (json.dumps(report.as_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
    digest = hashlib.sha256(body).hexdigest()
    (folder / JSON).write_bytes(body)
    (folder / PAGE).write_text(page(report, digest), encoding="utf-8")
    (folder / PDF).write_bytes(pdf(report, digest))


def sum_up(summary: Summary, report: Report, written: Path) -> None:
    """What a command prints of a report: its status, its findings, and what is missing from it."""
    found = report.as_dict()["findings"]
    summary.counts = {
        f"{LEVELS[level].lower()} findings".replace("not complete findings", "holes"): n for level, n in found.items()
    }
    summary.facts = {"status": report.status, "page": str(written)}
    summary.facts |= {f"missing {place}": hole for place, hole in enumerate(report.holes, 1)}

"""Sections on how the model is governed: train = serve, explanation, monitoring, limits, changes, and who signs."""

import hashlib
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline import diff
from pipeline.explain.charts import axis
from pipeline.explain.counts import Counts
from pipeline.export import prove, read_inputs, read_refused, sample_rows
from pipeline.export.replay import TOLERANCE
from pipeline.monitor import FOLDER, KILL_SWITCH, REPORT
from pipeline.monitor.alarms import AREAS
from pipeline.monitor.page import AREA_NAMES
from pipeline.pages import day, percent, words
from pipeline.params import Params
from pipeline.validate.document import (
    Block,
    Cell,
    Drawn,
    Facts,
    Figure,
    Finding,
    Level,
    Mark,
    Section,
    Table,
    plain,
    words_of,
)
from pipeline.validate.made import NOT_NAMED, ROLES, unset
from pipeline.validate.record import Found, LackingError, Record
from pipeline.verify import replayed
from pipeline.workspace import digest, read_json
from saakh import archive, load
from saakh.scorecard import Scorecard

GRAVE: dict[str, Level] = {"calm": "low", "watch": "medium", "act": "high"}
SAID = {"calm": "calm", "watch": "to be watched", "act": "to be acted on"}
ACTS = {
    "act_psi": "in the PSI of the score",
    "act_points": "points in the mean score",
    "act_share": "of all applications in approvals",
    "act_gap": "of all applications in missing values",
    "act_ratio": "bad loans for each one expected",
}


def serving(record: Record, _: Counts) -> Section:
    """That the exported file scores as the trained model does, shown anew for this report."""
    path = record.need("export", f"scorecard-{record.params.export.version}.saakh")
    members = archive.read(path)
    card = Scorecard.from_members(members)
    if card.manifest.training["model_sha256"] != record.stage("train")["model_sha256"]:
        raise LackingError(f"{path} holds another model than train/model.txt; run `saakh export`")
    vectors = replayed(card, members).vectors
    derived = read_inputs(card, record.ws)
    chosen = sample_rows(derived, record.params.export.replay_rows)
    x = np.column_stack([column.to_numpy().astype(float) for column in derived.take(pa.array(chosen)).columns])
    proven = prove(card, members["model.txt"].decode(), x, read_refused(card, record.ws, chosen))
    facts: list[tuple[str, Cell]] = [
        ("Scorecard", path.name),
        ("Its manifest (SHA-256), which signing leaves as it is", hashlib.sha256(members["manifest.json"]).hexdigest()),
        ("Digests of its members", "as exported"),
        ("Golden vectors reproduced", Figure(f"{vectors:,}", vectors)),
        ("Applicants scored again", Figure(f"{proven.rows:,}", proven.rows)),
        (
            "Largest difference allowed",
            f"{TOLERANCE:g} in log-odds, in contributions and in their sum, against LightGBM",
        ),
    ]
    return Section("serving", "Train = serve", "Export · Verify", (Facts(tuple(facts)),))


def explanation(record: Record, _: Counts) -> Section:
    """What drives the score, and why its reasons are true to it."""
    found = record.importance
    families = tuple(
        (
            words(row["name"]),
            plain(row, "features", 0),
            plain(row, "mean_abs_points", 1),
            plain(row, "share", 0, share=True),
        )
        for row in found.some("families")
    )
    most = max(row["mean_abs_points"] for row in found["families"])
    marks = tuple(Mark(row["mean_abs_points"]) for row in found["families"])
    caption = "Mean absolute contribution in points by family. Bar: points"
    names = ("Family", "Inputs#", "Points#", "Share#")
    table = Table("families", caption, names, families, Drawn("bar", axis([most], 5, through=0.0), marks))
    return Section("explanation", "Explanation and reasons", "Explain", (EXPLAINED, table))


EXPLAINED = (
    "Contributions are exact Shapley values; for every application they were checked to add up to the model's log-odds "
    f"and against the shap library, within {TOLERANCE:g}. A reason is the largest contribution that lowers the score, "
    "in the words of its declaration: reasons are read off the score, not from a second model. A contribution says "
    "what the model made of an input, not what causes default."
)


def monitoring(record: Record, _: Counts) -> Section:
    """What will be watched, what is acted on, what stops the scorecard, and what the last batch showed."""
    asked = record.params.monitor
    facts: list[tuple[str, Cell]] = [
        ("Watched", words_of([AREA_NAMES[area] for area in AREAS], 99)),
        ("Reports that alarm though nothing changed", f"at most {percent(asked.alarm_share, 0)}"),
        ("Acted on from", ", ".join(f"{getattr(asked, name):g} {said}" for name, said in ACTS.items())),
        ("Kill switch", "a grave alarm writes it, runtime and service honour it, a person lifts it"),
        ("Reviewed again by", day(review_by(record.params))),
    ]
    findings = []
    if (record.ws.root / FOLDER / KILL_SWITCH).exists():
        findings.append(Finding("hole", "The kill switch is pulled: monitoring found what is to be acted on"))
    blocks: list[Block] = [Facts(tuple(facts))]
    if (batch := record.params.validation.batch) is None:
        blocks.append("No later batch has been held against this scorecard; validate.batch names the workspace of one.")
    else:
        told, more = _batch(record, batch)
        blocks.append(told)
        findings += more
    return Section("monitoring", "Monitoring, triggers and kill switch", "Monitor", tuple(blocks), tuple(findings))


def review_by(params: Params) -> str:
    """The day by which the model is to be validated again."""
    return (params.as_of + timedelta(days=params.validation.review_days)).date().isoformat()


def _batch(record: Record, batch: Path) -> tuple[str | Table, list[Finding]]:
    path = batch / FOLDER / REPORT
    if not path.exists():
        return f"The batch {batch.name} was not monitored.", [
            Finding("hole", f"`saakh monitor {batch.name}` was not run")
        ]
    found = Found(read_json(path), f"{FOLDER}/{REPORT}: ")
    if found["scorecard_sha256"] != digest(record.need("export", f"scorecard-{record.params.export.version}.saakh")):
        return "The batch was held against another scorecard.", [
            Finding("hole", "`saakh monitor` was run on another scorecard")
        ]
    level = GRAVE[found["severity"]]
    said = f"The batch as of {day(found['as_of'])} is {SAID[found['severity']]}; alarms: {len(found['alarms'])}"
    return f"{said}.", [Finding(level, said)] if found["alarms"] else []


def limits(record: Record, _: Counts) -> Section:
    """What the model and this report cannot say, and what makes up for it."""
    asked = record.params.validation
    rows = (*(("limit", text) for text in (*LIMITS, *asked.limits)), *(("control", text) for text in asked.controls))
    findings = (
        () if asked.controls else (Finding("low", "No compensating control is named: validate.controls is empty"),)
    )
    table = Table("limits", "Limits, and what makes up for them", ("Kind", "What"), rows)
    return Section("limits", "Limits and compensating controls", "Validate", (table,), findings)


LIMITS = (
    "Outcomes exist of granted loans alone; of whom was refused before, performance is extrapolated.",
    "Later loans were looked at once; a choice made after reading this report needs a new period.",
    "A policy says what is barred from measurement; whether the use is lawful is for counsel.",
    "Groups are compared among those who agreed to research, who may differ from the others.",
    "The membership figure is of the attacks that were tried; it is no proof against better ones.",
)


def changes(record: Record, _: Counts) -> Section:
    """What changed against the scorecard before."""
    before = record.params.validation.previous
    title = "Changes"
    if before is None:
        said = "No scorecard before this one is named (validate.previous): this is taken to be the first."
        return Section("changes", title, "Diff", (said,))
    after = load(record.need("export", f"scorecard-{record.params.export.version}.saakh"))
    found = diff.diff(load(before), after)
    facts: list[tuple[str, Cell]] = [
        ("From and to", " to ".join(found.versions)),
        ("Kind of change", found.level),
        ("Inputs added", words_of(found.inputs.added)),
        ("Inputs removed", words_of(found.inputs.removed)),
        ("Inputs redefined", words_of(found.inputs.redefined)),
        ("Made-up applicants whose points moved", f"{found.sample.moved:,} of {found.sample.vectors:,}"),
        ("Of these, into another band", f"{sum(found.sample.bands.values()):,}"),
    ]
    said = f"The version should rise by a {found.level} step, and does not"
    return Section(
        "changes", title, "Diff", (Facts(tuple(facts)),), () if found.is_told else (Finding("medium", said),)
    )


def sign_off(record: Record, _: Counts) -> Section:
    """Who answers for the model, and until when the record is kept."""
    asked = record.params.validation
    alone = asked.validator is not None and asked.validator in (asked.developer, asked.owner)
    findings = (
        *unset(asked, *ROLES),
        *((Finding("high", "The validator is also the developer or the owner"),) if alone else ()),
    )
    rows = tuple((role.capitalize(), getattr(asked, role) or NOT_NAMED, "", "") for role in ROLES)
    table = Table("roles", "Who answers for the model", ("Role", "Name", "Date", "Signature"), rows)
    said = f"This record is kept for {asked.retention_years} years after the model is decommissioned."
    return Section("sign-off", "Owner, approver and retention", "Validate", (table, said), findings)

"""Sections on how the model came to be: its purpose, the data, the label, the inputs, and what else was tried."""

from collections.abc import Iterator
from typing import Any

from pipeline.explain.counts import PARTS, Counts, enough
from pipeline.explain.report import DIRECTIONS, flow, rejected
from pipeline.pages import NOTHING, day, percent, words
from pipeline.reidentify.suppress import WITHHELD
from pipeline.sections import Validate
from pipeline.validate.document import (
    Block,
    Cell,
    Facts,
    Figure,
    Finding,
    Section,
    Table,
    estimate,
    plain,
    sentence,
    told,
    words_of,
)
from pipeline.validate.record import Found, Record

NOT_NAMED = "not named"
ROLES = ("owner", "developer", "validator", "approver")


def purpose(record: Record, _: Counts) -> Section:
    """What the score is for and not for, and under which rules."""
    asked, train = record.params.validation, record.stage("train")
    rule, export = record.stage("label"), record.params.export
    facts: list[tuple[str, Cell]] = [
        ("Use", asked.use or NOT_NAMED),
        ("Not for", "; ".join(asked.not_for) or "nothing is named"),
        ("Tier", asked.tier or NOT_NAMED),
        ("Version", export.version),
        ("As of", day(record.params.as_of.isoformat())),
        ("Policy", train["policy"]),
        ("Purpose of the data", record.stage("cohort")["purpose"]),
        ("Estimates", f"the probability of {rule['dpd_days']} or more days past due within {_window(rule)}"),
        (
            "Scale",
            f"{export.base_points:g} points at {export.base_odds:g} good to 1 bad; {export.pdo:g} double the odds",
        ),
        ("Model (SHA-256)", train["model_sha256"]),
    ]
    limited = [] if asked.not_for else [Finding("low", "No use is excluded: validate.not_for is empty")]
    findings = (*unset(asked, "use", "tier"), *limited)
    return Section("purpose", "Purpose and scope", "Validate", (Facts(tuple(facts)),), findings)


def unset(asked: Validate, *names: str) -> tuple[Finding, ...]:
    """The hole that parameters leave which only the lender can set."""
    missing = [f"validate.{name}" for name in names if not getattr(asked, name)]
    return (Finding("hole", f"Not set: {', '.join(missing)}"),) if missing else ()


def data(record: Record, counts: Counts) -> Section:
    """Where the data come from, who is in, what they cover."""
    stages: dict[str, dict[str, Any]] = {name: record.stage(name) for name in ("ingest", "cohort", "label", "train")}
    ingest, check = record.stage("ingest"), record.stage("check")
    steps = flow(stages, counts)
    facts: list[tuple[str, Cell]] = [
        ("Rows read on arrival", plain(ingest, "rows_in", 0)),
        ("Files read", f"{len(ingest.some('files')):,}, by the mapping {ingest['mapping']}"),
        ("Rules checked", plain(check, "rules", 0)),
        ("Faults", plain(check, "faults", 0)),
        ("Tables without data", words_of(words(name) for name in check["absent"])),
    ]
    rows = tuple(
        (words(step["stage"]), "left out: " * (step["kind"] == "out") + step["what"], step["told"], _share(step))
        for step in steps
    )
    blocks: tuple[Block, ...] = (
        Facts(tuple(facts)),
        Table("flow", "Applications, from all received to those trained and judged on", FLOW, rows),
        _coverage(record, counts),
        *_turned_away(ingest),
        "Only loans that were granted have an outcome: how those refused would have done, the data do not say.",
    )
    return Section("data", "Data, representativeness and exclusions", "Ingest · Check · Cohort", blocks, _faults(check))


FLOW = ("Stage", "What", "Applications#", "Share#")


def _share(step: dict[str, Any]) -> str:
    return percent(step["share"]) if step["shown"] else NOTHING


def _faults(check: Found) -> tuple[Finding, ...]:
    return () if check["passed"] else (Finding("high", f"{check['faults']:,} faults in the tables were found"),)


def _coverage(record: Record, counts: Counts) -> Table:
    derive = record.stage("derive")
    rows: list[tuple[Cell, ...]] = []
    for source, status in derive["coverage"].items():
        total = sum(status.values()) or 1
        if total in (status["absent"], status.get("barred", 0)):
            continue
        shares = [_status(counts, source, name, status[name] / total) for name in ("present", "silent", "closed")]
        rows.append((words(source), *shares))
    caption = "Share of applications by what each source shows: events, none though open, or no consent"
    return Table("coverage", caption, ("Source", "Present#", "Silent#", "Closed#"), tuple(rows))


def _status(counts: Counts, source: str, name: str, share: float) -> Figure:
    return Figure(percent(share), share) if counts.shown(f"{source}: {name}") else Figure(WITHHELD)


def _turned_away(ingest: Found) -> Iterator[Table]:
    rows = tuple((row["table"], row["rule"], row["rows"], row["of"]) for row in rejected(ingest["tables"]))
    if rows:
        yield Table("rejected", "Rows turned away on arrival", ("Table", "Rule", "Rows#", "Of rows read#"), rows)


def label(record: Record, counts: Counts) -> Section:
    """What a bad loan is, and how old a loan must be to tell."""
    rule, split = record.stage("label"), record.stage("train")["split"]
    facts: list[tuple[str, Cell]] = [
        ("Bad", f"{rule['dpd_days']} or more days past due within {_window(rule)}"),
        (
            "Indeterminate",
            f"{rule['indeterminate_dpd_days']} to {rule['dpd_days'] - 1} days past due: neither, left out",
        ),
        ("Immature", "the window had not ended as of the run: left out, and counted"),
        ("Development", f"{day(split['development_from'])} to {day(split['development_to'])}"),
        ("Out of time", f"{day(split['out_of_time_from'])} to {day(split['out_of_time_to'])}"),
        ("Gap between them", f"{split['gap_days']} days"),
    ]
    rows = tuple((words(part), told(counts, part), _bads(split[part])) for part in PARTS)
    table = Table("parts", "Loans trained and judged on; no person is on both sides", ("Part", "Loans#", "Bad#"), rows)
    short = split["gap_days"] < rule["performance_window_days"]
    window = rule["performance_window_days"]
    said = f"The gap of {split['gap_days']} days is shorter than the performance window of {window} days"
    findings = (Finding("low", said),) if short else ()
    return Section("label", "Label and maturity", "Label", (Facts(tuple(facts)), table), findings)


def _bads(part: Found) -> Figure:
    return plain(part, "bads", 0) if enough(part["bads"], part["rows"]) else Figure(WITHHELD)


def _window(rule: Found) -> str:
    return f"{rule['performance_window_days']} days of disbursal"


def variables(record: Record, _: Counts) -> Section:
    """What the model may read, why, and which way each input may move the risk."""
    specs = {spec["name"]: spec for spec in record.file("derive", "specs.json")}
    found, train = record.importance, record.stage("train")
    listed = [(entry, specs[entry["name"]]) for entry in found.some("features")]
    rows = tuple(_input(entry, spec) for entry, spec in listed)
    bound = sum(spec["risk"] != 0 for _, spec in listed)
    facts: list[tuple[str, Cell]] = [
        ("Inputs", f"{len(listed)}"),
        ("Held to a declared direction", f"{bound}"),
        ("Set aside before training", f"{len(train['set_aside'])}, for saying the same as another or for number"),
        ("Left out", words_of(f"{entry['name']} ({entry['reason']})" for entry in train["dropped"])),
        ("Protected attributes among the inputs", "none: training refuses them"),
    ]
    caption = "Every input, the largest mean contribution first, with the consent it needs and how it may move the risk"
    names = ("Input", "What it measures", "Consent", "Direction", "Points#")
    table = Table("inputs", caption, names, rows, is_long=True)
    return Section("variables", "Variables", "Derive · Train", (Facts(tuple(facts)), table))


def _input(entry: Found, spec: Found) -> tuple[Cell, ...]:
    direction = DIRECTIONS[spec["risk"]]
    return spec["name"], spec["description"], spec["category"], direction, plain(entry, "mean_abs_points", 2)


def alternatives(record: Record, _: Counts) -> Section:
    """What else was tried, by log-loss out of fold, and what was chosen."""
    train = record.stage("train")
    found, chosen = train["out_of_fold_log_loss"], train["parameters"]
    rows = tuple((words(name), plain(found, name, 4)) for name in found)
    facts = tuple((words(name), str(value)) for name, value in chosen.items())
    blocks = (
        Table("tried", "Log-loss out of fold; lower is better", ("Model", "Log-loss#"), rows),
        "What was chosen, out of fold, before the later loans were looked at:",
        Facts(facts),
    )
    challengers, findings = _challengers(record.audit("compare"))
    return Section("alternatives", "Alternatives tried", "Train · Compare", (*blocks, *challengers), findings)


def _challengers(found: Found | str) -> tuple[tuple[Block, ...], tuple[Finding, ...]]:
    """Models of other kinds on the same folds, as `saakh compare` left them; a finding where one ranks better."""
    if isinstance(found, str):
        why = f"No challenger of another kind was compared: `saakh compare` {found}"
        return (), (Finding("medium", why),)
    there = [model for model in found.some("models") if model["installed"]]
    rows = tuple((m["name"], estimate(m["auc"]), estimate(m["gini"]), estimate(m["log_loss"], 4)) for m in there)
    caption = "Models of other kinds, learned and judged on the same folds of development loans"
    table = Table("challengers", caption, ("Model", "AUC#", "Gini#", "Log-loss#"), rows)
    grave = tuple(Finding("high", sentence(found["verdict"])) for _ in found["better"][:1])
    return (table, sentence(found["verdict"])), grave

"""The line from raw drops to a verified scorecard: which stages there are, in which order, and how one is run."""

from collections.abc import Sequence
from importlib import import_module

from pipeline.params import Params
from pipeline.summary import Summary, Tell, quiet
from pipeline.workspace import Workspace

STAGES = {
    "ingest": "Read raw drops into canonical tables, by a mapping, under pseudonyms.",
    "check": "Check every canonical table against its declaration; stop on a fault.",
    "cohort": "List the applications to ask about, with their snapshots and consents.",
    "label": "Tell bad loans from good ones over the performance window.",
    "derive": "Derive each application's features from its consented past.",
    "train": "Train the model on earlier applications, with a person on one side of the split.",
    "evaluate": "Evaluate the model once, on out-of-time applications.",
    "selfcheck": "Check for leaks: columns that know too much, and training on permuted outcomes.",
    "explain": "Explain the model in exact contributions, and write the risk team's report.",
    "export": "Export the versioned scorecard, replayed before it is written.",
}
"""Every stage and what it does: the same words in the command line, `dvc.yaml`, the parameters and the report."""


def run_stage(name: str, params: Params, ws: Workspace, tell: Tell = quiet) -> Summary:
    """Run one stage and enter it in the audit log; modules are imported only now, so that help stays fast."""
    audit = import_module("pipeline.audit")
    audit.ready(params, ws)  # a missing key or a tampered log stops here, before the stage writes
    summary: Summary = import_module(f"pipeline.{name}").run(params, ws, tell)
    audit.record(params, ws, summary)
    return summary


def run_all(params: Params, ws: Workspace, tell: Tell = quiet, stages: Sequence[str] = tuple(STAGES)) -> list[Summary]:
    """Run the stages in order; the first failure stops the line."""
    return [run_stage(name, params, ws, tell) for name in stages]

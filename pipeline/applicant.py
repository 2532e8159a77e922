"""Score one applicant from raw files: through ingest, the consent gate and the scorecard's own features, to a decision.

The stages are those of a whole run, in a workspace that is gone afterwards; no more is measured than it asks for.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

import saakh
from pipeline import cohort, derive, ingest
from pipeline.console import show
from pipeline.decide import Asked, read_asked
from pipeline.engines import read_table
from pipeline.params import Params
from pipeline.sample import KEY
from pipeline.score import refusals, refuse_other_definitions, refuse_other_purposes
from pipeline.stops import stop_files
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, write_text
from saakh.errors import ContractError
from saakh.signature import Trust

TOLD = ("points", "pd", "band", "baseline", "missing", "problems", "refused")


@dataclass(frozen=True)
class Found:
    """What was found: one object an application, ready for JSON, and the stages' summaries."""

    applications: list[dict[str, Any]]
    summary: Summary


def run(
    params: Params,
    drop: Path,
    scorecard: Path,
    trust: Trust | None = None,
    stopped_by: Sequence[Path] = (),
    tell: Tell = quiet,
) -> Found:
    """Score and explain the applications in a folder of one person's raw files, and decide on them.

    `params` say how the files are read (`ingest.mapping`, the key of pseudonyms), under which policy, and as of when;
    the purpose is to score. Files of several people are a `ContractError`. A scorecard without lending terms, or an
    application that asks for no amount, gets no decision.
    """
    with timed("applicant") as summary, tempfile.TemporaryDirectory(prefix="saakh-applicant-") as folder:
        card = saakh.load(scorecard, trust, stop_files(scorecard, stopped_by))
        asked, ws = _asked(params, drop, Path(folder)), Workspace(Path(folder))
        read = ingest.run(asked, ws, tell)
        _refuse_several(ws)
        cohort.run(asked, ws, tell)
        measured = [*card.features, *asked.decide.income, *asked.decide.surplus]
        derived = derive.run(asked, ws, tell, measured)
        refuse_other_purposes(card, ws)
        refuse_other_definitions(card, ws)
        found = [_scored(card, *one) for one in _rows(card, asked, ws)]
        summary.rows_in, summary.rows_out = read.rows_in, len(found)
        summary.counts = {"events seen": derived.counts["events seen"], "rows rejected": read.rows_in - read.rows_out}
    return Found(found, summary)


def print_found(found: Found, out: Path | None) -> None:
    """Print what was found as JSON, or write it to a file that its owner alone can read."""
    text = json.dumps(found.applications, indent=1, ensure_ascii=False) + "\n"
    if out is None:
        sys.stdout.write(text)
        return
    write_text(out, text, 0o600)
    show(found.summary)


def _asked(params: Params, drop: Path, folder: Path) -> Params:
    """The same parameters, of this drop, in this workspace, to score, on the engine that needs no cluster.

    One thread: more would but wait for each other, over so few rows.
    """
    changed = {
        "workspace": folder,
        "engine": "duckdb",
        "threads": 1,
        "ingest": params.ingest.model_copy(update={"source": drop}),
        "cohort": params.cohort.model_copy(update={"purpose": "score", "applied_from": None, "applied_before": None}),
    }
    return params.model_copy(update=changed)


def _refuse_several(ws: Workspace) -> None:
    people = len(read_table(ws.need("ingest", "applications.parquet"), ["person_id"])["person_id"].unique())
    if people != 1:
        raise ContractError(f"one applicant is scored at a time, and {people} people apply here; see `saakh score`")


def _rows(card: saakh.Scorecard, params: Params, ws: Workspace) -> list[tuple[str, dict[str, float], Any, Any]]:
    """Each application: its key, its inputs, what it refused, and what it asks for (None: nothing to decide)."""
    features, withheld = read_table(ws.need("derive", "features.parquet")), refusals(ws, card.categories)
    asking = _applications(card, params, ws)
    rows = features.select([name for name in card.features if name in features.column_names]).to_pylist()
    return [(k, row, withheld.get(k, ()), asking.get(k)) for k, row in zip(_keys(features), rows, strict=True)]


def _applications(card: saakh.Scorecard, params: Params, ws: Workspace) -> dict[str, Any]:
    if card.terms is None:
        return {}
    asked: Asked = read_asked(params, ws, card)
    return {application.id: application for application in asked.applications}


def _keys(features: pa.Table) -> list[str]:
    keys: list[str] = features[KEY].to_pylist()
    return keys


def _scored(
    card: saakh.Scorecard, key: str, row: dict[str, float], refused: tuple[str, ...], application: Any
) -> dict[str, Any]:
    score = card.score(row, refused)
    told: dict[str, Any] = {KEY: key, "scorecard": f"{card.name} {card.version}"}
    told |= {name: getattr(score, name) for name in TOLD}
    told["reasons"] = [asdict(reason) for reason in score.reasons]
    if application is not None:
        told["decision"] = asdict(card.decide(row, application, refused))
    return told

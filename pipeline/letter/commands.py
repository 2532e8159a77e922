"""What `saakh letter` does: find the application, score it once more for its reasons, and write the letter."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.console import out as console
from pipeline.decide import scorecard_path
from pipeline.engines import open_engine, read_table
from pipeline.ledger import whose
from pipeline.lending import read_terms
from pipeline.letter import Case, as_html, as_text, letter
from pipeline.letter.texts import read_texts
from pipeline.params import Params
from pipeline.sample import KEY
from pipeline.score import refusals
from pipeline.workspace import Workspace, digest, read_json, write_text
from saakh import load
from saakh.errors import ContractError
from saakh.offers import Ground, Offer

RESTRICTED = 0o600


def print_letter(params: Params, application: str, language: str, form: str, out: Path | None) -> None:
    """Write the letter on an application to a file that its owner alone can read, or to the screen."""
    texts, ws = read_texts(language), Workspace(params.workspace)
    case, terms = read_case(params, ws, application), read_terms(params.decide.terms)
    said = letter(case, terms, texts)
    content = as_html(said) if form == "html" else as_text(said)
    if out is None:
        console.print(content, end="", markup=False, soft_wrap=True)
    else:
        write_text(out, content, RESTRICTED)
        console.print(f"Wrote {out}.")


def read_case(params: Params, ws: Workspace, given: str) -> Case:
    """What was decided on an application, named by its raw id or its pseudonym, and the score behind it."""
    decided, scorecard = ws.need("decide", "decisions.parquet"), load(scorecard_path(params, ws))
    account = read_json(ws.need("decide", "decide.json"))
    if account["terms_sha256"] != digest(params.decide.terms):
        raise ContractError("the lending terms are not those decided by; run `saakh decide`")
    if account["scorecard_sha256"] != digest(scorecard_path(params, ws)):
        raise ContractError("the scorecard is not the one decided by; run `saakh decide`")
    with closing(open_engine(params)) as engine:
        name = whose.application(engine, ws, given, params).name
    row = _row(decided, name)
    cohort = _row(ws.need("cohort", "cohort.parquet"), name)
    derived = _row(ws.need("derive", "features.parquet"), name)
    inputs = {feature: derived[feature] for feature in scorecard.features}
    refused = refusals(ws, scorecard.categories).get(name, ())
    score = scorecard.score(inputs, refused)
    return Case(
        reference=name,
        on=cohort["applied_at"].date(),
        asked_minor=row["asked_minor"],
        outcome=row["outcome"],
        offers=_offers(ws.need("decide", "offers.parquet"), name),
        grounds=[Ground(ground) for ground in row["grounds"]],
        points=score.points,
        reasons=score.reasons,
        specs=scorecard.manifest.features,
        texts={language: scorecard.reason_texts(language) for language in scorecard.languages},
        counterfactual=scorecard.counterfactual(inputs, refused) if row["outcome"] == "decline" else None,
    )


def _offers(path: Path, application: str) -> list[Offer]:
    rows = _of(path, application).sort_by("rank").drop_columns([KEY, "rank"]).to_pylist()
    return [Offer(**row) for row in rows]


def _row(path: Path, application: str) -> dict[str, Any]:
    rows = _of(path, application).to_pylist()
    if len(rows) != 1:
        raise ContractError(
            f"application {application} is not in {path}; it was left out of the cohort (cohort/cohort.json says why), "
            "or asks for no amount"
        )
    found: dict[str, Any] = rows[0]
    return found


def _of(path: Path, application: str) -> pa.Table:
    table = read_table(path)
    return table.filter(pc.equal(table[KEY], application))

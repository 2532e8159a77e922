"""Score: a scorecard over a whole workspace's derived features, with each applicant's reasons and refusals."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import saakh
from pipeline.engines import read_table, write_batches
from pipeline.params import Params
from pipeline.sample import CATEGORY, KEY
from pipeline.stops import stop_files
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.workspace import Workspace, digest, read_json, write_json
from saakh.errors import ConfigError, ConsentError, ContractError, MissingInputError, UnreadableInputError
from saakh.inputs import NOT_FINITE, OUT_OF_RANGE, Inputs
from saakh.reasons import Reason
from saakh.signature import Trust
from saakh.trees import Array

ROWS = 20_000  # scored together
REASON = pa.struct([("code", pa.string()), ("text", pa.string()), ("points", pa.float64())])
SCHEMA = pa.schema(
    [
        (KEY, pa.string()),
        ("points", pa.float64()),
        ("pd", pa.float64()),
        ("band", pa.string()),
        ("reasons", pa.list_(REASON)),
        ("missing", pa.int32()),
        ("unseen", pa.int32()),
        ("problems", pa.map_(pa.string(), pa.string())),
        ("refused", pa.list_(pa.string())),
        ("handling", pa.string()),
    ]
)


@dataclass
class Tally:
    """What was counted while scoring."""

    bands: dict[str, int]
    refused: dict[str, int]
    missing: int = 0
    problems: dict[str, int] = field(default_factory=dict)

    def count(self, batch: pa.RecordBatch) -> None:
        """Add what a batch of scores shows."""
        for names, counts in ((batch["band"], self.bands), (pc.list_flatten(batch["refused"]), self.refused)):
            for found in pc.value_counts(names).to_pylist():
                counts[found["values"]] += found["counts"]
        self.missing += pc.sum(batch["missing"]).as_py() or 0
        for problems in batch["problems"].to_pylist():
            for name, _ in problems:
                self.problems[name] = self.problems.get(name, 0) + 1


def run(
    path: Path,
    scorecard: Path,
    tell: Tell = quiet,
    out: Path | None = None,
    trust: Trust | None = None,
    params: Params | None = None,
    stopped_by: Sequence[Path] = (),
) -> Summary:
    """Score the derived features of a workspace, or of one file in its `derive` folder, and write them.

    Args:
        path: the workspace, or the features file.
        scorecard: the scorecard's file.
        tell: hears of the rows done.
        out: where to write; by default `score/scores.parquet` in the workspace. An account goes beside it, as JSON.
        trust: the public keys of which one must have signed the scorecard.
        params: of whose audit log's key and policies the record is made, in the log of the workspace scored; None: no
            record.
        stopped_by: stop files to heed beside those of the scorecard's folder and workspace.

    A scorecard that was stopped or retired is a `StoppedError`.

    Data asked for another purpose than the scorecard serves are a `ConsentError`; features of another definition than
    it was built on, a `ContractError`.
    """
    from pipeline import audit  # noqa: PLC0415 - cryptography, which who scores one applicant does not need

    with timed("score") as summary:
        card = saakh.load(scorecard, trust, stop_files(scorecard, stopped_by))
        ws, features = _places(path)
        if params:
            audit.ready(params, ws)
        refuse_other_purposes(card, ws)
        refuse_other_definitions(card, ws)
        out = out or ws.stage("score") / "scores.parquet"
        if out.suffix != ".parquet":
            raise ConfigError(f"scores are written as Parquet: name a file that ends in .parquet, not {out.name}")
        tally = Tally(dict.fromkeys((b.name for b in card.manifest.bands), 0), dict.fromkeys(card.categories, 0))
        batches = scored(card, Rows(features, card.features, tell), refusals(ws, card.categories))
        rows = write_batches(out, pa.RecordBatchReader.from_batches(SCHEMA, _counted(batches, tally)))
        said = account(card, scorecard, features, rows, tally)
        write_json(out.with_suffix(".json"), said)
        if params:
            audit.scored(params, ws, said, out, is_verified=card.signature.is_verified)
        summary.rows_in = summary.rows_out = rows
        summary.counts = {f"band {name}": count for name, count in tally.bands.items()}
        summary.counts |= {f"refused {name}": count for name, count in tally.refused.items() if count}
        summary.counts |= {"missing inputs": tally.missing, "problems": sum(tally.problems.values())}
        summary.facts = {"scorecard": f"{card.name} {card.version}, {card.signature}", "scores": str(out)}
    return summary


def scored(card: saakh.Scorecard, rows: "Rows", refused: Mapping[str, tuple[str, ...]]) -> Iterator[pa.RecordBatch]:
    """The scores of batches of applications, in their order."""
    inputs = Inputs(card.manifest.features)
    for keys, x in rows:
        withheld = [refused.get(key, ()) for key in keys.to_pylist()]
        is_problem = inputs.of_many(x)[1]
        for row, categories in enumerate(withheld):
            if categories:
                hidden = [s.category in categories for s in card.manifest.features]
                is_problem[row, hidden] = False
        found = card.score_many(x, withheld)
        told = [[_told(reason) for reason in given] for given in card.reasons_many(x, withheld)]
        columns = (keys, found.points, found.pd, found.band, told, found.missing, found.unseen)
        made = (*columns, _problems(card.features, x, is_problem), withheld, found.handling)
        arrays = [pa.array(column, kind) for column, kind in zip(made, SCHEMA.types, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _told(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code, "text": reason.text, "points": reason.points}


def _problems(names: Sequence[str], x: Array, is_problem: Array) -> list[list[tuple[str, str]]]:
    """What was wrong with each row's values, by input."""
    found: list[list[tuple[str, str]]] = [[] for _ in x]
    for row, i in zip(*np.nonzero(is_problem), strict=True):
        found[row].append((names[i], NOT_FINITE if np.isinf(x[row, i]) else OUT_OF_RANGE))
    return found


def _counted(batches: Iterator[pa.RecordBatch], tally: Tally) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        tally.count(batch)
        yield batch


def account(card: saakh.Scorecard, scorecard: Path, features: Path, rows: int, tally: Tally) -> dict[str, Any]:
    """What was scored by what, in digests and counts."""
    return {
        "scorecard": {"name": card.name, "version": card.version, "sha256": digest(scorecard)},
        "signature": str(card.signature),
        "features_sha256": digest(features),
        "applications": rows,
        "bands": tally.bands,
        "refused": tally.refused,
        "missing_inputs": tally.missing,
        "problems": dict(sorted(tally.problems.items())),
    }


def refusals(ws: Workspace, categories: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The categories of these that each application refused; those that refused nothing are left out."""
    coverage = read_table(ws.need("derive", "coverage.parquet"), [KEY, "source", "status"])
    closed = coverage.filter(pc.equal(coverage["status"], "closed"))
    found: dict[str, set[str]] = {}
    for key, source in zip(closed[KEY].to_pylist(), closed["source"].to_pylist(), strict=True):
        if (category := CATEGORY.get(source)) in categories:
            found.setdefault(key, set()).add(str(category))
    return {key: tuple(sorted(some)) for key, some in found.items()}


def _places(path: Path) -> tuple[Workspace, Path]:
    """The workspace and its file of features, which stays with the file that tells what was refused."""
    if path.is_dir():
        ws = Workspace(path)
        return ws, ws.need("derive", "features.parquet")
    if not path.is_file():
        raise MissingInputError(f"no workspace and no file of features at {path}")
    if path.absolute().parent.name != "derive":
        raise MissingInputError(
            f"{path} does not lie in the `derive` folder of a workspace, where coverage.parquet tells who refused "
            "what; name the workspace"
        )
    return Workspace(path.absolute().parents[1]), path


def refuse_other_purposes(card: saakh.Scorecard, ws: Workspace) -> None:
    """Stop when a workspace's data were asked for another purpose than the scorecard serves."""
    purpose, served = read_json(ws.need("cohort", "cohort.json"))["purpose"], card.manifest.consent.get("purposes")
    if not isinstance(served, list) or purpose not in served:
        raise ConsentError(
            f"these data were asked for to {purpose}, and the scorecard serves {served}; set cohort.purpose: score and "
            "run `saakh cohort` and `saakh derive` again"
        )


def refuse_other_definitions(card: saakh.Scorecard, ws: Workspace) -> None:
    """Stop when an input is not derived here, or by another declaration than the scorecard was built on."""
    here = {raw["name"]: raw["fingerprint"] for raw in read_json(ws.need("derive", "specs.json"))}
    if other := [s.name for s in card.manifest.features if here.get(s.name) != s.fingerprint]:
        absent = sum(name not in here for name in other)
        raise ContractError(
            f"{len(other)} inputs of the scorecard are not derived as it was built on ({absent} not at all): "
            f"{', '.join(other[:5])}; derive with the catalogue of the scorecard, or train a scorecard on this one"
        )


@dataclass(frozen=True)
class Rows:
    """Applications and their inputs, a batch at a time: keys, and numbers [rows, inputs] with NaN where missing."""

    path: Path
    names: Sequence[str]
    tell: Tell

    def __iter__(self) -> Iterator[tuple[pa.Array, Array]]:
        try:
            with pq.ParquetFile(self.path) as file:
                if missing := [n for n in (KEY, *self.names) if n not in file.schema_arrow.names]:
                    raise ContractError(f"{self.path} has no column {', '.join(missing[:5])}; run `saakh derive` again")
                done = 0
                for batch in file.iter_batches(ROWS, columns=[KEY, *self.names]):
                    self.tell("scoring", done, file.metadata.num_rows)
                    done += batch.num_rows
                    columns = [batch[name].to_numpy(zero_copy_only=False) for name in self.names]
                    yield batch[KEY], np.column_stack(columns).astype(float)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableInputError(f"{self.path} is not readable Parquet ({type(error).__name__})") from None

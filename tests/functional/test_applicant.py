"""One person's raw files become a score and a decision, as the whole line would make them, and nothing stays behind."""

import csv
import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipeline import applicant, cohort, derive, ingest
from pipeline.engines import read_table
from pipeline.score import refusals
from pipeline.workspace import Workspace
from saakh import load
from saakh.errors import ContractError
from tests.functional.conftest import Run


def drop(raw: Path, out: Path, people: set[str]) -> Path:
    """The raw files of these people alone, in the same places."""
    for path in (p for p in raw.rglob("*") if p.is_file() and p.name != "key.txt"):
        to = out / path.relative_to(raw)
        to.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            pq.write_table(table.filter(pc.is_in(table["person"], pa.array(sorted(people)))), to)
        elif path.suffix == ".jsonl":
            lines = path.read_text().splitlines(keepends=True)
            to.write_text("".join(line for line in lines if json.loads(line)["person"] in people))
        else:
            opened = gzip.open if path.suffix == ".gz" else open
            with opened(path, "rt", newline="") as read, opened(to, "wt", newline="") as write:
                rows = csv.DictReader(read)
                writer = csv.DictWriter(write, rows.fieldnames or [])
                writer.writeheader()
                writer.writerows(row for row in rows if row["person"] in people)
    return out


def test_a_drop_is_scored_and_decided_as_the_whole_line_would_and_leaves_nothing(
    small_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, raw = small_run.params, small_run.params.ingest.source
    with (raw / "applications.csv").open() as stream:
        people = [row["person"] for row in csv.DictReader(stream)]
    path = small_run.ws.need("export", "scorecard-0.1.0.saakh")
    one, card = drop(raw, tmp_path / "one", {people[0]}), load(path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    found = applicant.run(params, one, path)
    assert list((tmp_path / "temporary").iterdir()) == []

    ws = Workspace(tmp_path / "whole")
    asked = params.model_copy(
        update={
            "ingest": params.ingest.model_copy(update={"source": one}),
            "cohort": params.cohort.model_copy(update={"purpose": "score"}),
        }
    )
    for stage in (ingest, cohort, derive):
        stage.run(asked, ws)
    rows, withheld = read_table(ws.need("derive", "features.parquet")).to_pylist(), refusals(ws, card.categories)
    assert len(found.applications) == len(rows) == people.count(people[0])
    for told, row in zip(found.applications, rows, strict=True):
        score = card.score({name: row[name] for name in card.features}, withheld.get(row["application_id"], ()))
        assert (told["application_id"], told["points"], told["missing"]) == (
            row["application_id"],
            score.points,
            score.missing,
        )
        assert told["decision"]["outcome"] in ("offer", "refer", "decline")
    with pytest.raises(ContractError, match="2 people apply"):
        applicant.run(params, drop(raw, tmp_path / "two", set(list(dict.fromkeys(people))[:2])), path)


def test_the_command_gives_the_same_and_imports_neither_pandas_nor_scipy(small_run: Run, tmp_path: Path) -> None:
    raw, path = small_run.params.ingest.source, small_run.ws.need("export", "scorecard-0.1.0.saakh")
    with (raw / "applications.csv").open() as stream:
        one = drop(raw, tmp_path / "one", {next(csv.DictReader(stream))["person"]})
    params, out = tmp_path / "params.yaml", tmp_path / "found.json"
    params.write_text(small_run.params.model_dump_json())
    said = ["score", f"--applicant={one}", f"--scorecard={path}", f"--params={params}", f"--out={out}"]
    script = (
        f"import sys\nfrom pipeline.cli import app\napp({said}, standalone_mode=False)\n"
        "print(sorted({'pandas', 'scipy', 'lightgbm', 'sklearn', 'mlflow'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1] == "[]"
    found = applicant.run(small_run.params, one, path)
    assert json.loads(out.read_text()) == json.loads(json.dumps(found.applications))

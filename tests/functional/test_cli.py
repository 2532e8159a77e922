"""What a person at the shell meets: help that reads like a sentence, and one helpful message for a mistake."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.run import STAGES
from saakh.errors import ConfigError
from tests.functional.conftest import ROOT, small_params

COMMANDS = [
    "",
    "run",
    "simulate",
    "judge",
    "init",
    "key",
    "verify",
    "rebuild",
    "sign",
    "score",
    "serve",
    "diff",
    "features",
    *STAGES,
]
COMMANDS += [f"features {name}" for name in ("list", "show", "sql", "docs")]
COMMANDS += ["reidentify", "export-table", *(f"key {name}" for name in ("new", "shard", "rotate"))]
COMMANDS += ["decide", "optimise", "letter", "release", "rollback", "retire"]
COMMANDS += [f"policy {name}" for name in ("list", "show", "diff", "costs")]
COMMANDS += ["erase", *(f"retention {name}" for name in ("list", "run", "open", "verify"))]


CAPTURED: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 120}


def saakh(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    command = [sys.executable, "-m", "pipeline.cli", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, check=False, **CAPTURED)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_reads_like_a_sentence(command: str) -> None:
    from typer.testing import CliRunner

    from pipeline.cli import app

    shown = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert shown.exit_code == 0
    lines = [line.strip() for line in shown.output.splitlines() if line.strip()]
    sentence = lines[1]  # below the usage line
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert len(sentence.split()) >= 5


def written(folder: Path, **changed: dict) -> Path:
    """Parameters for a folder, as YAML."""
    raw = small_params(folder).model_dump(mode="json", exclude_none=True)
    for section, values in changed.items():
        raw[section] |= values
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


def missing_file(folder: Path) -> list[str]:
    return ["run", "--params", "nowhere.yaml"]


def bad_parameter(folder: Path) -> list[str]:
    written(folder, label={"dpd_days": -3})
    return ["label"]


def no_such_policy(folder: Path) -> list[str]:
    written(folder)
    return ["run", "--policy", "explicit-consent", "--policy", "in-rbi"]


def bad_mapping_key(folder: Path) -> list[str]:
    mapping = (ROOT / "data/mappings/sample.yaml").read_text()
    (folder / "mapping.yaml").write_text(mapping.replace("\nsources:", "\nsource:", 1))
    (folder / "raw").mkdir()
    (folder / "raw/key.txt").write_text("0" * 64)
    written(folder, ingest={"mapping": str(folder / "mapping.yaml")})
    return ["ingest"]


def damaged_parquet(folder: Path) -> list[str]:
    written(folder)
    for name in ("applications", "consents"):
        path = folder / f"work/ingest/{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"PAR1 this is not Parquet PAR1")
    return ["cohort"]


def place_under_a_file(folder: Path) -> list[str]:
    (folder / "notes.txt").write_text("")
    return ["key", "new", "notes.txt/saakh.key"]


def empty_input(folder: Path) -> list[str]:
    (folder / "params.yaml").write_text("")
    return ["run"]


@pytest.mark.parametrize(
    ("mistake", "code", "says"),
    [
        (missing_file, 5, "nowhere.yaml"),
        (bad_parameter, 3, "label.dpd_days"),
        (no_such_policy, 3, "no policy 'in-rbi' in"),
        (bad_mapping_key, 4, "source"),
        (damaged_parquet, 6, "applications.parquet"),
        (empty_input, 7, "params.yaml is empty"),
        (place_under_a_file, 1, "notes.txt: File exists"),
    ],
)
def test_a_mistake_ends_with_one_helpful_message_and_its_own_exit_code(
    tmp_path: Path, mistake: object, code: int, says: str
) -> None:
    ended = saakh(*mistake(tmp_path), cwd=tmp_path)  # type: ignore[operator]
    assert ended.returncode == code, ended.stderr
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1
    assert ended.stdout == ""


def ended_in_a_stage(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    """The command line with a stage that writes half a folder and then does something else."""
    script = f"""
import os, signal, time
import pipeline.run
from pipeline.cli import main
from pipeline.workspace import whole_folder

def stage(name, params, ws, tell):
    with whole_folder(ws.root / name) as out:
        (out / "half").write_text("")
        {body}

pipeline.run.run_stage = stage
main()
"""
    written(folder)
    command = [sys.executable, "-c", script, "ingest"]
    return subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False, **CAPTURED)


def test_a_kill_leaves_nothing_half_written(tmp_path: Path) -> None:
    ended = ended_in_a_stage(tmp_path, "os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)")
    assert ended.returncode == 128 + signal.SIGTERM
    assert list((tmp_path / "work").iterdir()) == []


def test_what_nobody_foresaw_is_placed_and_repeats_no_value(tmp_path: Path) -> None:
    ended = ended_in_a_stage(tmp_path, "int('98123 ' + '45678')")
    assert ended.returncode == 1
    assert "ValueError: not foreseen" in ended.stderr
    assert 'cli/__init__.py", line' in ended.stderr
    assert "98123 45678" not in ended.stdout + ended.stderr


def test_the_list_of_features_is_one_whole_line_each_on_any_screen() -> None:
    from features.catalogue import all_features

    command = [sys.executable, "-m", "pipeline.cli", "features", "list"]
    shown = subprocess.run(command, cwd=ROOT, env={**os.environ, "COLUMNS": "60"}, check=False, **CAPTURED).stdout
    assert len(shown.splitlines()) == len(all_features()) + 1
    [line] = [line for line in shown.splitlines() if line.startswith("topup_gap_longest ")]
    assert line.split(maxsplit=5) == [
        *("topup_gap_longest", "lifestyle", "30d", "90d", "rises"),
        "Longest time between two consecutive top-ups.",
    ]


def test_a_table_that_there_is_not_is_answered_with_those_there_are() -> None:
    command = [sys.executable, "-m", "pipeline.cli", "features", "explain", "--table", "call"]
    ended = subprocess.run(command, cwd=ROOT, check=False, **CAPTURED)
    assert (ended.returncode, ended.stdout) == (ConfigError.exit_code, "")
    assert "no table 'call' to measure; there are people, devices, calls, messages," in ended.stderr

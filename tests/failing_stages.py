"""Ways in which stages after ingest fail, and commands beside the line; see `tests.failing_runs`."""

import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.canaries import NAME, NUMBER
from tests.failing_runs import (
    ARTIFACT,
    ASHA,
    AUDIT,
    CONFIG,
    CONSENT,
    CONTRACT,
    EMPTY,
    LATER,
    MISSING,
    UNREADABLE,
    append,
    fails,
    with_column,
)
from tests.house import House


def table(house: House, name: str) -> Path:
    return house.ws / f"ingest/{name}.parquet"


def ascii_in(path: Path, column: str, value: bytes) -> None:
    """Put bytes into a column of text that are not text, as a broken writer does."""
    held = pq.read_table(path)
    raw = pa.array([value] * held.num_rows, pa.binary())
    broken = pa.Array.from_buffers(pa.string(), held.num_rows, raw.buffers())
    pq.write_table(held.set_column(held.column_names.index(column), column, broken), path)


@fails("cohort", UNREADABLE, "ingest")
def a_canonical_table_is_damaged(house: House) -> None:
    path = table(house, "consents")
    path.write_bytes(path.read_bytes()[:-200] + ASHA.encode() * 10)


@fails("cohort", CONTRACT, "ingest")
def a_canonical_table_lacks_a_column(house: House) -> None:
    path = table(house, "applications")
    pq.write_table(pq.read_table(path).drop_columns(["applied_at"]), path)


@fails("derive", UNREADABLE, "ingest", "cohort")
def a_text_is_no_text(house: House) -> None:
    ascii_in(table(house, "app_sessions"), "app_category", ASHA.encode() + b"\xff\xfe")


@fails("derive", UNREADABLE, "ingest", "cohort")
def a_number_is_a_text(house: House) -> None:
    path = table(house, "calls")
    with_column(path, "duration_s", pa.array([ASHA] * pq.read_metadata(path).num_rows))


@fails("check", CONTRACT, "ingest")
def a_category_is_a_name(house: House) -> None:
    path = table(house, "calls")
    with_column(path, "direction", pa.array([ASHA] * pq.read_metadata(path).num_rows))


@fails("check", UNREADABLE, "ingest")
def the_account_of_ingest_is_broken(house: House) -> None:
    (house.ws / "ingest/ingest.json").write_text(f'{{"tables": {ASHA}')


@fails("cohort", EMPTY, "ingest")
def nobody_had_applied_by_then(house: House) -> None:
    house.params(as_of="2024-01-01T00:00:00Z")


@fails("cohort", EMPTY, "ingest")
def nobody_agreed_to_that_purpose(house: House) -> None:
    house.params(cohort={"purpose": "share"})


@fails("derive", CONFIG, "ingest", "cohort")
def something_unknown_is_left_out(house: House) -> None:
    house.params(derive={"leave_out": ["nothing_of_that_name"]})


@fails("derive", CONFIG, "ingest", "cohort")
def memory_is_too_small(house: House) -> None:
    house.params(memory_gb=0.1)


@fails(
    "derive",
    None,
    "ingest",
    "cohort",
    before="import resource; resource.setrlimit(resource.RLIMIT_AS, (900 << 20,) * 2)",
)
def memory_runs_out(house: House) -> None:
    """The system gives no more than 900 MB of addresses."""


@fails("label", MISSING, "ingest")
def a_stage_is_skipped(house: House) -> None:
    """The cohort was never made."""


@fails("train", UNREADABLE, "ingest", "cohort", "label", "derive")
def the_features_are_damaged(house: House) -> None:
    path = house.ws / "derive/features.parquet"
    path.write_bytes(path.read_bytes()[:500] + ASHA.encode() * 20)


@fails("explain", ARTIFACT, *LATER)
def the_model_is_another(house: House) -> None:
    append(house.ws / "train/model.txt", f"\n# {ASHA}\n")


@fails("explain", UNREADABLE, *LATER)
def the_metrics_are_broken(house: House) -> None:
    (house.ws / "evaluate/metrics.json").write_text(f'{{"warnings": ["{ASHA}"')


@fails("export", CONFIG, *LATER)
def the_scale_is_impossible(house: House) -> None:
    house.params(export={"pdo": -20})


@fails("verify out/work/export/scorecard-0.1.0.saakh", ARTIFACT, *LATER)
def a_scorecard_was_tampered_with(house: House) -> None:
    with zipfile.ZipFile(house.ws / "export/scorecard-0.1.0.saakh", "a") as archive:
        archive.writestr("more.json", json.dumps({"number": f"{NUMBER}3"}))
    house.ws.joinpath("export/scorecard-0.1.0.saakh").replace(house.root / "tampered.saakh")
    (house.root / "tampered.saakh").replace(house.ws / "export/scorecard-0.1.0.saakh")


@fails("rebuild out/again.saakh", MISSING, *LATER)
def a_model_was_never_registered(house: House) -> None:
    """No store of MLflow came along."""


# The audit log, consent, privacy


def logged(house: House) -> Path:
    ended = house.saakh("cohort")
    assert ended.returncode == 0, ended.stderr
    return house.ws / "audit/audit.jsonl"


@fails("cohort", AUDIT, "ingest")
def the_log_was_written_on(house: House) -> None:
    append(logged(house), f'{{"index": 3, "who": "{NUMBER}"}}\n')


@fails("audit verify", AUDIT, "ingest")
def the_log_was_edited(house: House) -> None:
    path = logged(house)
    path.write_text(path.read_text().replace("tester", NAME))


@fails("cohort", AUDIT, "ingest")
def the_head_was_edited(house: House) -> None:
    append(logged(house).with_name("audit.jsonl.head"), ASHA)


@fails("cohort", CONFIG, "ingest")
def the_actor_is_a_sentence(house: House) -> None:
    house.params(audit={"actor": "somebody else's name"})


@fails("audit verify", MISSING)
def there_is_no_log(house: House) -> None:
    """Nothing was run."""


@fails(f"consent status {NAME}.P00000001x", CONSENT, "ingest")
def nobody_has_that_id(house: House) -> None:
    """An id that a person typed wrongly."""


@fails(f"consent why {NAME}.A00000001-1 whereabouts", CONFIG, "ingest", "cohort")
def there_is_no_such_category(house: House) -> None:
    """A category that is none."""


@fails("key rotate", CONFIG, "ingest")
def the_shards_have_no_key(house: House) -> None:
    """Shards follow from the key still."""


@fails("key rotate", CONTRACT, "ingest")
def the_drops_changed(house: House) -> None:
    assert house.saakh("key", "shard", "shards.txt").returncode == 0
    house.params(ingest={"shard_key_file": "shards.txt"})
    append(house.raw / "people.jsonl", json.dumps({"person": ASHA}) + "\n")


@fails(
    "export-table payments --to bureau --why credit_bureau --columns person_id,amount_minor --out out/p.csv",
    CONSENT,
    "ingest",
)
def nobody_agreed_to_sharing(house: House) -> None:
    """The sample's people agreed to scoring and training."""


@fails("export-table calls --to bureau --why auditor --columns who --out out/c.csv", CONFIG, "ingest")
def there_is_no_such_column(house: House) -> None:
    """A column that is none."""


@fails("reidentify", UNREADABLE, "ingest", "cohort")
def a_traced_table_is_damaged(house: House) -> None:
    path = table(house, "locations")
    path.write_bytes(path.read_bytes()[:300] + ASHA.encode() * 30)


@fails("init raw --out mapping.yaml", CONFIG)
def a_mapping_is_there_already(house: House) -> None:
    """The mapping that is in use."""


THROWS = f"""
import pipeline.run
def stage(name, params, ws, tell):
    raise ValueError("cannot convert {ASHA} {NUMBER}4")
pipeline.run.run_stage = stage
"""


@fails("cohort", 1, "ingest", before=THROWS)
def something_nobody_foresaw(house: House) -> None:
    """A library's message quotes a row."""


KILLED = """
import os, signal, threading
threading.Timer(4, os.kill, (os.getpid(), signal.SIGTERM)).start()
"""


@fails("run", 143, before=KILLED)
def a_run_is_stopped(house: House) -> None:
    """In the midst of things."""

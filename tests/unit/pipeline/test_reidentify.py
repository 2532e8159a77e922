"""Who could be told from the others: unicity and k by hand, and nothing of what consent closed."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features import tables
from pipeline import reidentify
from pipeline.canonical import schema
from pipeline.engines import read_table, write_table
from pipeline.params import Params
from pipeline.reidentify.anonymity import classes, k_anonymity
from pipeline.reidentify.unicity import Points, coded, is_alone, unicity
from pipeline.workspace import Workspace, read_json, write_json
from saakh.errors import ConfigError

# Four people and the apps they use: a and b cannot be told apart, c shares two of three apps, d has one of a kind.
APPS = {"a": "chat mail maps", "b": "chat mail maps", "c": "chat mail pay", "d": "chat game mail"}
NAMES = sorted({app for apps in APPS.values() for app in apps.split()})


def points() -> Points:
    pairs = [(who, app) for who, apps in APPS.items() for app in apps.split()]
    return coded([who for who, _ in pairs], [app for _, app in pairs])


def numbers(apps: str) -> np.ndarray:
    return np.array([NAMES.index(app) for app in apps.split()])


@pytest.mark.parametrize(
    ("known", "alone"), [("chat mail", False), ("maps", False), ("chat pay", True), ("game", True)]
)
def test_who_is_alone_with_some_points(known: str, alone: bool) -> None:
    assert is_alone(points(), numbers(known)) is alone


def test_unicity_of_all_their_points_is_the_share_with_a_set_of_their_own() -> None:
    told = unicity(points(), 3, 100, 0.95, seed=1)
    assert (told["people"], told["people_with_enough"], told["sampled"]) == (4, 4, 4)
    last = told["by_known"][-1]
    assert (last["known"], last["singled_out"], last["share"]) == (3, 2, 0.5)
    assert (last["low"], last["high"]) == pytest.approx((0.150039, 0.849961), abs=1e-6)  # Wilson 1927, by hand
    assert told["by_known"][0]["singled_out"] <= last["singled_out"]


def test_people_with_too_few_points_are_left_out_and_counted() -> None:
    told = unicity(points(), 4, 100, 0.95, seed=1)
    assert (told["people"], told["people_with_enough"], told["sampled"]) == (4, 0, 0)
    assert told["by_known"][-1] == {"known": 4, "singled_out": 0, "share": None, "low": None, "high": None}


def test_unicity_of_a_sample_is_near_that_of_all_and_the_same_each_time() -> None:
    draw = np.random.default_rng(3)
    found = coded(np.repeat(np.arange(2_000), 8), draw.integers(0, 60, 16_000))
    whole = unicity(found, 3, 2_000, 0.95, seed=1)["by_known"][-1]["share"]
    part = unicity(found, 3, 400, 0.95, seed=1)
    assert part == unicity(found, 3, 400, 0.95, seed=1)
    assert part["by_known"][-1]["low"] <= whole <= part["by_known"][-1]["high"]


def test_a_value_known_twice_over_is_one_point() -> None:
    assert len(coded(["a", "a"], ["chat", "chat"]).point) == 1


def test_a_missing_value_is_a_value_by_which_somebody_stands_out() -> None:
    from pycanon import anonymity

    table = pa.table({"place": ["x"] * 11 + [None], "tier": [1] * 12})
    assert k_anonymity(table, ["place", "tier"]) == 1
    frame = pd.DataFrame(table.to_pydict())
    assert anonymity.k_anonymity(frame, ["place", "tier"]) == 11  # why values are handed over as codes


def test_k_is_the_smallest_class_whatever_the_types() -> None:
    draw = np.random.default_rng(1)
    held = {"a": draw.integers(0, 4, 500), "b": draw.choice(["x", "y", "z"], 500), "c": draw.random(500) < 0.5}
    table = pa.table(held)
    sizes = np.bincount(classes(table, list(held)))
    assert k_anonymity(table, list(held)) == sizes.min() == pd.DataFrame(held).groupby(list(held)).size().min()
    assert k_anonymity(table.slice(0, 0), list(held)) == 0


SNAPSHOT, AS_OF = datetime(2026, 3, 1), datetime(2026, 6, 1)


def world(root: Path, people: int = 30, closed: int = 0) -> Params:
    """People with two cells each, their own and one all know; consent of the first `closed` is for scoring only."""
    ws, names = Workspace(root), [f"{n:032x}" for n in range(people)]
    rows = [{"person_id": p, "cell_id": c, "east_m": 0, "north_m": 0} for p in names for c in (p, "f" * 32)]
    times = dict.fromkeys(("event_at", "available_at", "local_at"), datetime(2026, 2, 1, 9, 30))
    table = pa.Table.from_pylist([row | times for row in rows], schema(tables.locations))
    write_table(ws.stage("ingest") / "locations.parquet", table)
    agreed = [
        {
            "artefact_id": p,
            "person_id": p,
            "category": "location",
            "purpose": "score" if n < closed else "train",
            "starts_at": datetime(2026, 1, 1),
            "basis": "explicit",
        }
        for n, p in enumerate(names)
    ]
    write_table(ws.root / "ingest/consents.parquet", pa.Table.from_pylist(agreed, schema(tables.consents)))
    asked = [{"application_id": p, "person_id": p, "snapshot_at": SNAPSHOT, "asked_at": AS_OF} for p in names]
    kinds = pa.schema([(n, pa.string() if n.endswith("id") else pa.timestamp("us")) for n in reidentify.ASKING])
    write_table(ws.stage("cohort") / "cohort.parquet", pa.Table.from_pylist(asked, kinds))
    write_json(ws.root / "cohort/cohort.json", {"purpose": "train", "policies": ["explicit-consent"]})
    write_json(ws.root / "ingest/ingest.json", {"files": []})
    said: dict[str, Any] = {
        "policy": "explicit-consent",
        "as_of": "2026-06-01T00:00:00Z",
        "workspace": root,
        "threads": 1,
        "reidentify": {"known": 2, "people": 20},
    }
    return Params.model_validate(said)


def test_a_cell_of_ones_own_singles_everybody_out(tmp_path: Path) -> None:
    params, ws = world(tmp_path), Workspace(tmp_path)
    reidentify.run(params, ws)
    found = read_json(tmp_path / "reidentify/reidentify.json")
    [places, times] = found["unicity"]
    assert (places["name"], places["people"], places["sampled"]) == ("places", 30, 20)
    assert places["by_known"][-1]["share"] == 1.0
    assert times["by_known"][-1]["share"] == 1.0
    assert found["records"] == []  # neither people nor devices were ingested
    assert reidentify.fresh(ws) == found
    write_json(tmp_path / "ingest/ingest.json", {"files": ["another"]})
    assert reidentify.fresh(ws) is None


def test_only_what_consent_opens_is_looked_at(tmp_path: Path) -> None:
    reidentify.run(world(tmp_path, closed=25), Workspace(tmp_path))
    [places, _] = read_json(tmp_path / "reidentify/reidentify.json")["unicity"]
    assert (places["people"], places["sampled"]) == (5, 5)


def test_what_a_policy_bars_is_not_looked_at(tmp_path: Path) -> None:
    params, ws = world(tmp_path), Workspace(tmp_path)
    handset = {"event_at": SNAPSHOT - timedelta(days=9), "available_at": SNAPSHOT - timedelta(days=9), "device_id": "d"}
    rows = [handset | {"person_id": f"{n:032x}", "brand": "b", "operator_id": f"o{n}"} for n in range(30)]
    write_table(ws.root / "ingest/devices.parquet", pa.Table.from_pylist(rows, schema(tables.devices)))
    held = read_table(ws.root / "ingest/consents.parquet")
    more = [row | {"category": "device"} for row in held.to_pylist()]
    write_table(ws.root / "ingest/consents.parquet", pa.concat_tables([held, pa.Table.from_pylist(more, held.schema)]))
    reidentify.run(params, ws)
    [handsets] = read_json(tmp_path / "reidentify/reidentify.json")["records"]
    assert (handsets["people"], handsets["k"], handsets["share_alone"]) == (30, 1, 1.0)
    with pytest.raises(ConfigError, match="cohort ran under explicit-consent"):
        reidentify.run(params.model_copy(update={"policy": ("in-rbi-2025",)}), ws)
    write_json(ws.root / "cohort/cohort.json", {"purpose": "train", "policies": ["in-rbi-2025"]})
    reidentify.run(params.model_copy(update={"policy": ("in-rbi-2025",)}), ws)
    found = read_json(tmp_path / "reidentify/reidentify.json")
    assert found["unicity"] == []  # places are barred
    assert [row["columns"] for row in found["records"]] == [["brand", "os", "price_tier"]]
    assert found["records"][0]["k"] == 30


def test_figures_name_nobody_and_are_the_same_each_time(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        reidentify.run(world(tmp_path / name), Workspace(tmp_path / name))
        found.append((tmp_path / name / "reidentify/reidentify.json").read_bytes())
    assert found[0] == found[1]
    assert b"0000000000" not in found[0]

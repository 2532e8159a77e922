"""Real loans on arrival: the phone's bad clocks are repaired and counted, and what came too late stays visible."""

import os
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest

from pipeline import ingest
from pipeline.params import read_params
from pipeline.workspace import Workspace
from tests.lender_drop import Ingested

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SAAKH_REAL_DATA") or ROOT.parent / "shared" / "data") / "kenya_gps"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real loans at {DATA}; SAAKH_REAL_DATA names their place")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Ingested:
    root = tmp_path_factory.mktemp("kenya")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAAKH_KEY", "ab" * 32)
        patch.setenv("SAAKH_REAL_DATA", str(DATA.parent))
        patch.chdir(ROOT)
        ingest.run(read_params(ROOT / "params.kenya_gps.yaml"), Workspace(root))
    return Ingested(root / "ingest")


def test_every_row_is_kept_but_repeated_fixes(found: Ingested) -> None:
    tables = found.report["tables"]
    assert {name: (t["rows_in"], t["rows_kept"], t["rejected"]) for name, t in tables.items()} == {
        "applications": (400, 400, {}),
        "locations": (26_710, 26_155, {"duplicate": 555}),
        "people": (400, 400, {}),
        "consents": (4_800, 4_800, {}),
    }


def test_wrong_phone_clocks_are_repaired_and_counted(found: Ingested) -> None:
    locations = found.table("locations")
    assert found.report["tables"]["locations"]["clock_repaired"] == 133
    years = pc.min_max(pc.year(locations["event_at"])).as_py()
    assert years == {"min": 2016, "max": 2019}
    assert pc.all(pc.less_equal(locations["event_at"], locations["available_at"])).as_py()


def test_nearly_half_of_the_fixes_came_at_or_after_the_application(found: Ingested) -> None:
    applied = found.table("applications").select(["person_id", "applied_at"])
    fixes = found.table("locations").join(applied, "person_id")
    late = pc.greater_equal(fixes["available_at"], fixes["applied_at"])
    assert fixes.num_rows == 26_155
    assert pc.sum(late).as_py() == 12_373


def test_loans_are_good_or_bad_and_money_is_in_cents(found: Ingested) -> None:
    counts: list[Any] = found.table("applications")["outcome"].value_counts().to_pylist()
    assert {c["values"]: c["counts"] for c in counts} == {"good": 200, "bad": 200}
    income = pc.min_max(found.table("people")["income_minor"]).as_py()
    assert income == {"min": 1_190, "max": 4_165_781}


def test_no_coordinate_and_no_raw_id_is_left(found: Ingested) -> None:
    assert not {"latitude", "longitude", "user_id"} & set(found.table("locations").column_names)
    north = pc.min_max(found.table("locations")["north_m"]).as_py()
    assert max(abs(north["min"]), abs(north["max"])) > 1_000_000  # Kenya lies within 600 km of the equator

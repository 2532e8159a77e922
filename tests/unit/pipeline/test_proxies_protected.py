"""What an audit may read of people: of those who agreed to research, what was known; and that nobody else reads it."""

import ast
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from features.columns import Sensitivity
from features.tables import calls, consents, people
from pipeline.engines import write_table
from pipeline.params import Params
from pipeline.policy import read_policies
from pipeline.proxies.protected import (
    HAPPENED_ABOVE,
    PROTECTED,
    attributes,
    barred,
    lent,
    life_event_features,
    life_events,
    targets,
)
from pipeline.question import chosen
from pipeline.workspace import Workspace
from saakh.errors import ConfigError
from tests.ascii import rows

ROOT = Path(__file__).parents[3]
CONSENTS = """
| artefact_id | person_id | category      | purpose  | starts_at  | revoked_at | data_from  | basis    |
| c1          | p1        | profile       | research | 2025-01-01 | -          | -          | explicit |
| c2          | p2        | profile       | train    | 2025-01-01 | -          | -          | explicit |
| c3          | p3        | profile       | research | 2025-01-01 | 2026-05-01 | -          | explicit |
| c4          | p4        | profile       | research | 2025-01-01 | -          | 2026-01-05 | explicit |
| c5          | p1        | communication | research | 2025-01-01 | -          | -          | explicit |
"""
PEOPLE = """
| person_id | event_at   | available_at | age_years | gender |
| p1        | 2026-01-01 | 2026-01-01   | 29        | female |
| p1        | 2026-01-08 | 2026-01-08   | 30        | female |
| p1        | 2026-01-09 | 2026-03-01   | 31        | male   |
| p1        | 2026-02-10 | 2026-02-10   | 45        | male   |
| p2        | 2026-01-01 | 2026-01-01   | 50        | male   |
| p3        | 2026-01-01 | 2026-01-01   | 50        | male   |
| p4        | 2026-01-01 | 2026-01-01   | 50        | male   |
"""
APPLICANTS = (("a1", "p1"), ("a2", "p2"), ("a3", "p3"), ("a4", "p4"))


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    snapshot, asked = np.datetime64("2026-02-01", "us"), np.datetime64("2026-06-01", "us")
    write_table(tmp_path / "ingest/consents.parquet", rows(consents, CONSENTS))
    write_table(tmp_path / "ingest/people.parquet", rows(people, PEOPLE))
    keys, persons = zip(*APPLICANTS, strict=True)
    cohort = {"application_id": keys, "person_id": persons, "snapshot_at": [snapshot] * 4, "asked_at": [asked] * 4}
    write_table(tmp_path / "cohort/cohort.parquet", pa.table(cohort))
    return Workspace(tmp_path)


def told(ws: Workspace, *keys: str) -> dict[str, list[float | None]]:
    found = targets(params(), ws, pa.array(keys))
    return {t.name: [None if np.isnan(v) else float(v) for v in t.value] for t in found}


def test_only_who_agreed_to_research_is_looked_at_and_only_what_was_known_before_the_application(ws: Workspace) -> None:
    # p1's last declaration known by February is 30; p2 agreed to training, p3 withdrew, p4's lies before the range
    assert told(ws, "a1", "a2", "a3", "a4")["age_years_from_30"] == [1.0, None, None, None]
    assert told(ws, "a4", "a1")["gender_female"] == [None, 1.0]


def test_life_events_are_derived_for_research_under_the_same_consent(ws: Workspace) -> None:
    event = "| person_id | event_at | contact_id | direction | duration_s | is_answered |\n"
    lost = [f"| {p} | 2025-12-0{d} | old | out | 60 | yes |\n" for p in ("p1", "p2") for d in range(1, 10)]
    new = [f"| {p} | 2026-01-2{d} | new | out | 60 | yes |\n" for p in ("p1", "p2") for d in range(3)]
    write_table(ws.root / "ingest/calls.parquet", rows(calls, event + "".join(lost + new)))
    assert told(ws, "a1", "a2")["separation_tie_loss_90d"] == [1.0, None]
    assert told(ws, "a1", "a2")["move_night_share_90d"] == [None, None]  # locations were never ingested


def test_without_declarations_there_is_no_attribute(ws: Workspace) -> None:
    (ws.root / "ingest/people.parquet").unlink()
    found = told(ws, "a1", "a2")
    assert found["age_years_from_30"] == [None, None]
    assert not [name for name in found if name.startswith("gender")]


def test_an_age_is_cut_and_a_category_is_told_value_by_value() -> None:
    declared = pa.table({"age_years": [19, 30, None, 64], "gender": ["female", "male", None, "male"]})
    found = {t.name: t for t in attributes(declared, (30, 60))}
    assert list(found) == ["age_years_from_30", "age_years_from_60", "gender_female"]
    assert found["age_years_from_30"].value[[0, 1, 3]].tolist() == [0.0, 1.0, 1.0]
    assert np.isnan(found["gender_female"].value[2])
    three = pa.table({"age_years": [30, 30, 30], "gender": ["female", "male", "other"]})
    assert [t.name for t in attributes(three, ())] == ["gender_female", "gender_male", "gender_other"]


def test_a_trace_above_its_bound_counts_as_a_life_event() -> None:
    columns = [column for feature in life_event_features() for column in feature.columns]
    traced = pa.table({column: [0.0, 0.4, 1.5, None] for column in columns})
    found = {t.name: t for t in life_events(traced)}
    assert set(found) == set(columns)
    assert found["move_night_share_90d"].value[:3].tolist() == [0.0, 0.0, 1.0]
    assert found["move_night_share_90d"].meaning.endswith("in cells without such fixes before: above 0.5")
    assert np.isnan(found["pay_interruption_180d"].value[3])


def test_every_bound_is_of_a_declared_life_event_and_each_has_one() -> None:
    assert set(HAPPENED_ABOVE) == {feature.name for feature in life_event_features()}


def test_life_events_are_no_part_of_what_a_score_is_derived_from() -> None:
    asked = params()
    used = chosen(asked, ("calls", "messages", "payments", "locations", "people"), read_policies(asked.policy))
    assert not set(used) & set(life_event_features())
    assert all(feature.sensitivity is Sensitivity.ORDINARY for feature in used)


def test_a_table_that_a_policy_of_the_run_bars_is_not_read_for_an_audit_either(ws: Workspace) -> None:
    event = "| person_id | event_at | contact_id | direction | duration_s | is_answered |\n"
    calls_of = "".join(f"| p1 | 2025-12-0{d} | old | out | 60 | yes |\n" for d in range(1, 10))
    write_table(ws.root / "ingest/calls.parquet", rows(calls, event + calls_of))
    asked = params(policy="in-rbi-2025")
    found = {t.name for t in targets(asked, ws, pa.array(["a1"]))}
    assert "in-rbi-2025 bars the table calls" in barred(lent(asked))["separation_tie_loss"]
    assert "separation_tie_loss_90d" not in found
    assert {"age_years_from_30", "pay_interruption_180d"} <= found


def test_what_a_policy_keeps_from_a_score_is_what_the_audit_looks_for() -> None:
    asked = params(policy="us-ecoa")
    assert barred(lent(asked)) == {}


def test_consent_counts_within_the_bounds_of_the_runs_policies_and_of_the_audits_own(ws: Workspace) -> None:
    vouched = CONSENTS.replace("| -          | -          | explicit |\n| c2", "| - | - | asserted_by_source |\n| c2")
    write_table(ws.root / "ingest/consents.parquet", rows(consents, vouched))
    assert told(ws, "a1")["age_years_from_30"] == [None]


def test_an_audit_needs_a_policy_that_allows_what_it_looks_at() -> None:
    with pytest.raises(ConfigError, match=r"proxies\.policy is us-ecoa, under which no life event may be measured"):
        lent(params(proxies={"policy": "us-ecoa"}))


def params(**changed: object) -> Params:
    return Params.model_validate(
        {"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "threads": 1} | changed
    )


MAY_NAME = {
    "features/tables.py",  # declares them
    "pipeline/sections.py",  # lets a search for strategies compare approval by it
    "pipeline/init/guess.py",  # proposes a mapping for columns called so in a source
    "pipeline/world/papers.py",  # writes what synthetic people declare
    "pipeline/world/traits.py",  # draws it
}
MAY_IMPORT = {
    "pipeline.proxies.protected": {
        "pipeline/fairness/__init__.py",
        "pipeline/fairness/groups.py",
        "pipeline/proxies/__init__.py",
        "pipeline/proxies/audit.py",
    },
    "pipeline.fairness.groups": {
        "pipeline/fairness/__init__.py",
        "pipeline/fairness/candidates.py",
        "pipeline/fairness/cohorts.py",
        "pipeline/fairness/measured.py",
        "pipeline/fairness/search.py",
        "pipeline/membership/__init__.py",
    },
}


def modules() -> list[Path]:
    return [path for folder in ("features", "models", "pipeline", "saakh") for path in (ROOT / folder).rglob("*.py")]


def test_no_module_names_a_protected_column_but_those_that_declare_or_write_it() -> None:
    names = {column.name for column in PROTECTED}
    assert names == {"age_years", "gender"}
    naming = {str(path.relative_to(ROOT)) for path in modules() if names & words_of(path)}
    assert naming <= MAY_NAME


def words_of(path: Path) -> set[str]:
    """Names and literal texts in a module: how a column could be read."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Constant(str() as value) | ast.Attribute(_, value) | ast.Name(value):
                found.add(value)
            case ast.keyword(str() as value):
                found.add(value)
    return found


@pytest.mark.parametrize("reader", MAY_IMPORT)
def test_what_reads_protected_columns_is_imported_by_audits_alone(reader: str) -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if reader in imported(node)
    }
    assert readers == MAY_IMPORT[reader]


def imported(node: ast.AST) -> set[str]:
    match node:
        case ast.ImportFrom(module=str() as module, names=names):
            return {module, *(f"{module}.{name.name}" for name in names)}
        case ast.Import(names=names):
            return {name.name for name in names}
    return set()

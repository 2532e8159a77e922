"""A run under policies: what a policy bars is not read, what one allows is there, and no stage mixes two."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow.compute as pc
import pytest

from features.graph import FEATURES
from pipeline.engines import read_table
from pipeline.params import Params
from pipeline.run import run_stage
from pipeline.workspace import Workspace, read_json
from saakh.errors import ConfigError, ConsentError, MissingInputError
from tests.functional.conftest import small_params

CIRCLES = 10
REST = ("identity", "life_stage", "lifestyle", "brand", "calls", "messages", "interactions")
"""What is left out beside the graph and some payments: a plan for all features takes seconds."""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Params:
    """A small world of people in circles who call each other, ingested."""
    params = small_params(tmp_path_factory.mktemp("network"), policy="research-opt-in")
    drawn = {"world": "network", "people": 12 * CIRCLES, "span_days": 120}
    params = params.model_copy(update={"simulate": params.simulate.model_copy(update=drawn)})
    for stage in ("simulate", "ingest"):
        run_stage(stage, params, Workspace(params.workspace))
    return params


@pytest.fixture
def under(network: Params, tmp_path: Path) -> Iterator:
    """Derives the world under some policies, in a workspace of its own; returns the workspace."""

    def derived(*policies: str, leave_out: tuple[str, ...] = REST) -> Workspace:
        ws = Workspace(tmp_path / "-".join(policies))
        ws.root.mkdir()
        (ws.root / "ingest").symlink_to(network.workspace / "ingest")
        asked = network.model_dump() | {"policy": policies, "workspace": ws.root, "derive": {"leave_out": leave_out}}
        for stage in ("cohort", "label", "derive"):
            run_stage(stage, Params.model_validate(asked), ws)
        return ws

    return derived


def test_the_graph_of_all_people_is_measured_where_a_policy_allows_it(under: object) -> None:
    ws = under("research-opt-in")
    features = read_table(ws.root / "derive/features.parquet")
    names = [feature.name for feature in FEATURES]
    specs = {spec["name"]: spec["sensitivity"] for spec in read_json(ws.root / "derive/specs.json")}
    assert {name: specs[name] for name in names} == dict.fromkeys(names, "sensitive")
    assert features.column_names[1:] == list(specs)
    degree = features["graph_degree"].drop_null()
    assert len(degree) > 0.8 * len(features)
    assert pc.mean(degree).as_py() > 1  # circles of twelve, a quarter of whose ties stay inside
    assert read_json(ws.root / "derive/derive.json")["coverage"]["contact_names"]["present"] > 0.8 * len(features)


def test_one_policy_that_does_not_allow_it_is_enough_to_leave_it_out(under: object) -> None:
    ws = under("research-opt-in", "us-ecoa")
    assert not any(name.startswith("graph_") for name in read_table(ws.root / "derive/features.parquet").column_names)


def test_parts_of_the_graph_may_be_left_out_by_name(under: object) -> None:
    names = read_table(
        under("research-opt-in", leave_out=(*REST, "graph_degree")).root / "derive/features.parquet"
    ).column_names
    assert "graph_degree" not in names
    assert "graph_degree_in" in names


def test_a_barred_table_is_not_opened_and_coverage_says_so(under: object, network: Params, tmp_path: Path) -> None:
    """The barred tables' files are not even Parquet here: whoever opened them would fail."""
    barred = ["app_installs", "app_sessions", "calls", "contact_names", "locations", "messages", "web_visits"]
    spoiled = tmp_path / "spoiled"
    spoiled.mkdir()
    for path in (network.workspace / "ingest").iterdir():
        if path.stem in barred:
            (spoiled / path.name).write_text("nobody may read this")
        else:
            (spoiled / path.name).symlink_to(path)
    ws = under("in-rbi-2025", leave_out=("lifestyle", "brand"))
    again = Workspace(tmp_path / "again")
    again.root.mkdir()
    (again.root / "ingest").symlink_to(spoiled)
    asked = network.model_dump() | {"policy": "in-rbi-2025", "workspace": again.root}
    asked["derive"] |= {"leave_out": ("lifestyle", "brand")}
    for stage in ("cohort", "derive"):
        run_stage(stage, Params.model_validate(asked), again)
    for file in ("features.parquet", "coverage.parquet", "specs.json", "derive.json"):
        assert (again.root / "derive" / file).read_bytes() == (ws.root / "derive" / file).read_bytes()
    account = read_json(ws.root / "derive/derive.json")
    told = {name for name, counts in account["coverage"].items() if counts["barred"] == account["applications"]}
    assert told == set(barred)
    assert set(account["events_too_late"]) == set(account["coverage"]) - set(barred)
    assert {s["table"] for s in read_json(ws.root / "derive/specs.json")}.isdisjoint({*barred, "interactions"})


def test_a_stage_does_not_go_on_under_another_policy_than_the_one_before(under: object, network: Params) -> None:
    ws = under("us-ecoa")
    asked = Params.model_validate(network.model_dump() | {"policy": ["in-dpdp", "us-ecoa"], "workspace": ws.root})
    with pytest.raises(ConfigError, match=r"cohort ran under us-ecoa, and now the policy is in-dpdp \+ us-ecoa; rerun"):
        run_stage("derive", asked, ws)
    with pytest.raises(ConfigError, match=r"derive ran under us-ecoa, .*rerun `saakh derive`"):
        run_stage("train", asked, ws)


def test_a_policy_whose_bounds_nobody_keeps_leaves_no_cohort(under: object) -> None:
    with pytest.raises(ConsentError, match=r"beyond the bounds of explicit-consent \+ in-aa-ct001, and open nothing"):
        under("in-aa-ct001", "explicit-consent")


def test_files_of_an_optional_source_may_be_missing_and_others_may_not(network: Params, tmp_path: Path) -> None:
    mapping = network.ingest.mapping.read_text()
    (tmp_path / "strict.yaml").write_text(mapping.replace("    optional: true\n", ""))
    raw = tmp_path / "raw"
    raw.mkdir()
    for path in network.simulate.out.iterdir():
        if path.name != "contact_names":
            (raw / path.name).symlink_to(path)
    for name, fails in ((network.ingest.mapping, False), (tmp_path / "strict.yaml", True)):
        ingest = network.ingest.model_copy(update={"source": raw, "mapping": name})
        asked = network.model_copy(update={"ingest": ingest, "workspace": tmp_path / "work"})
        if fails:
            with pytest.raises(MissingInputError, match=r"no file in .* matches contact_names/\*.parquet"):
                run_stage("ingest", asked, Workspace(asked.workspace))
            continue
        run_stage("ingest", asked, Workspace(asked.workspace))
        assert not (asked.workspace / "ingest/contact_names.parquet").exists()

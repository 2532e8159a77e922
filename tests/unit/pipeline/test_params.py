"""A source folder may come from the environment, as in a shell."""

from pathlib import Path

import pytest

from pipeline.params import Params, read_params
from saakh.errors import ConfigError


def source(text: str) -> Path:
    return Params.model_validate(
        {"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "ingest": {"source": text}}
    ).ingest.source


def test_a_variable_that_is_set_wins_over_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PLACE", "/mnt/drops")
    assert source("${SOME_PLACE:-../data}/kenya_gps") == Path("/mnt/drops/kenya_gps")
    assert source("${SOME_PLACE}/a") == Path("/mnt/drops/a")


@pytest.mark.parametrize("held", [None, ""])
def test_one_that_is_not_set_or_empty_gives_way_to_its_default(
    monkeypatch: pytest.MonkeyPatch, held: str | None
) -> None:
    monkeypatch.delenv("SOME_PLACE", raising=False)
    if held is not None:
        monkeypatch.setenv("SOME_PLACE", held)
    assert source("${SOME_PLACE:-../data}/kenya_gps") == Path("../data/kenya_gps")
    assert source("plain/$HOME") == Path("plain/$HOME")


def test_one_without_a_default_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME_PLACE", raising=False)
    path = tmp_path / "params.yaml"
    path.write_text("as_of: 2026-06-01T00:00:00Z\ningest: {source: '${SOME_PLACE}/a'}\n")
    with pytest.raises(ConfigError, match=r"'ingest\.source'.*the environment variable SOME_PLACE is not set"):
        read_params(path)


def refused(tmp_path: Path, text: str) -> str:
    path = tmp_path / "params.yaml"
    path.write_text(f"as_of: 2026-06-01T00:00:00Z\npolicy: explicit-consent\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        read_params(path)
    return str(caught.value)


def test_a_policy_must_be_named_and_has_no_default(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("as_of: 2026-06-01T00:00:00Z\n")
    with pytest.raises(ConfigError, match=r"'policy': is missing; `saakh policy list` shows the policies"):
        read_params(path)
    assert read_params(path, ["us-ecoa"]).policy == ("us-ecoa",)


def test_policies_are_one_name_or_several_and_their_order_does_not_show(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_text("as_of: 2026-06-01T00:00:00Z\npolicy: [us-ecoa, in-dpdp, us-ecoa]\n")
    params = read_params(path)
    assert params.policy == ("in-dpdp", "us-ecoa")
    assert params.policies == "in-dpdp + us-ecoa"
    assert read_params(path, ["eu-ccd2"]).policy == ("eu-ccd2",)
    assert Params.model_validate(params.model_dump(mode="json")) == params
    for wrong in ("[]", "3", "{a: b}", "[1]"):
        path.write_text(f"as_of: 2026-06-01T00:00:00Z\npolicy: {wrong}\n")
        with pytest.raises(ConfigError, match="'policy"):
            read_params(path)


def test_a_purpose_that_nobody_can_consent_to_is_refused(tmp_path: Path) -> None:
    told = refused(tmp_path, "cohort: {purpose: scoring}")
    assert "'cohort.purpose'" in told
    assert "score, train, monitor, share, research" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("export: {bands: [600, 500]}", "'export.bands': cut-offs must rise"),
        ("export: {bands: [500, 500]}", "'export.bands': cut-offs must rise"),
        (f"export: {{bands: {list(range(26))}}}", "25 at most"),
        ("label: {indeterminate_dpd_days: 40}", "indeterminate_dpd_days is 40; it must not exceed dpd_days, 30"),
    ],
)
def test_what_contradicts_itself_is_refused_before_the_first_stage(tmp_path: Path, text: str, told: str) -> None:
    assert told in refused(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "export: {base_points: .nan}",  # no JSON can hold it, and no score be made of it
        "export: {pdo: .inf}",
        "export: {base_odds: 1.0e+9}",  # the scorecard's reader takes up to a million to one
        "export: {bands: [.nan]}",
        "export: {version: 01.0.0}",
        "train: {rounds_max: 20000}",  # a scorecard holds 10,000 trees
        "train: {gap_days: 1000000000}",  # beyond any date
        "train: {lambda_l2: .inf}",
        "train: {linear_prior: 0}",
        "train: 5",
        "label: {performance_window_days: 1000000000}",
        "seed: -1",  # no random generator takes it
        "seed: 1099511627776",
        "memory_gb: 0.001",  # not enough for the engine to start
        "memory_gb: .inf",
    ],
)
def test_a_number_no_stage_could_work_with_is_refused_where_it_is_read(tmp_path: Path, text: str) -> None:
    assert f"'{text.split(':', maxsplit=1)[0]}" in refused(tmp_path, text)

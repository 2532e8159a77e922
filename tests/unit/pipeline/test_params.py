"""A source folder may come from the environment, as in a shell."""

from pathlib import Path

import pytest

from pipeline.params import Params, read_params
from saakh.errors import ConfigError


def source(text: str) -> Path:
    return Params.model_validate({"as_of": "2026-06-01T00:00:00Z", "ingest": {"source": text}}).ingest.source


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

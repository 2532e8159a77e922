"""What changed between two scorecards, and whether the version says so."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.diff import diff, in_words
from pipeline.export import build
from saakh import archive
from saakh.scorecard import Scorecard
from tests.small_scorecard import booster, bundle, packed, scorecard, table, text


def card(raw: bytes) -> Scorecard:
    return Scorecard.from_members(archive.unpack(raw))


@cache
def of_inputs(inputs: int, rounds: int = 40, **export: object) -> bytes:
    """A scorecard of trees alone."""
    return build(bundle(booster(table(features=inputs), rounds).model_to_string(), inputs, **export))


def test_a_scorecard_does_not_differ_from_itself() -> None:
    found = diff(scorecard(), scorecard())
    assert (found.level, found.is_told) == ("none", True)
    assert not (found.scaling or found.bands or found.reasons or found.consent or found.sample.moved)
    assert found.sample.vectors == 2 * len(scorecard().vectors())


def test_another_scale_moves_every_vector_alike_and_asks_for_a_minor_version() -> None:
    found = diff(scorecard(), card(packed(version="0.1.1", base_points=560.0)))
    assert found.scaling["base_points"] == (600.0, 560.0)
    assert found.sample.moved == found.sample.vectors
    assert found.sample.points == pytest.approx(dict.fromkeys(found.sample.points, -40.0) | {"mean_abs": 40.0})
    assert (found.level, found.is_told) == ("minor", False)
    assert diff(scorecard(), card(packed(version="0.2.0", base_points=560.0))).is_told
    assert (found.sample.reasons, found.sample.first_reason) == (0, 0)


def test_bands_crossed_are_counted_by_way() -> None:
    found = diff(scorecard(), card(packed(version="0.2.0", base_points=560.0)))
    before, after = scorecard(), card(packed(version="0.2.0", base_points=560.0))
    rows = [(v.row, v.refused) for c in (before, after) for v in c.vectors()]
    ways = [f"{before.score(*row).band} to {after.score(*row).band}" for row in rows]
    assert found.sample.bands == {way: ways.count(way) for way in set(ways) if way[0] != way[-1]}
    assert sum(found.sample.bands.values()) > 0


def test_moved_cutoffs_are_named() -> None:
    found = diff(scorecard(), card(packed(version="0.2.0", bands=(480.0, 520.0, 570.0, 600.0))))
    assert found.bands == {"B": (560.0, 570.0)}
    assert (found.level, found.sample.moved) == ("minor", 0)
    assert set(found.sample.bands) == {"B to C"}


def test_an_input_less_or_measured_otherwise_asks_for_a_major_version() -> None:
    fewer = diff(scorecard(), card(of_inputs(7, version="0.2.0")))
    assert (fewer.inputs.removed, fewer.inputs.added) == (("input_7_30d",), ())
    assert (fewer.level, fewer.is_told) == ("major", False)
    more = diff(card(of_inputs(7)), scorecard())
    assert more.inputs.added == ("input_7_30d",)
    given = bundle(text(), 8, version="1.0.0")
    specs = [raw | ({"fingerprint": "f" * 64} if raw["name"] == "input_2_30d" else {}) for raw in given.specs]
    other = diff(scorecard(), card(build(replace(given, specs=specs))))
    assert other.inputs.redefined == ("input_2_30d",)
    assert (other.level, other.is_told, other.sample.moved) == ("major", True, 0)


def test_other_words_are_a_patch() -> None:
    given = bundle(text(), 8, version="0.1.1")
    specs = [raw | {"reason": raw["reason"].replace("at night", "by night")} for raw in given.specs]
    found = diff(scorecard(), card(build(replace(given, specs=specs))))
    assert found.reasons == {
        "text of calls-at-night": ("Calls at night", None),
        "text of calls-by-night": (None, "Calls by night"),
    }
    assert {("new reasons", "Calls by night"), ("former reasons", "Calls at night")} <= set(in_words(found))
    assert found.inputs.retold == ("input_2_30d", "input_5_30d")
    assert (found.level, found.is_told, found.sample.moved) == ("patch", True, 0)


def test_a_refit_is_a_minor_change() -> None:
    found = diff(card(of_inputs(8)), card(of_inputs(8, rounds=41, version="0.2.0")))
    assert (found.level, found.is_told) == ("minor", True)
    assert found.inputs.added == found.inputs.removed == ()
    assert 0 < found.sample.moved <= found.sample.vectors


def test_the_command_prints_words_and_json(tmp_path: Path) -> None:
    one, other = tmp_path / "one.saakh", tmp_path / "other.saakh"
    one.write_bytes(packed())
    other.write_bytes(packed(version="0.1.1", base_points=560.0))
    words = CliRunner().invoke(app, ["diff", str(one), str(other)]).output
    assert "the version does not tell: it asks for a new minor version" in words
    assert "scaling          base_points: 600 to 560" in words
    told = json.loads(CliRunner().invoke(app, ["diff", str(one), str(other), "--json"]).output)
    assert (told["level"], told["scaling"]["base_points"]) == ("minor", [600.0, 560.0])

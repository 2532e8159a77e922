"""A scorecard that decides: the lending terms travel in it, and scoring and deciding by them are one."""

import json
from pathlib import Path

import pytest

from pipeline.export import build
from pipeline.lending import decision_json, read_lending
from saakh import archive
from saakh.application import Application
from saakh.decide import decide
from saakh.errors import ArtifactError
from saakh.scorecard import TERMS, Scorecard
from tests.small_scorecard import booster, bundle, names, scorecard, table

LENDING = Path(__file__).parents[3] / "data" / "lending" / "sample.yaml"
ASKED = {"id": "a", "on": "2026-06-01", "amount_minor": 500_000, "income_minor": 4_000_000, "is_adult": True}


@pytest.fixture(scope="module")
def members() -> dict[str, bytes]:
    told = decision_json(read_lending(LENDING)).decode()
    return dict(archive.unpack(build(bundle(booster(table()).model_to_string(), 8, terms=told))))


@pytest.mark.parametrize("value", [-3.0, 0.0, 3.0])
def test_it_decides_by_its_own_score_and_its_own_terms(members: dict[str, bytes], value: float) -> None:
    card = Scorecard.from_members(members)
    row = dict.fromkeys(names(8), value)
    score = card.score(row)
    assert card.terms is not None
    expected = decide(card.terms, Application.from_dict(ASKED), score.pd, score.points, score.missing, 0)
    assert card.decide(row, ASKED) == expected
    assert card.decide(row, Application.from_dict(ASKED)) == expected


def test_terms_change_no_score(members: dict[str, bytes]) -> None:
    row = dict.fromkeys(names(8), 0.5)
    plain = Scorecard.from_members(archive.unpack(build(bundle(booster(table()).model_to_string(), 8))))
    assert Scorecard.from_members(members).score(row) == plain.score(row)


def test_one_without_terms_scores_and_says_that_it_does_not_decide() -> None:
    with pytest.raises(ArtifactError, match="carries no lending terms"):
        scorecard().decide({}, ASKED)


def test_terms_that_were_changed_are_refused(members: dict[str, bytes]) -> None:
    said = json.loads(members[TERMS])
    with pytest.raises(ArtifactError, match="digest"):
        Scorecard.from_members(members | {TERMS: json.dumps(said | {"version": "9.9.9"}).encode()})

"""A scorecard of every protocol released stays readable: here, files as they were written then."""

from pathlib import Path

import pytest

import saakh

FOLDER = Path(__file__).parent / "protocols"
ROW = {"input_0_30d": 0.5, "input_1_30d": -1.0, "input_2_30d": 2.0, "input_3_30d": None}


def test_protocol_1_scores_as_it_did():
    card = saakh.load(FOLDER / "1.saakh")
    assert card.manifest.protocol == 1
    assert card.verify().largest_difference <= 1e-9
    score = card.score(ROW)
    assert score.points == pytest.approx(520.9825126374569, abs=1e-9)
    assert score.pd == pytest.approx(0.23622552793385587, abs=1e-12)
    assert score.contributions == pytest.approx(
        {
            "input_0_30d": 3.2795604752349514,
            "input_1_30d": 0.0,
            "input_2_30d": -5.57211933651102,
            "input_3_30d": -2.009876867292206,
        },
        abs=1e-9,
    )


def test_protocol_1_takes_refusals_too():
    card = saakh.load(FOLDER / "1.saakh")
    assert card.score(ROW, ("airtime",)).points == pytest.approx(card.baseline, abs=1e-9)

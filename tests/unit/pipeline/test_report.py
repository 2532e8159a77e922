"""The report's tables and warnings: they reconcile, hide what is too small, and say what must be known."""

from datetime import UTC, datetime

import numpy as np
import pytest

from pipeline.explain.contributions import Contributions
from pipeline.explain.evidence import Evidence
from pipeline.explain.report import flow, risk_groups, vintages
from pipeline.explain.warnings import closed_points, warnings
from pipeline.params import Params
from saakh.spec import FeatureSpec

SPLIT = {
    "development": {"rows": 60},
    "out_of_time": {"rows": 20},
    "excluded": {"indeterminate": 5, "gap": 0, "known_person": 4},
}
STAGES = {
    "cohort": {"rows_in": 120, "verdicts": {"kept": 100, "not granted": 20}},
    "label": {"verdicts": {"good": 75, "bad": 9, "immature": 11, "indeterminate": 5}},
    "train": {"split": SPLIT, "dropped": [{"name": "web_visits_90d", "reason": "all null"}]},
    "evaluate": {
        "warnings": ["12 bad of 90 loans: few"],
        "out_of_time": {"auc": {"value": 0.6, "low": 0.48, "high": 0.7}},
        "through_the_door": {"observed_expected": {"value": 1.4, "low": 1.1, "high": 1.8}},
    },
}


def _spec(name: str, table: str) -> FeatureSpec:
    said = {"description": name, "table": table, "category": "airtime", "unit": "count", "reason": name}
    return FeatureSpec.from_dict({"name": name, "family": "social", "risk": 0, "fingerprint": "0" * 64, **said})


def _evidence(consent: dict[str, int]) -> Evidence:
    inputs = np.ones((30, 2))
    inputs[:12, 0] = np.nan
    return Evidence(
        params=Params(policy="explicit-consent", as_of=datetime(2026, 6, 1, tzinfo=UTC)),
        specs=(_spec("topups_90d", "topups"), _spec("calls_90d", "calls")),
        keys=tuple(f"{i:032x}" for i in range(30)),
        inputs=inputs,
        is_bad=np.zeros(30, bool),
        is_out_of_time=np.zeros(30, bool),
        found=Contributions(np.zeros((30, 2)), 0.0, np.zeros(30)),
        importance={"points_per_log_odds": 20.0},
        stages=STAGES,
        consent=consent,
        outcome_supplied=False,
        closed={"topups": np.arange(30) < 12, "calls": np.arange(30) < 9},
    )


POINTS = np.column_stack([np.where(np.arange(30) < 12, -2.0, 1.0), np.full(30, -3.0)])


def test_every_application_is_used_or_left_out_for_a_reason():
    told = flow(STAGES)
    assert [(step["what"], step["rows"]) for step in told] == [
        ("applications received", 120),
        ("not granted", 20),
        ("immature", 11),
        ("neither good nor bad", 5),
        ("later, by people trained on: for calibration only", 4),
        ("development", 60),
        ("out of time", 20),
    ]
    assert told[0]["rows"] == sum(step["rows"] for step in told[1:])
    assert told[-1]["left"] == 0


def test_a_risk_group_of_fewer_than_ten_has_no_rates():
    groups = [
        {"decile": 1, "rows": 36, "bads": 10, "observed": 10 / 36, "expected": 0.27},
        {"decile": 2, "rows": 9, "bads": 0, "observed": 0.0, "expected": 0.1},
    ]
    told = risk_groups({"confidence": 0.95, "out_of_time": {"by_decile": groups}}, "out_of_time")["groups"]
    assert (told[0]["low"], told[0]["high"]) == pytest.approx((0.158483, 0.439925), abs=1e-6)  # Wilson 1927, by hand
    assert (told[1]["shown"], told[1]["low"], told[1]["high"]) == (False, None, None)
    assert (told[0]["caught"], told[0]["seen"]) == (1.0, 36 / 45)


def test_what_closing_a_source_costs_is_told_for_ten_applicants_or_more():
    evidence = _evidence({"explicit": 40})
    assert closed_points(evidence, POINTS, "topups") == -2.0
    assert closed_points(evidence, POINTS, "calls") is None
    assert closed_points(evidence, POINTS, "messages") is None


def test_what_must_be_known_is_said_in_words():
    assert warnings(_evidence({"asserted_by_source": 30, "explicit": 10}), POINTS) == [
        "12 bad of 90 loans: few.",
        "The interval of the AUC reaches 0.5: out of time, the ranking may be no better than chance.",
        "More loans of all later comers went bad than predicted, beyond chance: the risk level is set too low.",
        "Consent is asserted by the source for 75\u00a0% of the artefacts, not by the applicants.",
        "Refusing must never cost points, yet closing a source does, on average: topups (−2.0).",
        "Having no value costs points, on average, for topups_90d (−2.0).",
        "Left out of the model: web_visits_90d (all null).",
    ]


def test_nothing_is_said_of_points_that_closing_does_not_cost():
    said = " ".join(warnings(_evidence({"explicit": 40}), np.abs(POINTS)))
    assert "closing" not in said
    assert "Consent" not in said


def test_a_month_without_a_bad_loan_has_no_interval_and_still_its_place_on_the_axis() -> None:
    month = {"month": "2026-01", "rows": 40, "observed_expected": {"value": 0.9, "low": 0.7, "high": 1.2}}
    none_bad = {"month": "2026-02", "rows": 40, "observed_expected": {"value": 0.0, "low": None, "high": None}}
    metrics = {"out_of_fold": {"by_vintage": [month]}, "through_the_door": {"by_vintage": [none_bad]}}
    assert vintages(metrics)["axis"].low == 0.0

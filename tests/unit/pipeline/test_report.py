"""The report's tables and warnings: they reconcile, hide what is too small, and say what must be known."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from pipeline.explain.contributions import Contributions
from pipeline.explain.counts import Counts, arrivals, counted, grouped, nested
from pipeline.explain.evidence import Evidence
from pipeline.explain.report import flow, loans_left, risk_groups, shared, vintages
from pipeline.explain.warnings import closed_points, warnings
from pipeline.params import Params
from saakh.spec import FeatureSpec

SPLIT = {
    "development": {"rows": 60},
    "out_of_time": {"rows": 20},
    "excluded": {"indeterminate": 5, "gap": 0, "known_person": 4},
}
CHECKED = {
    "verdict": "passed",
    "leaks": [],
    "people_on_both_sides": 0,
    "permuted": {"refits": 30, "mean_auc": 0.501, "reach": 0.01},
    "adversarial": {"auc": 0.6, "limit": 0.8, "columns": []},
    "auc_out_of_time": 0.7,
    "auc_suspect": 0.78,
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
        refused=(),
        selfcheck=CHECKED,
    )


POINTS = np.column_stack([np.where(np.arange(30) < 12, -2.0, 1.0), np.full(30, -3.0)])


def test_every_application_is_used_or_left_out_for_a_reason():
    told = flow(STAGES, counted(STAGES))
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
    counts = Counts({"out_of_time 1": 36, "out_of_time 2": 9, "out_of_time": 45}, [])
    told = risk_groups({"confidence": 0.95, "out_of_time": {"by_decile": groups}}, "out_of_time", counts)["groups"]
    assert [group["told"] for group in told] == ["36", "hidden"]
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
        "No membership audit was run on this model: whether it gives away who taught it is not known.",
        "No fairness audit was run on this model: how it treats groups of people is not known.",
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
    counts = Counts({"out_of_fold 2026-01": 40, "through_the_door 2026-02": 40}, [])
    assert vintages(metrics, counts)["axis"].low == 0.0


def test_a_small_exclusion_takes_another_with_it_so_that_the_sum_does_not_tell_it() -> None:
    hidden = counted(STAGES).hidden
    assert {"train: indeterminate", "train: known_person"} <= hidden  # 5 and 4: alone, their sum of 9 would follow
    assert "label: immature" in hidden  # 11, the smallest of what adds up with them
    assert "development" not in hidden
    assert "cohort: not granted" not in hidden


def test_what_is_withheld_has_no_bar_and_no_bar_starts_where_it_ends() -> None:
    told = flow(STAGES, counted(STAGES))
    assert {step["told"] for step in told if not step["shown"]} == {"hidden"}
    assert {step["start"] for step in told} == {0.0}


def test_a_status_of_few_is_withheld_with_another_of_its_source() -> None:
    coverage = {"calls": {"present": 80, "silent": 13, "closed": 7, "absent": 0}}
    hidden = counted(STAGES | {"derive": {"coverage": coverage}}).hidden
    assert {"calls: closed", "calls: silent"} <= hidden
    assert "calls: present" not in hidden


def test_all_comers_do_not_tell_how_few_were_trained_on() -> None:
    later = {"out_of_time": {"rows": 20}, "through_the_door": {"rows": 24}}
    hidden = counted(STAGES | {"evaluate": later}).hidden
    assert "train: known_person" in hidden
    assert {"through_the_door", "out_of_time"} & hidden


def test_a_rule_that_turned_away_few_rows_is_withheld_with_another_number() -> None:
    table = {"rows_in": 1_000, "rows_kept": 948, "rejected": {"bad_time": 3, "missing": 49}}
    counts = arrivals(table)
    assert counts is not None
    assert [counts.told(name) for name in ("bad_time", "missing", "rows kept", "rows read")] == [
        *("hidden", "hidden", "948", "1,000")
    ]


def test_groups_do_not_tell_how_few_are_in_none() -> None:
    assert grouped([40, 30, 30], 100) == ["40", "30", "30"]
    assert grouped([40, 30, 27], 100) == ["40", "30", "hidden"]


def test_loans_that_policies_leave_do_not_tell_how_few_one_takes_from_another() -> None:
    assert nested([100, 80, 80, 0], 100) == ["100", "80", "80", "0"]
    assert nested([95, 80, 74, 5], 100) == ["hidden", "80", "hidden", "hidden"]
    rows = [{"policy": "a", "loans": 60}, {"policy": "b", "loans": 97}]
    assert loans_left({"loans": 100, "policies": rows}) == {"a": "60", "b": "hidden"}
    assert loans_left(None) == {}


def test_records_of_few_people_are_withheld_by_difference_too() -> None:
    record = {"people": 200, "share_alone": 0.2, "share_below": 0.5}
    assert (shared(record)["alone"], shared(record)["below"]) == (0.2, 0.5)
    few = shared({"people": 200, "share_alone": 0.02, "share_below": 0.5})
    assert (few["alone"], few["below"]) == (None, 0.5)
    near = shared({"people": 200, "share_alone": 0.2, "share_below": 0.22})  # four more, which the two would tell
    assert None in (near["alone"], near["below"])
    most = shared({"people": 200, "share_alone": 0.2, "share_below": 0.98})
    assert most["below"] is None
    assert (shared({"people": 0})["alone"], shared({"people": 0})["below"]) == (None, None)


def test_a_leak_that_the_selfcheck_found_is_said_and_so_is_that_none_was_looked_for():
    leak = {"column": "topups_90d", "why": "its value alone ranks loans at 0.950"}
    told = warnings(replace(_evidence({"explicit": 40}), selfcheck=CHECKED | {"leaks": [leak]}), POINTS)
    assert "Selfcheck: topups_90d: its value alone ranks loans at 0.950." in told
    told = warnings(replace(_evidence({"explicit": 40}), selfcheck={"verdict": "not run"}), POINTS)
    assert "No selfcheck was run on this model: leaks were not looked for." in told

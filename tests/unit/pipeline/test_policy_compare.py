"""What falls away from one policy to another, and from a run."""

import pytest

from features.catalogue import named, specs_of
from pipeline.policy import Policy, read_policy
from pipeline.policy.commands import print_diff, print_list, print_policy
from pipeline.policy.compare import bounds_set, bounds_tightened, columns_closed, fallen, left, removed, tables_closed

HOUSE, INDIA, TEMPLATE = (read_policy(name) for name in ("explicit-consent", "in-rbi-2025", "in-aa-ct001"))


def test_features_columns_and_categories_that_go_add_up() -> None:
    specs = specs_of([named("call_contacts"), named("call_night_share"), named("handsets_seen"), named("sims_seen")])
    what = removed(specs, [INDIA])
    gone = len(named("call_contacts").columns) + len(named("call_night_share").columns) + 1
    assert what.features == (4, 1)
    assert what.columns == (gone + 1, 1)
    assert what.categories == ("communication",)
    told = {taken.why: (taken.features, taken.columns) for taken in what.taken}
    assert told["in-rbi-2025 bars the table calls"] == (("call_night_share", "call_contacts"), gone - 1)
    assert told["in-rbi-2025 bars the column devices.sim_id"] == (("sims_seen",), 1)
    assert [spec.name for spec in left(specs, [INDIA])] == ["handsets_seen"]


def test_columns_of_a_feature_that_were_not_derived_do_not_count() -> None:
    specs = specs_of([named("call_contacts")])[:2]
    assert removed(specs, [INDIA]).columns == (2, 0)


def test_nothing_falls_away_from_a_policy_to_itself() -> None:
    assert fallen(INDIA, INDIA).taken == ()
    assert tables_closed(INDIA, INDIA) == columns_closed(INDIA, INDIA) == bounds_tightened(INDIA, INDIA) == []


def test_tables_columns_and_bounds_that_are_closed_are_named() -> None:
    assert "interactions" in tables_closed(HOUSE, INDIA)
    assert tables_closed(INDIA, HOUSE) == []
    assert columns_closed(HOUSE, INDIA) == ["devices.number_id", "devices.operator_id", "devices.sim_id"]
    assert bounds_tightened(HOUSE, INDIA) == ["every purpose: basis: explicit (was: no bound)"]
    assert bounds_tightened(INDIA, HOUSE) == []


def test_bounds_of_one_purpose_are_told_by_it() -> None:
    said = {"name": "mine", "title": "M", "jurisdiction": "N", "in_force_from": "2026-01-01", "citation": "C"}
    mine = Policy.model_validate(said | {"bounds": {"train": {"life_days_max": 90}, "score": {"life_days_max": 20}}})
    assert bounds_set(mine) == {
        "score": "days from its start to its expiry: 20",
        "train": "days from its start to its expiry: 90",
    }
    found = bounds_tightened(TEMPLATE, mine)
    assert found == ["score: days from its start to its expiry: 20 (was: 31)"]
    assert bounds_set(HOUSE) == {}
    assert list(bounds_set(TEMPLATE)) == ["every purpose"]


def test_the_commands_say_it(capsys: pytest.CaptureFixture[str]) -> None:
    print_list()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["policy", "jurisdiction", "since", "features", "columns", "what", "it", "is"]
    assert [line.split()[0] for line in lines[1:]] == sorted(line.split()[0] for line in lines[1:])
    print_policy("us-ecoa")
    said = capsys.readouterr().out
    for text in (
        "citation            Regulation B",
        "reasons             4 at most",
        "people.gender",
        "within 30 days",
    ):
        assert text in said
    print_policy("in-dpdp")
    assert "365 days a sealed copy of personal data and logs (Rule 8(3)), then destroy it" in capsys.readouterr().out
    print_diff("explicit-consent", "in-rbi-2025")
    said = capsys.readouterr().out
    assert said.startswith("From explicit-consent to in-rbi-2025 falls away:\n  tables      app_installs")
    assert "location, apps, browsing, communication: nothing is left of them" in said
    assert "come back" not in said
    print_diff("in-rbi-2025", "explicit-consent")
    said = capsys.readouterr().out
    assert "features    0 of " in said
    assert "features come back" in said

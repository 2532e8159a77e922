"""Several policies hold at once: bounds, retention and reasons are those of the strictest."""

from pipeline.gate import NO_BOUNDS, Bounds
from pipeline.policy import Policy, bounds_for, read_policies, reasons_of, retention_of


def policy(**said: object) -> Policy:
    return Policy.model_validate(
        {"name": "mine", "title": "M", "jurisdiction": "N", "in_force_from": "2026-01-01", "citation": "C"} | said
    )


def test_bounds_of_every_purpose_and_of_one_hold_together_and_the_smallest_wins() -> None:
    one = policy(bounds={"every": {"life_days_max": 90, "basis": ["explicit"]}, "train": {"life_days_max": 30}})
    other = policy(bounds={"train": {"life_days_max": 60, "age_days_max": 7}, "score": {"fetch_type": ["onetime"]}})
    assert bounds_for([one], "score") == Bounds(life_days_max=90, basis=("explicit",))
    assert bounds_for([one], "train") == Bounds(life_days_max=30, basis=("explicit",))
    assert bounds_for([one, other], "train") == Bounds(life_days_max=30, age_days_max=7, basis=("explicit",))
    assert bounds_for([one, other], "monitor") == Bounds(life_days_max=90, basis=("explicit",))
    assert bounds_for([policy()], "train") == NO_BOUNDS


def test_names_that_no_two_policies_share_allow_nothing() -> None:
    one, other = (
        policy(bounds={"every": {"fetch_type": ["onetime"]}}),
        policy(bounds={"train": {"fetch_type": ["periodic"]}}),
    )
    assert bounds_for([one, other], "train").fetch_type == ()
    assert bounds_for([one, other], "score").fetch_type == ("onetime",)


def test_retention_takes_every_cause_the_shortest_keeping_and_the_longest_hold() -> None:
    one = policy(
        retention={"erase_on": ["withdrawal"], "keep_days_max": 30, "hold": {"days": 365, "what": "a", "why": "b"}}
    )
    other = policy(
        retention={
            "erase_on": ["withdrawal", "expiry"],
            "keep_days_max": 60,
            "hold": {"days": 9, "what": "c", "why": "d"},
        }
    )
    both = retention_of([other, one, policy()])
    assert (both.erase_on, both.keep_days_max, both.hold) == (("withdrawal", "expiry"), 30, one.retention.hold)
    assert retention_of([policy()]).model_dump() == {"erase_on": (), "keep_days_max": None, "hold": None}


def test_reasons_are_the_fewest_and_no_phrase_that_any_policy_bans() -> None:
    one, other = policy(reasons={"most": 4, "banned": ["score"]}), policy(reasons={"most": 2, "notice_days_max": 30})
    both = reasons_of([one, other, policy()])
    assert (both.most, both.banned, both.notice_days_max) == (2, ("score",), 30)
    assert both.phrase_in("Your Score was low") == "score"
    assert both.phrase_in("Few people in calls") == ""


def test_the_law_that_keeps_and_the_law_that_erases_both_hold() -> None:
    both = retention_of(read_policies(["in-aa-ct001", "in-dpdp"]))
    assert (both.keep_days_max, both.hold.days, set(both.erase_on)) == (
        31,
        365,
        {"withdrawal", "expiry", "purpose_end"},
    )

"""What a declaration refuses at import, and what it gives when it stands."""

import pytest

from features.catalogue import all_features
from features.declare import Risk
from features.reasons import CODES
from features.sources import linked, only, per, view_of
from features.tables import calls, people, repayments
from features.windows import CLOCK_SPLITS, DAYPART, WEEKPART, Slice
from pipeline.reasons import read_reasons
from saakh.errors import DeclarationError
from tests.declaring import calls_made, declare, refused


def test_an_unknown_column_is_refused_with_those_there_are() -> None:
    def longest_call(call):
        """Longest call."""
        return call.duration.max()

    said = refused(longest_call)
    assert said.startswith("feature 'longest_call':")
    assert "'duration'" in said
    assert "The view of 'calls' has: person_id, event_at, available_at, local_at, contact_id, direction, dur" in said


def test_the_clock_is_no_column_of_a_table_without_event_times() -> None:
    def late_night(row):
        """Instalments at night."""
        return row.count(where=row.is_night)

    assert "The view of 'repayments' has: application_id, person_id, instalment, due_at," in refused(
        late_night, repayments
    )


def test_a_feature_without_a_docstring_is_refused() -> None:
    def silent(call):
        return call.count()

    assert refused(silent) == "feature 'silent' has no docstring; say in a sentence what it measures"


def test_a_feature_without_a_reason_is_refused() -> None:
    assert refused(calls_made, reason="") == "feature 'calls_made' has no reason; say what an applicant is told"


def test_a_second_feature_of_the_same_name_is_refused() -> None:
    declare(calls_made)
    assert "'calls_made' is declared twice" in refused(calls_made)


def test_a_column_of_another_feature_is_refused() -> None:
    def call_contacts_30d(call):
        """People in calls."""
        return call.contact_id.nunique()

    assert refused(call_contacts_30d) == (
        "feature 'call_contacts_30d' makes a column that is there already: call_contacts_30d"
    )


@pytest.mark.parametrize("window", [0, -30])
def test_a_window_under_a_day_is_refused(window: int) -> None:
    assert "a window under a day" in refused(calls_made, windows=(30, window))


def test_a_split_by_what_is_told_apart_already_is_refused() -> None:
    def call_parts(call):
        """Whether there are calls of both parts of the week."""
        return call.is_weekend.nunique()

    assert "is split by 'is_weekend', which it tells apart already" in refused(call_parts, splits=(WEEKPART,))
    by_night = per(calls, "is_night", events=lambda call: call.count())

    def call_night_top(cell):
        """Calls in the busier part of the day."""
        return cell.events.max()

    assert "is split by 'is_night'" in refused(call_night_top, by_night, splits=CLOCK_SPLITS)


def test_a_body_takes_the_view_and_nothing_else() -> None:
    def calls_above(call, seconds=60):
        """Number of long calls."""
        return call.count(where=call.duration_s > seconds)

    assert refused(calls_above) == "feature 'calls_above' must take one argument: the view of 'calls'"


@pytest.mark.parametrize(("value", "kind"), [(3, "int"), (None, "NoneType"), ("call", "str")])
def test_a_body_that_returns_no_expression_is_refused(value: object, kind: str) -> None:
    def constant(call):
        """A constant."""
        return value

    assert refused(constant) == f"feature 'constant' must return one Ibis expression, not {kind}"


def test_a_body_over_events_that_does_not_aggregate_is_refused() -> None:
    def duration(call):
        """Seconds talked."""
        return call.duration_s

    said = "feature 'duration' has a value for each row of 'calls'; end in an aggregate, as `.sum()`"
    assert refused(duration) == said


def test_a_body_over_the_latest_declaration_need_not_aggregate() -> None:
    def household(person):
        """People in the household."""
        return person.household_size

    assert declare(household, people).lineage == ("household_size",)


@pytest.mark.parametrize("column", ["age_years", "gender"])
def test_a_protected_column_is_refused_directly(column: str) -> None:
    def about(person):
        """Something of the person."""
        return person[column]

    assert refused(about, people) == f"feature 'about' reads 'people.{column}', which only the audit may read"


def test_a_protected_column_is_refused_by_way_of_cells() -> None:
    ages = per(people, "occupation", oldest=lambda person: person.age_years.max())
    sexes = per(people, "gender", found=lambda person: person.count())

    def oldest(occupation):
        """Age of the oldest."""
        return occupation.oldest.max()

    def groups(sex):
        """Number of groups."""
        return sex.found.count()

    assert "'people.age_years', which only the audit may read" in refused(oldest, ages)
    assert "'people.gender', which only the audit may read" in refused(groups, sexes)


def test_rows_chosen_outside_an_aggregate_are_refused_for_they_would_hide_a_protected_column() -> None:
    def women(person):
        """How many declarations a woman made."""
        return person.filter(person.gender == "female").count()

    assert refused(women, people).startswith("feature 'women' reads other rows than those of 'people'")


def test_a_view_of_another_table_or_a_changed_one_is_refused() -> None:
    def neighbours(call):
        """People in the same house."""
        return view_of(people).household_size.max()

    def minutes(call):
        """Minutes talked."""
        return call.mutate(minutes=call.duration_s / 60).minutes.sum()

    assert "reads other rows than those of 'calls'" in refused(neighbours)
    assert "reads other rows than those of 'calls'" in refused(minutes)


@pytest.mark.parametrize("module", ["features.expressions", "pipeline.derive", "__main__"])
def test_a_feature_belongs_to_a_family(module: str) -> None:
    said = refused(calls_made, module=module)
    assert said == (
        f"feature 'calls_made' is declared in '{module.rpartition('.')[2]}'; "
        "the families are identity, life_stage, lifestyle, social, brand"
    )


def test_the_family_is_the_module() -> None:
    assert declare(calls_made, module="features.life_stage").family == "life_stage"


def test_cells_by_an_unknown_key_are_refused_with_those_there_are() -> None:
    with pytest.raises(
        DeclarationError, match=r"view of 'calls' has no key 'contact'; it has: person_id, .*contact_id"
    ):
        per(calls, "contact", events=lambda call: call.count())


def test_cells_of_an_unknown_column_are_refused_with_those_there_are() -> None:
    with pytest.raises(DeclarationError, match=r"measure 'longest': .*'duration'.*The view of 'calls' has: person_id"):
        per(calls, "contact_id", longest=lambda call: call.duration.max())


def test_a_measure_that_does_not_aggregate_is_refused() -> None:
    with pytest.raises(DeclarationError, match="measure 'length' has a value for each row of 'calls'"):
        per(calls, "contact_id", length=lambda call: call.duration_s)


def test_a_column_is_named_by_feature_and_window() -> None:
    columns = declare(calls_made, windows=(7, 90)).columns
    assert dict(columns) == {"calls_made_7d": Slice(7), "calls_made_90d": Slice(90)}


def test_a_split_feature_has_a_column_for_each_part_and_combination() -> None:
    assert list(declare(calls_made, windows=(30,), splits=(WEEKPART, DAYPART)).columns) == [
        "calls_made_30d",
        "calls_made_weekday_30d",
        "calls_made_weekend_30d",
        "calls_made_day_30d",
        "calls_made_night_30d",
        "calls_made_weekday_day_30d",
        "calls_made_weekday_night_30d",
        "calls_made_weekend_day_30d",
        "calls_made_weekend_night_30d",
    ]


def test_a_column_of_a_part_says_so() -> None:
    whole, weekday, _ = declare(calls_made, windows=(30,), splits=(WEEKPART,)).specs()
    assert whole.description == "Number of calls made."
    assert weekday.description == "Number of calls made. On weekday events alone."
    assert whole.fingerprint != weekday.fingerprint


def test_rows_are_chosen_by_a_condition_over_the_view() -> None:
    with pytest.raises(DeclarationError, match="condition 'long' must say yes or no for each row of 'calls'"):
        only(calls, "long", lambda call: call.duration_s)
    with pytest.raises(DeclarationError, match=r"condition 'long': .*The view of 'calls' has: person_id"):
        only(calls, "long", lambda call: call.seconds > 60)


def test_rows_are_linked_by_a_column_there_is() -> None:
    with pytest.raises(DeclarationError, match="the view of 'calls' has no column 'contact'; it has: person_id"):
        linked(calls, "contact")


def test_cells_are_ranked_by_a_measure_and_lie_days_apart_by_day() -> None:
    with pytest.raises(DeclarationError, match="cells are ranked by a measure; 'seconds' is not among events"):
        per(calls, "contact_id", ranked=("seconds",), events=lambda call: call.count())
    with pytest.raises(DeclarationError, match="a number of days apart when their one key is 'day'"):
        per(calls, "hour", apart=(7,), events=lambda call: call.count())


def test_without_a_window_the_column_is_the_feature() -> None:
    assert dict(declare(calls_made).columns) == {"calls_made": Slice()}


def test_a_spec_says_all_that_is_known_downstream() -> None:
    spec = declare(calls_made, windows=(30,), risk=Risk.FALLS).specs()[0]
    assert spec.as_dict() | {"fingerprint": ""} == {
        "name": "calls_made_30d",
        "description": "Number of calls made.",
        "family": "social",
        "table": "calls",
        "category": "communication",
        "unit": "count",
        "risk": -1,
        "reason": "Few calls",
        "fingerprint": "",
        "window_days": 30,
        "low": 0.0,
        "high": None,
        "sensitivity": "ordinary",
        "code": "calls-made",
        "actionable": False,
    }


def test_what_an_applicant_may_be_told_to_change_follows_from_table_window_direction_and_family() -> None:
    by_name = {feature.name: feature for feature in all_features()}
    assert by_name["topup_gap_longest"].actionable
    assert not by_name["line_tenure"].actionable  # without a window it never forgets
    assert not by_name["payment_weekend_share"].actionable  # no direction is declared
    assert not by_name["salary_received"].actionable  # a life stage is nothing to be told to change
    assert not by_name["call_strong_tie_share"].actionable  # nor is whom somebody calls
    assert by_name["instalments_overdue"].actionable  # said where it is declared


def test_every_feature_has_a_reason_code_with_its_words_in_every_language() -> None:
    assert {feature.code for feature in all_features()} <= set(CODES)
    assert {"en", "hi"} <= set(read_reasons())
    for said in read_reasons().values():
        assert set(said) == set(CODES)

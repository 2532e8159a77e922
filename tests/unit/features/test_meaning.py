"""Where a value comes from, and when its meaning has changed."""

from typing import Any

import pytest

from features.columns import Table
from features.declare import REGISTRY, Risk, Unit
from features.sources import Cells, linked, only, per
from features.tables import brand_events, calls
from features.windows import Calendar
from tests.declaring import Body, calls_made, declare


def test_lineage_names_the_columns_read_in_order() -> None:
    def answered_seconds(call):
        """Seconds of answered calls."""
        return call.duration_s.sum(where=call.is_answered)

    assert declare(answered_seconds).lineage == ("duration_s", "is_answered")


@pytest.mark.parametrize(
    ("clock", "column"),
    [("age_s", "event_at"), ("day", "event_at"), ("gap_s", "event_at"), ("hour", "local_at"), ("is_night", "local_at")],
)
def test_lineage_follows_the_clock_to_the_time_it_was_told_from(clock: str, column: str) -> None:
    def moment(call):
        """A moment."""
        return call[clock].max()

    assert declare(moment).lineage == (column,)


def test_a_count_of_rows_reads_no_column() -> None:
    def dealings(event):
        """Number of dealings."""
        return event.count()

    assert declare(dealings, brand_events).lineage == ()


def test_lineage_follows_cells_to_their_keys_and_to_those_measures_that_are_read() -> None:
    contacts = per(
        calls,
        "contact_id",
        nights=lambda call: call.count(where=call.is_night),
        seconds=lambda call: call.duration_s.sum(),
    )

    def night_contacts(contact):
        """People called at night."""
        return contact.count(where=contact.nights > 0)

    def contacts_seen(contact):
        """People called."""
        return contact.count()

    assert declare(night_contacts, contacts).lineage == ("contact_id", "local_at")
    assert declare(contacts_seen, contacts).lineage == ("contact_id",)


def prints(body: Body, source: Table | Cells = calls, **said: Any) -> str:
    """The fingerprint of the body's first column, its name put aside."""
    body.__name__ = "same"
    REGISTRY.pop("same", None)
    return declare(body, source, **said).specs()[0].fingerprint


def long_calls(seconds: int, doc: str = "Number of long calls.") -> Body:
    def body(call):
        return call.count(where=call.duration_s > seconds)

    body.__doc__ = doc
    return body


def test_a_fingerprint_stands_while_only_words_change() -> None:
    before = prints(long_calls(60))
    assert before == prints(long_calls(60, doc="How many calls were long."))
    assert before == prints(long_calls(60), reason="Few long calls")
    assert before == prints(long_calls(60), risk=Risk.RISES)


def test_a_fingerprint_changes_with_each_part_of_the_meaning() -> None:
    def not_over(call):
        """Number of short calls."""
        return call.count(where=call.duration_s <= 60)

    changed = [
        prints(long_calls(60)),
        prints(long_calls(61)),
        prints(not_over),
        prints(long_calls(60), windows=(30,)),
        prints(long_calls(60), windows=(90,)),
        prints(long_calls(60), unit=Unit.DAYS),
    ]
    assert len(set(changed)) == len(changed)


def test_a_fingerprint_changes_with_the_columns_name_and_the_window() -> None:
    thirty, ninety = declare(calls_made, windows=(30, 90)).specs()
    assert thirty.fingerprint != ninety.fingerprint


def test_a_fingerprint_follows_the_cells_it_reads_and_no_others() -> None:
    def several(contact):
        """People called more than once."""
        return contact.count(where=contact.events > 1)

    def made(**more: Body) -> Cells:
        return per(calls, "contact_id", events=lambda call: call.count(), **more)

    before = prints(several, made())
    assert before == prints(several, made(seconds=lambda call: call.duration_s.sum()))
    answered = per(calls, "contact_id", events=lambda call: call.count(where=call.is_answered))
    assert before != prints(several, answered)
    assert before != prints(several, per(calls, "day", events=lambda call: call.count()))


def test_a_fingerprint_follows_the_calendar_where_it_is_read() -> None:
    def night_calls(call):
        """Number of calls at night."""
        return call.count(where=call.is_night)

    late = Calendar(night_from=22, night_to=6)
    night, long = declare(night_calls), declare(long_calls(60))
    assert night.specs()[0].fingerprint != night.specs(late)[0].fingerprint
    assert long.specs()[0].fingerprint == long.specs(late)[0].fingerprint


def test_a_fingerprint_follows_the_choice_of_rows() -> None:
    def long_gap(call):
        """Longest gap."""
        return call.gap_s.max()

    out = only(calls, "out", lambda call: call.direction == "out")
    into = only(calls, "in", lambda call: call.direction == "in")
    assert len({prints(long_gap), prints(long_gap, out), prints(long_gap, into)}) == 3


def test_a_fingerprint_follows_what_rows_are_linked_by() -> None:
    def answered(call):
        """Calls after a call."""
        return call.count(where=call.since_s < 60)

    assert prints(answered, linked(calls, "contact_id")) != prints(answered, linked(calls, "direction"))

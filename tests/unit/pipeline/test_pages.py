"""Numbers read one way on every page, and a page asks the network for nothing."""

import base64
import hashlib
import re

import pytest

from pipeline.pages import TEMPLATES, _policy, breakable, cell, day, month, number, percent, short, signed


def test_numbers_have_a_true_minus_and_thousands():
    assert number(-1234.56, 1) == "−1,234.6"
    assert number(None) == "–"
    assert percent(0.0834) == "8.3\u00a0%"
    assert percent(None) == "–"


def test_a_change_shows_its_sign_unless_it_is_nothing():
    assert (signed(4.25), signed(-0.74), signed(-0.04), signed(0.0)) == ("+4.2", "−0.7", "0.0", "0.0")


def test_one_to_nine_people_are_not_counted_out_loud():
    assert [cell(n) for n in (0, 1, 9, 10, 12_345)] == ["0", "<\u00a010", "<\u00a010", "10", "12,345"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.012345, "0.0123"),
        (17.0, "17"),
        (1234.5, "1,230"),
        (12_345.0, "12.3k"),
        (-4_560_000.0, "−4.56M"),
        (2.5e9, "2.5G"),
        (999_999.0, "1M"),
        (float("nan"), "none"),
        (None, "none"),
    ],
)
def test_a_value_is_told_in_three_digits(value: float | None, text: str):
    assert short(value) == text


def test_dates_are_said_as_people_say_them():
    assert day("2026-06-01T00:00:00+00:00") == "1 June 2026"
    assert day("2026-03-02") == "2 March 2026"
    assert month("2026-02") == "February 2026"


def test_a_name_breaks_after_its_underscores_and_is_escaped():
    assert breakable("topup_gap<b>") == "topup_<wbr>gap&lt;b&gt;"


def test_the_policy_names_the_script_that_may_run_and_nothing_else():
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert _policy(script).startswith("default-src 'none';")
    assert re.findall(r"script-src ([^;]+);", _policy(script)) == [f"'sha256-{digest}'"]

"""The words of letters: whole in every language, amounts as people write them."""

from dataclasses import replace
from datetime import date

import pytest
from pydantic import ValidationError

from pipeline.letter import Case, as_text, letter, money
from pipeline.letter.texts import Texts, languages, read_texts
from saakh.offers import Ground
from saakh.reasons import Reason
from tests.lending_terms import terms

REASONS = (Reason("irregular-top-ups", "Irregular top-ups", -9.0, ("a",), ()),)
CASE = Case("ref-1", date(2026, 6, 1), 2_500_00, "decline", (), (Ground.RISK, Ground.AFFORDABILITY), 512.4, REASONS, ())


def test_there_are_letters_in_english_and_hindi():
    assert {"en", "hi"} <= set(languages())


@pytest.mark.parametrize("language", languages())
def test_every_ground_has_its_words(language):
    texts = read_texts(language)
    for ground in Ground:
        said = as_text(letter(replace(CASE, grounds=(ground,)), terms(), texts))
        assert texts.grounds[ground].split()[0] in said
        assert "{" not in said


def test_a_reason_without_a_translation_stays_english_and_says_so():
    texts = read_texts("hi")
    plain = letter(CASE, terms(), texts)
    assert plain.reasons == ("Irregular top-ups",)
    assert texts.untranslated in plain.notes
    told = replace(CASE, texts={"hi": {"irregular-top-ups": "अनियमित रिचार्ज"}})
    translated = letter(told, terms(), texts)
    assert translated.reasons == ("अनियमित रिचार्ज",)
    assert texts.untranslated not in translated.notes


def test_grounds_come_before_reasons_and_rights_after():
    said = as_text(letter(CASE, terms(), read_texts("en")))
    places = [said.index(words) for words in ("Why", "counted against you", "512 points", "What you can do", "Where")]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("minor", "said"),
    [(100_000_00, "₹1,00,000.00"), (1_234_567_05, "₹12,34,567.05"), (999_00, "₹999.00"), (5, "₹0.05")],
)
def test_rupees_are_grouped_as_india_groups_them(minor, said):
    assert money(minor, terms()) == said


def test_other_currencies_are_grouped_by_thousands():
    assert money(1_234_567_00, terms(currency="EUR")) == "€1,234,567.00"
    assert money(1_500, terms(currency="XOF", minor_per_unit=1)) == "XOF 1,500"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"grounds": {"risk": "x"}}, "grounds has no text for age"),
        ({"asked": "You asked."}, "asked must name amount in braces"),
        ({"score": "{points} {categories} {pd}"}, "score must name categories, points in braces; see pd"),
    ],
)
def test_texts_that_are_not_whole_are_refused(change, said):
    raw = read_texts("en").model_dump() | change
    with pytest.raises(ValidationError, match=said):
        Texts.model_validate(raw)

"""Decisions on a whole cohort: every application once, funds in the order of time, the letter on each."""

import re

import numpy as np
import pyarrow as pa
import pytest
import yaml

from pipeline import decide, optimise
from pipeline.decide import decide_all, monthly
from pipeline.engines import read_table
from pipeline.letter.commands import print_letter, read_case
from pipeline.params import Params
from pipeline.score import refusals
from pipeline.workspace import Workspace, read_json
from saakh import load
from saakh.errors import ConfigError, ContractError
from tests.browser import barriers, chromium
from tests.decided_run import INCOME, write_decided
from tests.lending_terms import RUPEE, asks, lender, terms


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Params:
    """A small run, decided."""
    params = write_decided(tmp_path_factory.mktemp("decided"))
    decide.run(params, Workspace(params.workspace))
    return params


def test_every_application_is_decided_once_or_counted(decided):
    ws = Workspace(decided.workspace)
    account, rows = read_json(ws.root / "decide/decide.json"), read_table(ws.root / "decide/decisions.parquet")
    assert account["applications"] == len(rows) == 399
    assert account["without_amount"] == 1
    assert sum(account["outcomes"].values()) == 399
    assert len(set(rows["application_id"].to_pylist())) == 399


def test_each_offer_stands_under_its_application_and_reconciles(decided):
    ws = Workspace(decided.workspace)
    rows = {r["application_id"]: r for r in read_table(ws.root / "decide/decisions.parquet").to_pylist()}
    offers = read_table(ws.root / "decide/offers.parquet").to_pylist()
    assert sum(r["offers"] for r in rows.values()) == len(offers) > 100
    for offer in offers:
        row = rows[offer["application_id"]]
        assert offer["amount_minor"] <= row["asked_minor"]
        assert offer["paid_minor"] - offer["net_minor"] == offer["cost_minor"]
        if offer["rank"] == 1:
            assert (row["lender"], row["amount_minor"]) == (offer["lender"], offer["amount_minor"])


def test_two_runs_write_the_same_bytes(decided, tmp_path):
    ws = Workspace(decided.workspace)
    names = ("decisions.parquet", "offers.parquet", "decide.json")
    before = [(ws.root / "decide" / name).read_bytes() for name in names]
    decide.run(decided, ws)
    assert [(ws.root / "decide" / name).read_bytes() for name in names] == before


def test_what_an_applicant_refused_is_not_looked_at(decided):
    ws = Workspace(decided.workspace)
    card, rows = load(decide.scorecard_path(decided, ws)), read_table(ws.root / "decide/decisions.parquet").to_pylist()
    withheld = refusals(ws, card.categories)
    derived = {row["application_id"]: row for row in read_table(ws.root / "derive/features.parquet").to_pylist()}
    told = [row for row in rows if row["application_id"] in withheld][:20]
    inputs = [{name: derived[row["application_id"]][name] for name in card.features} for row in told]
    assert len(told) == 20
    assert [row["points"] for row in told] == [
        card.score(x, withheld[row["application_id"]]).points for x, row in zip(inputs, told, strict=True)
    ]
    assert [row["points"] for row in told] != [card.score(x).points for x in inputs]


def test_funds_go_in_the_order_of_applications():
    under = terms(lender(capacity_minor=25_000 * RUPEE))
    standing = [[0.01] * 3, [600.0] * 3, [0] * 3, [0] * 3]
    found = decide_all(under, [asks(20_000), asks(20_000), asks(20_000)], standing)
    assert [d.offers[0].amount_minor // RUPEE if d.offers else None for d in found] == [20_000, 5_000, None]
    assert found[2].grounds == ("funds",)


def test_income_is_a_months_and_the_lowest_that_is_known():
    derived = pa.table({"month": pa.array([900, None, 100]), "quarter": pa.array([2_100, 1_500, None])})
    assert monthly(derived, {"month": 30, "quarter": 90}, "income") == [700, 500, 100]
    assert monthly(pa.table({"month": pa.array([None, -5], pa.int64())}), {"month": 30}, "income") == [None, 0]


def test_an_income_that_was_not_derived_is_named():
    with pytest.raises(ConfigError, match="names nothing, which derive did not write"):
        monthly(pa.table({"a": [1]}), {"nothing": 30}, "income")


def application(params: Params, outcome: str) -> str:
    rows = read_table(params.workspace / "decide/decisions.parquet").to_pylist()
    return next(row["application_id"] for row in rows if row["outcome"] == outcome)


def test_a_letter_tells_the_decision_its_grounds_and_what_to_do(decided, capsys):
    print_letter(decided, application(decided, "decline"), "en", "text", None)
    said = " ".join(capsys.readouterr().out.split())
    assert "We cannot offer you a loan on this application." in said
    for right in (
        "a person to look at the decision",
        "Object to the decision",
        "wrong data corrected",
        "Withdraw your",
    ):
        assert right in said
    assert "Annual percentage rate" not in said


def test_a_letter_with_offers_has_the_key_facts(decided, capsys):
    name = application(decided, "offer")
    best = read_case(decided, Workspace(decided.workspace), name).offers[0]
    print_letter(decided, name, "en", "text", None)
    said = " ".join(capsys.readouterr().out.split())
    assert f"Annual percentage rate (APR): {100 * best.apr:.2f} %" in said
    assert "EXAMPLE-000" in said
    assert "You may step back: until day" in said


def test_a_letter_on_a_page_is_restricted_and_in_its_language(decided, tmp_path, capsys):
    out = tmp_path / "letter.html"
    print_letter(decided, application(decided, "decline"), "hi", "html", out)
    page = out.read_text()
    assert '<html lang="hi">' in page
    assert "आपके ऋण आवेदन पर निर्णय" in page
    assert "कुछ कारण अभी केवल अंग्रेज़ी में" in page
    assert oct(out.stat().st_mode & 0o777) == "0o600"
    assert not re.search(r"https?://", page)
    with chromium() as browser:
        assert barriers(browser, out) == []


def test_no_letter_on_terms_that_were_changed_since(decided, tmp_path):
    terms_file = tmp_path / "terms.yaml"
    terms_file.write_text(decided.decide.terms.read_text() + "# a word\n")
    other = decided.model_copy(update={"decide": decided.decide.model_copy(update={"terms": terms_file})})
    with pytest.raises(ContractError, match="the lending terms are not those decided by"):
        print_letter(other, application(decided, "decline"), "en", "text", None)


def test_a_language_without_letters_is_told_the_others(decided):
    with pytest.raises(ConfigError, match="there are en, hi"):
        print_letter(decided, "a", "xx", "text", None)


def test_optimise_writes_a_strategy_that_the_terms_take(decided):
    ws = Workspace(decided.workspace)
    sizes = {"amounts_minor": (5_000_00, 20_000_00), "limits_minor": (10_000_00, 40_000_00)}
    params = decided.model_copy(update={"optimise": decided.optimise.model_copy(update=sizes)})
    optimise.run(params, ws)
    account = read_json(ws.root / "optimise/optimise.json")
    searched = account["searched_on"]
    assert searched["optimised"]["profit"] >= searched["flat"]["profit"]
    assert searched["optimised"]["bad_rate"] <= account["bounds"]["bad_rate_max"]
    assert sum(s["applications"] for s in account["swaps"]) == account["judged_on"]["applications"]
    profits = [p["optimised"]["profit"] for p in account["frontier"]]
    assert np.all(np.diff(profits) >= -1e-6 * max(profits))
    page = ws.root / "optimise/optimise.html"
    assert page.read_text().count("<path") == 2
    with chromium() as browser:
        assert barriers(browser, page) == []
    strategy = yaml.safe_load((ws.root / "optimise/strategy.yaml").read_text())
    assert set(strategy) == {"name", "amounts", "cutoffs", "limits"}


def test_decide_is_told_when_the_income_is_not_there(decided):
    rule = decided.decide.model_copy(update={"income": {"salary": 30}})
    with pytest.raises(ConfigError, match="salary"):
        decide.run(decided.model_copy(update={"decide": rule}), Workspace(decided.workspace))
    assert INCOME in decided.decide.income

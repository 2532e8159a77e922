"""The report, as the explain stage writes it and as a browser shows it; and what stops the stage."""

import json
import os
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser

from pipeline import explain
from pipeline.workspace import Workspace
from saakh.errors import ArtifactError, MissingInputError
from tests.browser import barriers, chromium, opened
from tests.conftest import Claim
from tests.functional.conftest import APPLICATIONS
from tests.synthetic_run import write_run

FULL = bool(os.environ.get("SAAKH_FULL"))


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def test_the_report_opens_without_a_word_on_the_console_or_a_request(explained, browser: Browser):
    for name in ("report.html", "applicants.html"):
        with opened(browser, explained[1] / "explain" / name) as found:
            found.page.locator("footer").scroll_into_view_if_needed()
            assert (found.said, found.asked) == ([], [])


def test_neither_page_keeps_anybody_out_in_light_or_dark(explained, browser: Browser):
    for name in ("report.html", "applicants.html"):
        assert barriers(browser, explained[1] / "explain" / name) == []


def test_a_planted_barrier_is_found_in_light_and_in_dark(browser: Browser, tmp_path: Path):
    grey = "<p style='color:light-dark(#ddd, #333);background:light-dark(#fff, #000)'>faint</p>"
    page = tmp_path / "planted.html"
    page.write_text(f'<html lang="en"><title>x</title><main><h1>x</h1><button></button>{grey}</main></html>')
    rules = [found.split(":")[0] for found in barriers(browser, page)]
    assert rules == ["button-name", "color-contrast", "color-contrast"]


def test_a_planted_request_is_refused_by_the_page_itself(explained, browser: Browser, tmp_path: Path):
    text = (explained[1] / "explain" / "report.html").read_text()
    planted = tmp_path / "planted.html"
    planted.write_text(text.replace("<footer", '<img src="https://example.org/a.png"><script>var x</script><footer'))
    with opened(browser, planted) as found:
        assert sum("violates the following Content Security Policy directive" in line for line in found.said) == 2


def test_the_file_is_small_and_its_first_view_is_timed(explained, browser: Browser, claim: Claim):
    path = explained[1] / "explain" / "report.html"
    assert path.stat().st_size < 2_000_000
    with opened(browser, path) as found:
        timing = found.page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
    claim("report: first view", "1,000 ms", f"{timing:,.0f} ms, {path.stat().st_size / 1e3:,.0f} kB")


def test_figures_in_the_page_equal_the_metrics_file(explained, browser: Browser):
    metrics = json.loads((explained[1] / "evaluate" / "metrics.json").read_text())
    with opened(browser, explained[1] / "explain" / "report.html") as found:
        shown = found.page.eval_on_selector_all(
            "[data-figure]",
            "all => all.map(c => [c.dataset.figure, c.querySelector('data').value, c.querySelector('data').innerText])",
        )
        deciles = found.page.eval_on_selector_all(
            "#deciles tbody tr", "rows => rows.map(r => [...r.querySelectorAll('data')].map(d => Number(d.value)))"
        )
        months = found.page.eval_on_selector_all(
            "#vintages tbody tr", "rows => rows.map(r => [...r.querySelectorAll('data')].map(d => Number(d.value)))"
        )
    assert len(shown) == 27
    for where, exact, text in shown:
        part, key = where.split(".")
        value = metrics[part][key]["value"]
        assert float(exact) == value
        assert float(text) == round(value, len(text.split(".")[1]))
    judged = metrics["out_of_time"]
    assert deciles == [[g["observed"], g["expected"]] for g in judged["by_decile"]]
    every = metrics["out_of_fold"]["by_vintage"] + metrics["through_the_door"]["by_vintage"]
    assert months == [[m["observed"], m["expected"], m["observed_expected"]["value"]] for m in every]


def test_importance_in_the_page_equals_the_importance_file(explained, browser: Browser):
    importance = json.loads((explained[1] / "explain" / "importance.json").read_text())
    with opened(browser, explained[1] / "explain" / "report.html") as found:
        shown = found.page.eval_on_selector_all("#ranked data", "all => all.map(d => Number(d.value))")
    assert shown == [e["mean_abs_points"] for e in importance["features"] if e["mean_abs_points"]][:20]
    assert len(shown) > 10


def test_the_switch_turns_light_to_dark_and_back(explained, browser: Browser):
    background = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, explained[1] / "explain" / "report.html", scheme="light") as found:
        light = found.page.evaluate(background)
        found.page.get_by_role("button", name="Switch to dark colours").click()
        dark = found.page.evaluate(background)
        found.page.get_by_role("button", name="Switch to light colours").click()
        assert found.page.evaluate(background) == light != dark
    with opened(browser, explained[1] / "explain" / "report.html", scheme="dark") as found:
        assert found.page.evaluate(background) == dark


def test_the_filter_leaves_the_inputs_that_match(explained, browser: Browser):
    with opened(browser, explained[1] / "explain" / "report.html") as found:
        found.page.get_by_label("Filter").fill("topup")
        names = found.page.locator("#features tbody tr:visible code").all_inner_texts()
        assert sorted(names) == ["topup_amount_mean_90d", "topup_gap_longest_90d"]
        assert found.page.locator("#filtered").inner_text() == "2 of 20 inputs"


def test_the_page_reads_without_its_script_and_fits_a_phone(explained, browser: Browser):
    with opened(browser, explained[1] / "explain" / "report.html", script=False) as found:
        assert found.page.locator("h2").count() == 16
        assert found.page.locator(".swarm path").count() > 15
        assert not found.page.locator("#theme").is_visible()
    with opened(browser, explained[1] / "explain" / "report.html", width=390) as found:
        assert found.page.evaluate("document.documentElement.scrollWidth") == 390


def test_no_identifier_and_no_exact_value_of_a_person_is_in_the_report(explained):
    text = (explained[1] / "explain" / "report.html").read_text()
    features = pq.read_table(explained[1] / "derive" / "features.parquet")
    assert not [key for key in features["application_id"].to_pylist() if key[:8] in text]
    lonely = features["topup_amount_mean_90d"].drop_null().value_counts()
    values = [f"{e['values']:.0f}" for e in lonely.to_pylist() if e["counts"] == 1 and e["values"] > 99_999]
    assert len(values) > 50
    numbers = set(re.findall(r"\d[\d,]*", text))  # whole ones: six digits may stand by chance within a longer number
    assert not [value for value in values if {value, f"{int(value):,}"} & numbers]


def test_counts_below_ten_are_not_told(explained):
    text = (explained[1] / "explain" / "report.html").read_text()
    row = re.search(r"left out: applied after as_of.*?</tr>", text, re.DOTALL)
    assert row is not None
    assert ">hidden<" in row[0]
    assert ">7<" not in row[0]


def test_the_same_inputs_give_the_same_bytes_in_any_order_of_rows(explained, tmp_path: Path):
    params = write_run(tmp_path, APPLICATIONS)
    for path in (tmp_path / "derive" / "features.parquet", tmp_path / "train" / "scores.parquet"):
        table = pq.read_table(path)
        pq.write_table(table.take(list(reversed(range(table.num_rows)))), path)
    explain.run(params, Workspace(tmp_path))
    for name in ("report.html", "applicants.html", "importance.json"):
        assert (tmp_path / "explain" / name).read_bytes() == (explained[1] / "explain" / name).read_bytes()


def test_a_model_that_was_not_evaluated_is_not_explained(tmp_path: Path):
    params = write_run(tmp_path, 300)
    path = tmp_path / "train" / "model.txt"
    path.write_text(path.read_text() + "\n")
    with pytest.raises(ArtifactError, match="not the model that `train` wrote about"):
        explain.run(params, Workspace(tmp_path))
    assert not (tmp_path / "explain").exists()


def test_scores_of_another_model_are_refused(tmp_path: Path):
    params = write_run(tmp_path, 300)
    path = tmp_path / "train" / "scores.parquet"
    table = pq.read_table(path)
    moved = pq.read_table(path)["log_odds"].to_numpy() + 1e-6
    pq.write_table(table.set_column(3, "log_odds", [moved]), path)
    with pytest.raises(ArtifactError, match=r"differ from train/scores\.parquet"):
        explain.run(params, Workspace(tmp_path))


def test_a_model_that_learned_nothing_and_figures_that_do_not_exist_still_make_a_report(
    tmp_path: Path, browser: Browser
):
    params = write_run(tmp_path, 300, leaf_rows_min=1_000)
    path = tmp_path / "evaluate" / "metrics.json"
    metrics = json.loads(path.read_text())
    for part in ("out_of_time", "out_of_fold", "through_the_door"):
        metrics[part] |= {key: {"value": None, "low": None, "high": None} for key in ("auc", "gini", "ks")}
    path.write_text(json.dumps(metrics))
    explain.run(params, Workspace(tmp_path))
    with opened(browser, tmp_path / "explain" / "report.html") as found:
        assert found.said == []
        assert "The model found nothing to learn" in found.page.locator("#importance").inner_text()
        assert found.page.locator(".tile .big").all_inner_texts()[:3] == ["–", "–", "–"]
    with opened(browser, tmp_path / "explain" / "applicants.html") as found:
        assert found.page.get_by_text("No input cost this applicant points.").count() == 3


def test_a_missing_stage_is_named(tmp_path: Path):
    params = write_run(tmp_path, 300)
    (tmp_path / "evaluate" / "metrics.json").unlink()
    with pytest.raises(MissingInputError, match="run `saakh evaluate` first"):
        explain.run(params, Workspace(tmp_path))


def test_consent_asserted_by_the_source_is_said(tmp_path: Path):
    params = write_run(tmp_path, 300, basis="asserted_by_source")
    explain.run(params, Workspace(tmp_path))
    assert (
        "Consent is asserted by the source for 100\u00a0% of the artefacts"
        in (tmp_path / "explain" / "report.html").read_text()
    )

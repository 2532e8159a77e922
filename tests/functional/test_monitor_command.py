"""`saakh monitor` as a risk team meets it: exit codes, the page in a browser, the kill switch, the log of runs."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Browser
from typer.testing import CliRunner

from pipeline import tracking
from pipeline.cli import app
from pipeline.params import Params
from pipeline.workspace import Workspace, digest
from tests.browser import barriers, chromium, opened
from tests.monitored_runs import BEGINS, write_reference, write_side

AFTER = timedelta(days=150)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Params, Path, dict[str, int]]:
    """A reference, and three batches: as before, riskier, and with an input a little off; their exit codes."""
    root = tmp_path_factory.mktemp("monitor")
    params = write_reference(root / "reference")
    told = {"policy": "explicit-consent", "as_of": "2026-06-01T00:00:00Z", "workspace": str(root / "reference")}
    told |= {"monitor": {"groups": "gender"}, "evaluate": {"resamples": 100}}
    (root / "params.yaml").write_text(yaml.safe_dump(told))
    codes = {}
    for name, changed in (("calm", {}), ("watch", {"moved": 0.4}), ("act", {"odds": 3.0, "decided": True})):
        write_side(Workspace(root / name), 2_000, 5, BEGINS, AFTER.days, BEGINS + AFTER, **changed)
        at = (BEGINS + AFTER).isoformat()
        given = ["monitor", str(root / name), "--as-of", at, "--params", str(root / "params.yaml")]
        codes[name] = CliRunner().invoke(app, given).exit_code
    return params, root, codes


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def test_the_exit_code_is_the_severity(run):
    assert run[2] == {"calm": 0, "watch": 20, "act": 21}
    for name in run[2]:
        assert json.loads((run[1] / name / "monitor" / "monitor.json").read_text())["severity"] == name


def test_the_kill_switch_names_the_scorecard_the_reasons_and_the_moment(run):
    switch = json.loads((run[1] / "reference" / "monitor" / "kill-switch.json").read_text())
    card = run[1] / "reference" / "export" / "scorecard-0.1.0.saakh"
    assert switch["scorecard_sha256"] == digest(card)
    assert switch["as_of"] == (BEGINS + AFTER).isoformat()
    assert any("first instalments missed" in reason for reason in switch["reasons"])


def test_figures_are_in_the_log_of_runs_under_the_models_own(run):
    log = tracking.client(Workspace(run[1] / "reference"))
    runs = log.search_runs([log.get_experiment_by_name("saakh").experiment_id], "tags.`saakh.severity` != ''")
    assert len(runs) == 1  # the same moment again takes the place of the one before
    assert runs[0].data.tags["saakh.severity"] == "act"
    report = json.loads((run[1] / "act" / "monitor" / "monitor.json").read_text())
    assert runs[0].data.metrics["score.psi"] == report["score"]["psi"]
    assert runs[0].data.metrics["gini"] == report["ranking"]["batch"]["value"]


def test_the_page_opens_without_a_word_or_a_request_and_fits_a_phone(run, browser: Browser):
    for name in run[2]:
        with opened(browser, run[1] / name / "monitor" / "monitor.html") as found:
            found.page.locator("footer").scroll_into_view_if_needed()
            assert (found.said, found.asked) == ([], [])
            assert found.page.locator("h2").count() == 12
    with opened(browser, run[1] / "act" / "monitor" / "monitor.html", width=390, script=False) as found:
        assert found.page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_page_keeps_nobody_out_in_light_or_dark(run, browser: Browser):
    assert barriers(browser, run[1] / "act" / "monitor" / "monitor.html") == []


def test_figures_in_the_page_equal_the_json(run, browser: Browser):
    report = json.loads((run[1] / "act" / "monitor" / "monitor.json").read_text())
    with opened(browser, run[1] / "act" / "monitor" / "monitor.html") as found:
        csi = found.page.eval_on_selector_all("#csi data", "all => all.map(d => Number(d.value))")
        first = found.page.eval_on_selector_all("#first data", "all => all.map(d => Number(d.value))")
        alarms = found.page.locator(".alarms p").all_inner_texts()
    assert csi == [v for row in report["inputs"]["features"] for v in (row["psi"], row["csi_points"])]
    assert first == [row["ratio"] for row in report["early"]["by_vintage"] if row["ratio"] is not None]
    assert len(alarms) == len(report["alarms"])


def test_no_application_is_named_in_what_is_passed_around(run):
    for name in run[2]:
        for path in (run[1] / name / "monitor").iterdir():
            named = set(re.findall(r"\b[0-9a-f]{32}\b", path.read_text()))
            assert not named, path


def test_a_moment_without_a_zone_is_refused(run):
    given = ["monitor", str(run[1] / "calm"), "--as-of", "2026-07-01", "--params", str(run[1] / "params.yaml")]
    found = CliRunner().invoke(app, given)
    assert "no moment with a time zone" in str(found.exception)

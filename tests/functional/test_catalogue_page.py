"""The catalogue as a page: one file that opens at once, is searched and filtered, and names nobody.

`make test` makes it of every eighth feature, `make prove` (SAAKH_FULL=1) of all.
"""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import Browser, expect

from features.catalogue import all_features, specs_of
from pipeline.catalogue.measured import measured
from pipeline.catalogue.page import page
from pipeline.engines import write_table
from pipeline.pages import short
from pipeline.params import Params
from pipeline.workspace import Workspace, write_json
from saakh.errors import ContractError, MissingInputError
from tests.browser import barriers, chromium, opened
from tests.conftest import Claim

ROOT = Path(__file__).parents[2]
EVERY = 1 if os.environ.get("SAAKH_FULL") else 8
ASKED = ("call_night_share", "call_weekend_share", "topup_gap_longest", "income_declared", "app_health_share")
CHOSEN = tuple(f for number, f in enumerate(all_features()) if number % EVERY == 0 or f.name in ASKED)
APPLICATIONS = 2_000
SENTINEL = 987_654_321.0
DURATIONS = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


def run_of(folder: Path) -> Params:
    """A run that derived the chosen features: half of each column is there, one value in it is known, one is rare."""
    ws, specs, draw = Workspace(folder), specs_of(CHOSEN), np.random.default_rng(3)
    columns = {}
    for spec in specs:
        values = draw.gamma(2.0, 3.0, APPLICATIONS)
        values[draw.random(APPLICATIONS) < 0.5] = np.nan
        values[0], values[1] = SENTINEL, 5.0
        columns[spec.name] = pa.array(values, from_pandas=True)
    columns["income_declared"] = pa.array([7.0] * 9 + [None] * (APPLICATIONS - 9), pa.float64())
    keys = pa.array([f"{number:032x}" for number in range(APPLICATIONS)])
    write_table(ws.stage("derive") / "features.parquet", pa.table({"application_id": keys, **columns}))
    write_json(ws.stage("derive") / "specs.json", [spec.as_dict() for spec in specs])
    covered = {"present": 1_200, "silent": 793, "closed": 7, "absent": 0}
    account = {"applications": APPLICATIONS, "coverage": {f.table.name: covered for f in CHOSEN}}
    write_json(ws.stage("derive") / "derive.json", account)
    return Params(policy="explicit-consent", as_of=datetime(2026, 6, 1, tzinfo=UTC), workspace=folder)


@pytest.fixture(scope="module")
def params(tmp_path_factory: pytest.TempPathFactory) -> Params:
    return run_of(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def path(params: Params) -> Path:
    written = params.workspace / "catalogue.html"
    written.write_text(page(measured(params), CHOSEN), encoding="utf-8")
    return written


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def shown(found) -> list[str]:
    return found.page.eval_on_selector_all(".feature", "all => all.filter(f => !f.hidden).map(f => f.id)")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_page_opens_without_a_word_on_the_console_or_a_request(path: Path, browser: Browser, width: int, scheme):
    with opened(browser, path, width=width, scheme=scheme) as found:
        found.page.locator("footer").scroll_into_view_if_needed()
        assert (found.said, found.asked) == ([], [])
        assert found.page.evaluate("document.documentElement.scrollWidth") == width


def test_the_page_keeps_nobody_out_in_light_or_dark(params: Params, browser: Browser, tmp_path: Path):
    few = tmp_path / "few.html"  # the checker takes a second for twenty features
    few.write_text(page(measured(params), CHOSEN[:8]), encoding="utf-8")
    assert barriers(browser, few) == []


def test_the_file_is_small_and_opens_fast(path: Path, browser: Browser, claim: Claim):
    assert path.stat().st_size < 10_000_000 / EVERY * (1 if EVERY == 1 else 1.5)
    with opened(browser, path) as found:
        timing = found.page.evaluate(DURATIONS)
    claim("catalogue page: opens", "1,000 ms", f"{timing:,.0f} ms, {path.stat().st_size / 1e6:.1f} MB")


def test_the_search_finds_words_and_columns(path: Path, browser: Browser):
    with opened(browser, path) as found:
        search, told = found.page.get_by_role("searchbox", name="Search"), found.page.locator("#found")
        assert told.inner_text().startswith(f"{len(CHOSEN)} features, ")
        search.fill("calls NIGHT share")
        assert "call_night_share" in shown(found)
        assert "topup_gap_longest" not in shown(found)
        assert told.inner_text().startswith(f"{len(shown(found))} of {len(CHOSEN)} features, ")
        search.fill("call_night_share_weekend_30d")
        assert shown(found) == ["call_night_share"]
        assert found.page.locator("h2:visible").all_inner_texts() == ["Lifestyle", "Sources"]
        search.fill("no such thing")
        assert shown(found) == []
        assert found.page.get_by_text("No feature is like that.").is_visible()
        found.page.get_by_role("button", name="Show all").click()
        # A locator is asked again until it agrees; a script in a string would be refused by the page's own policy.
        expect(found.page.locator(".feature:not([hidden])")).to_have_count(len(CHOSEN))


def test_the_filters_add_up(path: Path, browser: Browser):
    with opened(browser, path) as found:
        found.page.get_by_label("Consent").select_option("communication")
        found.page.get_by_label("Risk").select_option("rises")
        wanted = [f.name for f in CHOSEN if f.table.category == "communication" and f.risk == 1]
        assert shown(found) == wanted
        found.page.get_by_label("Sensitivity").select_option("sensitive")
        assert shown(found) == []


def test_the_keyboard_alone_opens_a_feature(path: Path, browser: Browser):
    with opened(browser, path) as found:
        found.page.get_by_role("searchbox").fill("call_night_share")
        found.page.locator("#call_night_share > summary").focus()
        found.page.keyboard.press("Enter")
        assert found.page.locator("#call_night_share").get_attribute("open") is not None


def test_an_address_with_a_feature_opens_it(path: Path, browser: Browser):
    with opened(browser, path) as found:
        found.page.evaluate("location.hash = '#call_night_share'")
        opened_one = found.page.locator("#call_night_share")
        opened_one.locator(".body").wait_for(state="visible")
        text = opened_one.inner_text()
        for said in (
            "Many calls at night",
            "communication",
            "features/lifestyle/calls",
            "Worked by hand",
            "return ratio(",
        ):
            assert said in text
        assert opened_one.locator(".columns svg").count() == len(next(f for f in CHOSEN if f.name == ASKED[0]).columns)
        opened_one.get_by_text("SQL for Spark").click()
        assert "CREATE TEMPORARY VIEW" in opened_one.inner_text()


def test_the_page_reads_without_its_script(path: Path, browser: Browser):
    with opened(browser, path, script=False) as found:
        assert len(shown(found)) == len(CHOSEN)
        assert not found.page.locator("#filters").is_visible()
        found.page.locator("#call_night_share > summary").click()
        assert found.page.locator("#call_night_share .body").is_visible()


def test_no_identifier_no_exact_value_and_no_small_count_is_told(path: Path, params: Params):
    text = path.read_text(encoding="utf-8")
    assert not [told for told in (f"{SENTINEL:.0f}", f"{SENTINEL:,.0f}", short(SENTINEL)) if told in text]
    assert f"{1:032x}" not in text
    income = text[text.index('id="income_declared"') :]
    assert "too few values" in income[: income.index("</details>")]
    assert ">hidden<" in text[text.index('id="covered"') :]


def test_the_same_run_gives_the_same_bytes(path: Path, params: Params):
    few = [f for f in CHOSEN if f.name in ASKED]
    assert page(measured(params), few) == page(measured(params), few)


def test_columns_measured_under_another_definition_are_not_shown(tmp_path: Path):
    params = run_of(tmp_path)
    file = tmp_path / "derive" / "specs.json"
    fingerprint = next(f for f in CHOSEN if f.name == "topup_gap_longest").specs()[0].fingerprint
    file.write_text(file.read_text().replace(fingerprint, "0" * 64))
    found = measured(params)
    [name] = found.outdated
    assert name.startswith("topup_gap_longest_")
    assert name not in found.columns
    text = page(found, [f for f in CHOSEN if f.name == "topup_gap_longest"])
    assert "1 column of the run measured under another definition" in text


def test_a_run_that_is_not_there_or_not_whole_is_named(tmp_path: Path):
    with pytest.raises(MissingInputError, match="run `saakh derive` first"):
        measured(Params(policy="explicit-consent", as_of=datetime(2026, 6, 1, tzinfo=UTC), workspace=tmp_path / "none"))
    params = run_of(tmp_path)
    file = tmp_path / "derive" / "derive.json"
    file.write_text(file.read_text().replace(str(APPLICATIONS), "1999"))
    with pytest.raises(ContractError, match=r"has 2000 rows, derive\.json says 1999"):
        measured(params)


def test_without_a_run_the_page_says_so(tmp_path: Path, browser: Browser):
    written = tmp_path / "catalogue.html"
    written.write_text(page(None, [f for f in CHOSEN if f.name in ASKED]), encoding="utf-8")
    with opened(browser, written) as found:
        assert found.said == []
        assert "none: no run was named" in found.page.locator("header").inner_text()
        assert found.page.locator("svg").count() == 0


def test_the_markdown_takes_no_run() -> None:
    command = [sys.executable, "-m", "pipeline.cli", "features", "docs", "--params", "params.yaml"]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ended.returncode == 3
    assert "name a page for them with --html" in " ".join(ended.stderr.split())

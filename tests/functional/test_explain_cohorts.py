"""The report's cohort explorer and its two further looks at the model, in a browser: controls, figures, what hides."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page

from pipeline import explain
from pipeline.bundle import Bundle
from pipeline.export import build
from pipeline.fairness.cohorts import cohorts
from pipeline.fairness.groups import Grouping
from pipeline.fairness.measured import Scores
from pipeline.params import Params
from pipeline.sample import CATEGORY, Sample, read_specs, refusals
from pipeline.workspace import Workspace, digest, read_json, write_json
from saakh import archive
from saakh.scorecard import Scorecard
from tests.browser import barriers, chromium, opened
from tests.synthetic_run import write_run

LOANS = 1_400
HANDS = ("left", "right", "both")
UNSAID = np.arange(LOANS) % 4 == 0
"""People who did not agree to be looked at; every third of the others is left-handed, six are neither."""


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Params, Workspace]:
    """A run explained with groups that a fairness audit told of, challengers, and those who were declined."""
    root = tmp_path_factory.mktemp("cohorts")
    params, ws = write_run(root, LOANS), Workspace(root)
    path = root / "evaluate" / "metrics.json"
    write_json(path, read_json(path) | {"all_who_applied": APPLIED})
    model = {"model_sha256": digest(root / "train" / "model.txt")}
    write_json(ws.stage("compare") / "compare.json", model | COMPARED)
    told = {"cohorts": audited(params, ws), "barred": {}, "sides": [{"side": "through_the_door", "attributes": []}]}
    told |= {"search": {"candidates": 0, "alternative": None, "best": None}, "cut_offs": [], "asked": {}}
    write_json(ws.stage("fairness") / "fairness.json", model | told)
    explain.run(params, ws)
    return params, ws


def hand(rows: int = LOANS) -> np.ndarray:
    code = np.where(np.arange(rows) % 3 == 0, 0, 1)
    code[np.flatnonzero(~UNSAID)[:6]] = 2
    return np.where(UNSAID, -1, code)


def audited(params: Params, ws: Workspace) -> dict:
    """What the fairness audit tells of these groups, every loan being of a person of its own."""
    scores = pq.read_table(ws.root / "train" / "scores.parquet").sort_by("application_id")
    key, late = scores["application_id"].combine_chunks(), np.array(scores["split"].to_pylist()) == "out_of_time"
    count, said = len(key), scores["log_odds"].to_numpy()
    sample = Sample(
        application=key,
        person=np.arange(count),
        applied=np.zeros(count, "datetime64[us]"),
        bad=scores["is_bad"].to_numpy(),
        x=np.empty((count, 0)),
        indeterminate=0,
        key=np.zeros(count, np.uint64),
        refusals=refusals(ws, key, read_specs(ws)),
    )
    found = cohorts(
        params, ws, sample, Scores(said, np.zeros(count, int), ~late, late), [Grouping("hand", HANDS, hand())]
    )
    assert found is not None
    return found


def _estimate(value: float, margin: float) -> dict[str, float]:
    return {"value": value, "low": value - margin, "high": value + margin}


def _model(name: str, area: float, ahead: dict | None) -> dict:
    told = {"auc": _estimate(area, 0.02), "gini": _estimate(2 * area - 1, 0.04), "log_loss": _estimate(0.22, 0.01)}
    return {"name": name, "settings": "300 trees", "installed": True, **told, "ahead": ahead}


COMPARED = {
    "confidence": 0.95,
    "folds": 5,
    "models": [
        _model("Saakh", 0.6612, None),
        _model("XGBoost", 0.6837, {"value": 0.0225, "low": 0.004, "high": 0.041}),
        {"name": "EBM", "settings": "", "installed": False},
    ],
    "better": ["XGBoost"],
    "challenger": "XGBoost",
    "verdict": "XGBoost ranks better than Saakh beyond chance: find out why before a release",
}
APPLIED = {
    **{"applications": 1_210, "declined": 420, "explored": 61, "explored_bads": 14},
    "granted": {"auc": _estimate(0.68, 0.03), "bad_rate": _estimate(0.083, 0.012)},
    "inverse_propensity": {"auc": _estimate(0.66, 0.07), "bad_rate": _estimate(0.131, 0.03)},
    "expected": {"auc": _estimate(0.671, 0.032), "bad_rate": _estimate(0.124, 0.018)},
    "bounds": {"auc": {"low": 0.41, "high": 0.85}, "bad_rate": {"low": 0.054, "high": 0.4}},
}


def page_of(run: tuple[Params, Workspace]) -> Path:
    return run[1].root / "explain" / "report.html"


def choose(page: Page, cohort: str, **chosen: str) -> None:
    """Set a cohort's choices by what they read, and all others to `any`."""
    for by in ("band", "month", "category", "group"):
        page.locator(f'[data-cohort="{cohort}"] [data-by="{by}"]').select_option(label=chosen.get(by, "any"))


def column(page: Page, table: str, cohort: int) -> dict[str, float | None]:
    """A table's exact figures of one cohort, by the heading of their row."""
    read = """(rows, at) => rows.map(r => [r.querySelector("th").childNodes[0].textContent,
        r.querySelectorAll("td.n")[at].querySelector("data")?.value ?? null])"""
    told = page.eval_on_selector_all(f"#{table} tbody tr", read, cohort)
    return {name: None if value is None else float(value) for name, value in told}


def test_everybody_and_each_month_are_what_the_metrics_file_says(run, browser: Browser) -> None:
    metrics = read_json(run[1].root / "evaluate" / "metrics.json")["out_of_time"]
    with opened(browser, page_of(run)) as found:
        choose(found.page, "a")
        everybody = column(found.page, "cohort-figures", 0)
        assert (everybody["Applications"], everybody["Bad rate"]) == (metrics["rows"], metrics["bad_rate"]["value"])
        assert everybody["Predicted"] == pytest.approx(metrics["expected"], abs=1e-9)
        assert everybody["Observed / expected"] == pytest.approx(metrics["observed_expected"]["value"], abs=1e-7)
        for month, name in zip(metrics["by_vintage"], ("February 2026", "March 2026"), strict=True):
            choose(found.page, "b", month=name)
            one = column(found.page, "cohort-figures", 1)
            assert (one["Applications"], one["Bad rate"]) == (month["rows"], month["observed"])
            assert one["Predicted"] == pytest.approx(month["expected"], abs=1e-9)
        assert (found.said, found.asked) == ([], [])


def test_a_cohort_is_what_the_scorecard_says_of_its_applicants(run, browser: Browser) -> None:
    params, ws = run
    card = Scorecard.from_members(archive.unpack(build(Bundle.from_workspace(ws, params))))
    x, lacking, status = judged(ws, card)
    shown = np.array([each == "closed" for each in status])
    points, reasons = card.explain_many(x, lacking)[shown], card.reasons_many(x, lacking)
    scores = card.score_many(x, lacking).points
    with opened(browser, page_of(run)) as found:
        choose(found.page, "a", category="payments: refused")
        choose(found.page, "b", category="payments: seen")
        assert column(found.page, "cohort-figures", 0)["Applications"] == shown.sum()
        assert column(found.page, "cohort-figures", 0)["Mean score"] == pytest.approx(scores[shown].mean(), abs=1e-4)
        assert column(found.page, "cohort-figures", 1)["Mean score"] == pytest.approx(scores[~shown].mean(), abs=1e-4)
        for kind, key in (("family", "family"), ("category", "category")):
            found.page.get_by_label("Contributions by").select_option(kind)
            for name, mean in column(found.page, "cohort-points", 0).items():
                some = [getattr(s, key) == name.replace(" ", "_") for s in card.manifest.features]
                assert mean == pytest.approx(points[:, some].sum(axis=1).mean(), abs=1e-4)
        assert column(found.page, "cohort-points", 0)["payments"] == 0  # what was refused contributes nothing
        found.page.get_by_role("button", name="Show all").click()
        texts = {code.code: code.text for code in card.manifest.reasons.codes}
        given = [{texts[reason.code] for reason in some} for some in reasons]
        for name, share in column(found.page, "cohort-reasons", 0).items():
            assert share == pytest.approx(
                np.mean([name in some for some, is_in in zip(given, shown, strict=True) if is_in])
            )


def judged(ws: Workspace, card: Scorecard) -> tuple[np.ndarray, list[tuple[str, ...]], list[str]]:
    """Those judged out of time: inputs, refused categories, and what their payments showed."""
    scores = pq.read_table(ws.root / "train" / "scores.parquet").to_pylist()
    keys = [row["application_id"] for row in scores if row["split"] == "out_of_time"]
    features = {row["application_id"]: row for row in pq.read_table(ws.root / "derive/features.parquet").to_pylist()}
    x = np.array([[features[key][name] for name in card.features] for key in keys], dtype=np.float64)
    coverage = pq.read_table(ws.root / "derive" / "coverage.parquet").to_pylist()
    closed: dict[str, set[str]] = {key: set() for key in keys}
    for row in coverage:
        if row["status"] == "closed" and row["application_id"] in closed:
            closed[row["application_id"]].add(CATEGORY[row["source"]])
    lacking = [tuple(sorted(closed[key])) for key in keys]
    return x, lacking, ["closed" if "payments" in closed[key] else "present" for key in keys]


def test_approval_is_the_share_of_bands_from_the_cut_off_on(run, browser: Browser) -> None:
    with opened(browser, page_of(run)) as found:
        choose(found.page, "a")
        whole = column(found.page, "cohort-figures", 0)["Applications"]
        names = found.page.locator('[data-cohort="b"] [data-by="band"] option').all_inner_texts()[1:]
        counts = []
        for name in names:
            choose(found.page, "b", band=name)
            counts.append(column(found.page, "cohort-figures", 1)["Applications"])
        assert sum(counts) == whole
        for place in range(len(names) - 1):
            found.page.get_by_label("Approved from").select_option(index=place)
            approved = column(found.page, "cohort-figures", 0)["Approved"]
            assert approved == pytest.approx(sum(counts[: place + 1]) / whole)


def test_groups_are_sums_an_audit_made_and_a_small_one_cannot_be_chosen(run, browser: Browser) -> None:
    scores = pq.read_table(run[1].root / "train" / "scores.parquet").sort_by("application_id")
    late, bad = np.array(scores["split"].to_pylist()) == "out_of_time", scores["is_bad"].to_numpy()
    with opened(browser, page_of(run)) as found:
        options = found.page.locator('[data-cohort="a"] [data-by="group"] option').all_inner_texts()
        assert options == ["any", "hand: left", "hand: right"]
        for place, name in enumerate(HANDS[:2]):
            choose(found.page, "a", group=f"hand: {name}")
            rows = late & (hand() == place)
            told = column(found.page, "cohort-figures", 0)
            assert (told["Applications"], told["Bad rate"]) == (rows.sum(), pytest.approx(bad[rows].mean()))


def test_what_would_be_of_few_cannot_be_chosen(run, browser: Browser) -> None:
    with opened(browser, page_of(run)) as found:
        choose(found.page, "a", group="hand: left")
        sources = found.page.locator('[data-cohort="a"] [data-by="category"] option:not([value=""])')
        assert sources.count() > 10
        assert all(not option.is_enabled() for option in sources.all())
        held = json.loads(found.page.locator("#cohort-sums").text_content() or "")
        assert min(sums[0] for table in held["tables"] for sums in table["sums"]) >= 10
        assert sum(table["size"] == [1, 1, 1] for table in held["tables"]) == 1


def test_the_result_is_announced_and_the_keyboard_is_enough(run, browser: Browser) -> None:
    with opened(browser, page_of(run)) as found:
        said = found.page.get_by_role("status").filter(has_text="turned bad")
        before = said.inner_text()
        assert before.startswith("A: ")
        found.page.locator('[data-cohort="b"]').get_by_label("Month of application").focus()
        found.page.keyboard.press("ArrowUp")
        assert said.inner_text() != before
        found.page.emulate_media(media="print")
        assert not found.page.locator(".choose").is_visible()
        assert "B: February 2026." in found.page.locator("#cohort-figures caption").inner_text()
    with opened(browser, page_of(run), script=False) as found:
        assert found.page.locator("#cohorts-off").is_visible()
        assert not found.page.locator("#cohorts-on").is_visible()


def test_no_barrier_in_the_new_sections_and_a_phone_holds_them(run, browser: Browser) -> None:
    assert barriers(browser, page_of(run)) == []
    with opened(browser, page_of(run), width=390) as found:
        assert found.page.evaluate("document.documentElement.scrollWidth") == 390


def test_everybody_who_applied_and_other_models_are_shown_as_their_files_say(run, browser: Browser) -> None:
    with opened(browser, page_of(run)) as found:
        applied = found.page.eval_on_selector_all(
            "[data-applied]", "all => all.map(c => [c.dataset.applied, Number(c.querySelector('data').value)])"
        )
        others = found.page.eval_on_selector_all(
            "#challengers tbody tr", "rows => rows.map(r => [...r.querySelectorAll('data')].map(d => Number(d.value)))"
        )
        summary = found.page.locator("#summary").inner_text().replace("\u00a0", " ")
    every = ("granted", "inverse_propensity", "expected")
    assert applied == [[f"{k}.{f}", APPLIED[k][f]["value"]] for k in every for f in ("bad_rate", "auc")]
    assert others == [
        [*([m[k]["value"] for k in ("auc", "ahead") if m[k]]), m["gini"]["value"], m["log_loss"]["value"]]
        for m in COMPARED["models"][:2]
    ]
    assert "the declined counted in as expected, 12.4 % would turn bad (10.6 to 14.2 %)" in summary
    assert "Beside other kinds of models: XGBoost ranks better than Saakh beyond chance" in summary

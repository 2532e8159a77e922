"""The report on groups and on who taught the model: drawn when audits were run on this model, and else said."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.explain.evidence import gather
from pipeline.explain.fairness import chart, drawn, warnings
from pipeline.explain.report import report
from pipeline.fairness.groups import Grouping
from pipeline.fairness.measured import Scores, cut_offs, measured
from pipeline.fairness.search import search
from pipeline.minimise import rounded
from pipeline.train import learn
from pipeline.workspace import Workspace, digest, write_json
from tests.browser import barriers, chromium
from tests.minimal_world import params, specs, world
from tests.synthetic_run import write_run
from tests.unit.pipeline.test_membership import FOUND

NOT_RUN = "No membership audit was run on this model: whether it gives away who taught it is not known."


@pytest.fixture(scope="module")
def found() -> dict:
    loans = world(1_500)
    asked = params(
        train={"folds": 2, "rounds_max": 20, "learning_rate": 0.3, "gap_days": 0},
        export={"bands": [520, 540]},
        fairness={"candidates": 4},
    )
    learned = learn(asked, specs(), loans)
    dev, later = learned.split.development, learned.split.out_of_time | learned.split.known_person
    fold = np.zeros(len(dev), dtype=np.int64)
    fold[dev] = learned.fold
    scores = Scores(learned.log_odds, fold, dev, later)
    code = np.where(np.arange(len(dev)) % 300 == 0, 2, loans.x[:, 3] > 0.5).astype(np.int64)
    by = [Grouping("hand", ("left", "right", "both"), code)]
    return rounded(
        {
            "asked": asked.fairness.model_dump(),
            "barred": {"age_years": "some-policy bars it"},
            "cut_offs": cut_offs(asked),
            "sides": measured(asked, loans, scores, by),
            "search": search(asked, specs(), loans, scores, by),
        }
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, Workspace]:
    root = tmp_path_factory.mktemp("report")
    return write_run(root, 300), Workspace(root)


def page(run, name: str = "", content: dict | None = None, model: str | None = None) -> str:
    asked, ws = run
    for audit in ("fairness", "membership"):
        (ws.root / audit / f"{audit}.json").unlink(missing_ok=True)
    if content is not None:
        of = model or digest(ws.root / "train/model.txt")
        write_json(ws.stage(name) / f"{name}.json", content | {"model_sha256": of})
    return report(gather(asked, ws), None)


def test_what_was_not_run_or_run_on_another_model_is_said(run, found) -> None:
    for html in (page(run), page(run, "fairness", found, "0" * 64)):
        assert "<code>saakh fairness</code>, then <code>saakh explain</code>" in html
        assert "No fairness audit was run on this model" in html
        assert NOT_RUN in html
        assert 'id="groups-hand"' not in html


def test_groups_are_shown_at_each_cut_off_and_small_ones_named(run, found) -> None:
    html = page(run, "fairness", found)
    assert 'id="groups-hand"' in html
    shown = found["sides"][0]["attributes"][0]["groups"]
    assert [group["group"] for group in shown] == ["left", "right"]
    for group in shown:
        for at in group["at"]:
            assert f'<data value="{at["goods_refused"]["value"]}">' in html
    assert "Fewer than ten people, so nothing is told: both." in html
    assert "age years (some-policy bars it)" in html


def test_a_group_approved_under_four_fifths_is_to_be_watched(found) -> None:
    told = list(warnings({"fairness": found}))
    assert len(told) == 1
    assert told[0].startswith("Adverse impact ratio of hand right is 0.")
    passed = {"screen": "passed", "impact_ratio": {"value": 1.0}}
    side = {
        "side": "through_the_door",
        "attributes": [{"attribute": "hand", "groups": [{"group": "a", "at": [passed]}]}],
    }
    assert list(warnings({"fairness": {"sides": [side], "cut_offs": [{"from_points": 600}]}})) == []


def test_the_search_ends_in_one_or_in_a_note_and_its_frontier_is_drawn(run, found) -> None:
    html = page(run, "fairness", found)
    assert found["search"]["alternative"] is None
    assert "None was found among 4 candidates" in html
    assert 'id="fair-frontier"' in html
    one = found["search"] | {"alternative": "without apps"}
    assert "<strong>without apps</strong>" in page(run, "fairness", found | {"search": one})
    none = {"candidates": 0, "alternative": None}
    html = page(run, "fairness", found | {"search": none})
    assert "Not looked for." in html
    assert 'id="fair-frontier"' not in html


def test_the_page_with_its_groups_keeps_nobody_out(run, found, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(page(run, "fairness", found))
    with chromium() as browser:
        assert barriers(browser, tmp_path / "report.html", "#fairness") == []


def test_the_chart_lies_within_its_frame_and_marks_the_fairest_that_is_as_accurate(found) -> None:
    shown = chart(found)
    places = [float(v) for step in shown.line[1:].split("L") for v in step.split()]
    assert all(0 <= place <= 100 for place in places)
    assert places[::2] == sorted(places[::2], reverse=True)  # to the fairer as less is ranked
    assert [p["what"] for p in shown.points if p["is_best"]] in ([], [found["search"]["best"]["what"]])
    assert drawn({})["chart"] is None


def test_what_the_attack_may_reach_is_to_be_watched_and_so_is_a_reduced_size(run) -> None:
    assert NOT_RUN not in page(run, "membership", FOUND | {"verdict": "met"})
    html = page(run, "membership", FOUND | {"verdict": "met at reduced size", "shadows": 16})
    assert "of reduced size: 16 shadow models of 5,000 loans each, not 64." in html
    missed = FOUND | {"verdict": "missed", "told": FOUND["told"][:1]}
    html = page(run, "membership", missed)
    assert "Membership, 64 shadow models of 5,000 loans each: the attack on defaulters could not be measured" in html

"""The restricted page about single applicants: who may open it, and that every figure is what the runtime says."""

import os
import re
import stat
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from pipeline import explain
from pipeline.bundle import Bundle
from pipeline.explain.evidence import gather
from pipeline.export import build
from pipeline.pages import number, percent, short, signed
from pipeline.workspace import Workspace
from saakh import archive
from saakh.scorecard import Scorecard
from tests.browser import chromium, opened
from tests.functional.conftest import APPLICATIONS
from tests.synthetic_run import write_run

FULL = bool(os.environ.get("SAAKH_FULL"))


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def test_the_restricted_page_is_closed_to_others_and_says_what_it_is(explained):
    path = explained[1] / "explain" / "applicants.html"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert text.count("RESTRICTED") >= 3
    assert len(set(re.findall(r"Application <code>([0-9a-f]{32})</code>", text))) == 3


def test_points_of_every_applicant_shown_add_up_to_the_score(explained, browser: Browser):
    with opened(browser, explained[1] / "explain" / "applicants.html") as found:
        people = found.page.eval_on_selector_all(
            ".person",
            """all => all.map(p => ({score: Number(p.querySelector('strong data').value),
                base: Number(p.querySelector('[data-base]').dataset.base),
                points: [...p.querySelectorAll('details tbody td:last-child data')].map(d => Number(d.value))}))""",
        )
    assert [len(person["points"]) for person in people] == [20, 20, 20]
    for person in people:
        assert abs(person["base"] + sum(person["points"]) - person["score"]) < 1e-9
    assert people[0]["score"] > people[1]["score"] > people[2]["score"]


def looked_up(browser: Browser, path: Path, keys: list[str]) -> list[dict]:
    """What the page shows of each applicant, searched for by pseudonym: every figure and text in its place."""
    ask = """keys => keys.map(key => {
        const seek = document.getElementById("seek"), found = document.getElementById("found");
        seek.value = key;
        seek.dispatchEvent(new Event("input"));
        const slot = (root, name) => root.querySelector(`[data-slot="${name}"]`).textContent;
        const told = Object.fromEntries(["key", "score", "total", "base", "band", "pd", "log_odds", "fate", "none"]
            .map(name => [name, slot(found, name)]));
        told.steps = [...found.querySelectorAll("tbody tr")].slice(1)
            .map(row => ["name", "value", "points", "label"].map(name => slot(row, name)));
        told.reasons = [...found.querySelectorAll(".reasons li")]
            .map(item => ["text", "points", "unseen"].map(name => slot(item, name)));
        return told;
    })"""
    with opened(browser, path) as page:
        shown = page.page.evaluate(ask, keys)
        assert (page.said, page.asked) == ([], [])
    return shown


def told_by(card: Scorecard, row: dict, refused: tuple[str, ...]) -> dict:
    """The same, as the runtime says it."""
    score, steps = card.score(row, refused), card.explain(row, refused)
    moved = sorted((s for s in steps if s.points), key=lambda s: (-abs(s.points), s.feature))
    rest = sum(s.points for s in moved[12:])
    described = {spec.name: spec.description.rstrip(".") for spec in card.manifest.features}
    unseen = [list(dict.fromkeys(described[name] for name in r.unknown)) for r in score.reasons]
    value = [(short(s.value), s.unit) for s in moved[:12]]
    return {
        "score": number(score.points, 1),
        "total": number(score.points, 1),
        "base": number(card.baseline, 1),
        "band": score.band,
        "pd": percent(score.pd, 2),
        "log_odds": number(score.log_odds, 4),
        "none": "" if score.reasons else "No input cost this applicant points.",
        "steps": [
            [s.feature, v if v == "none" else f"{v} {unit}", signed(s.points), s.description]
            for s, (v, unit) in zip(moved, value, strict=False)
        ]
        + [["", "", signed(rest), f"{len(steps) - len(moved[:12])} other inputs together"]],
        "reasons": [
            [r.text, signed(r.points), f"nothing was seen of: {'; '.join(what)}" if what else ""]
            for r, what in zip(score.reasons, unseen, strict=True)
        ],
    }


def test_every_number_of_a_searched_applicant_is_what_the_runtime_says(explained, browser: Browser, tmp_path: Path):
    params, root = explained
    if FULL:
        params, root = write_run(tmp_path, 1_000), tmp_path
        explain.run(params, Workspace(root))
    evidence = gather(params, Workspace(root))
    card = Scorecard.from_members(archive.unpack(build(Bundle.from_workspace(Workspace(root), params))))
    chosen = range(0, len(evidence.keys), 1 if FULL else 6)
    shown = looked_up(browser, root / "explain/applicants.html", [evidence.keys[i] for i in chosen])
    for i, page in zip(chosen, shown, strict=True):
        row = dict(zip(card.features, evidence.inputs[i].tolist(), strict=True))
        fate = f"{'out of time' if evidence.is_out_of_time[i] else 'development'}; the loan turned "
        fate += "bad" if evidence.is_bad[i] else "out good"
        assert page == told_by(card, row, evidence.refused[i]) | {"key": evidence.keys[i], "fate": fate}
    assert any(evidence.refused[i] for i in chosen)
    assert len(shown) >= (1_000 if FULL else 100)


def test_a_search_lists_those_that_begin_with_it_and_neighbours_lead_on(explained, browser: Browser):
    with opened(browser, explained[1] / "explain" / "applicants.html") as found:
        found.page.get_by_label("Pseudonym").fill("a")
        keys = found.page.evaluate("document.getElementById('people-keys').textContent.split('\\n')")
        count = sum(key.startswith("a") for key in keys)
        assert len(keys) == APPLICATIONS
        assert found.page.locator("#matched").inner_text() == f"{count} found"
        assert found.page.locator("#matches button").count() == min(count, 12)
        found.page.get_by_label("Pseudonym").fill(keys[100])
        near = found.page.locator("#found .matches button")
        assert [text[:8] for text in near.all_inner_texts()] == [keys[i][:8] for i in (97, 98, 99, 101, 102, 103)]
        near.nth(2).click()
        assert found.page.locator("#found [data-slot=key]").inner_text() == keys[99]
        assert found.page.evaluate("document.activeElement.textContent") == "What this score is made of"
        assert found.page.locator("#found [data-slot=rank]").inner_text() == "100 of 600, from the lowest score"
        found.page.get_by_label("Pseudonym").fill("nobody")
        assert found.page.locator("#matched").inner_text() == "0 found"

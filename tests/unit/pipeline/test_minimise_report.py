"""The report's sections on minimality and proxies: drawn when they were run on this data, and else say how."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.explain.evidence import gather
from pipeline.explain.minimality import chart, drawn, read_audits
from pipeline.explain.report import report
from pipeline.minimise import rounded
from pipeline.minimise.find import minimise
from pipeline.proxies.audit import audit
from pipeline.proxies.protected import ATTRIBUTE, Target
from pipeline.workspace import Workspace, write_json
from tests.browser import barriers, chromium
from tests.minimal_world import params, specs, world
from tests.synthetic_run import write_run

INPUTS = {"features.parquet": "a" * 64}


@pytest.fixture(scope="module")
def audits() -> dict[str, dict]:
    loans = world(1_500)
    rng = np.random.default_rng(1)
    told = Target("told_by_device", ATTRIBUTE, "told by device", (loans.x[:, 9] > 0).astype(float))
    untold = Target("untold", ATTRIBUTE, "told by nothing", rng.integers(0, 2, len(loans.bad)).astype(float))
    few = Target("few", ATTRIBUTE, "hardly anybody", np.where(np.arange(len(loans.bad)) < 5, 1.0, 0.0))
    found = {
        "minimise": minimise(params(), specs(), loans),
        "proxies": audit(params(), specs(), loans, [told, untold, few]),
    }
    return {name: {"inputs": INPUTS, "barred": {}} | rounded(content) for name, content in found.items()}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, Workspace]:
    root = tmp_path_factory.mktemp("report")
    return write_run(root, 600), Workspace(root)


def page(run: tuple[object, Workspace], audits: dict[str, dict]) -> str:
    asked, ws = run
    for name in ("minimise", "proxies"):
        (ws.root / name / f"{name}.json").unlink(missing_ok=True)
    for name, content in audits.items():
        write_json(ws.stage(name) / f"{name}.json", content)
    return report(gather(asked, ws), None)


def test_an_audit_that_was_not_run_says_how_to_run_it(run) -> None:
    html = page(run, {})
    assert html.count("Not measured in this run.") == 2
    assert "<code>saakh minimise</code>, then <code>saakh explain</code>" in html
    assert "<code>saakh proxies</code>, then <code>saakh explain</code>" in html


def test_figures_of_other_data_are_not_shown(run, audits) -> None:
    other = {name: content | {"inputs": {"features.parquet": "b" * 64}} for name, content in audits.items()}
    html = page(run, other)
    assert html.count("was run on other data than this model was learned from") == 2
    assert 'id="frontier"' not in html


def test_what_was_recommended_and_what_each_category_earns_is_shown(run, audits) -> None:
    html = page(run, audits)
    found = audits["minimise"]
    assert f"<strong>{', '.join(found['recommended']['categories'])}</strong>" in html
    assert html.count("earns less than 0.002") == sum(not c["earns_its_place"] for c in found["categories"])
    for row in found["categories"]:
        assert f'<data value="{row["loss"]["value"]}">' in html
    assert 'id="frontier"' in html
    assert "Not measured in this run." not in html


def test_each_target_is_shown_before_and_after_and_its_goal_is_told(run, audits) -> None:
    html = page(run, audits)
    assert "told by device" in html
    assert f'<data value="{audits["proxies"]["targets"][0]["before"]["out_of_fold"]["value"]}">' in html
    assert "For <code>derive.leave_out</code>:" in html
    assert "Not measured, for too few people on one side agreed to research: few." in html


def test_the_page_with_its_audits_needs_no_network_and_stays_small(run, audits) -> None:
    html = page(run, audits)
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html
    assert len(html) < 450_000


def test_the_page_with_its_audits_keeps_nobody_out(run, audits, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(page(run, audits))
    with chromium() as browser:
        assert barriers(browser, tmp_path / "report.html", "#minimality, #proxies") == []


def test_the_chart_lies_within_its_frame_and_marks_the_recommended_request(audits) -> None:
    shown = chart(audits["minimise"])
    recommended = [point for point in shown.points if point["is_recommended"]]
    assert [sorted(point["categories"]) for point in recommended] == [audits["minimise"]["recommended"]["categories"]]
    places = [float(v) for step in shown.line[1:].split("L") for v in step.split()]
    assert all(0 <= place <= 100 for place in places)
    assert places[::2] == sorted(places[::2])  # to the right as more is given away
    assert shown.limit == pytest.approx(audits["minimise"]["quick"]["auc"] - 0.005)


def test_a_recommended_request_off_the_best_line_is_drawn_too(audits) -> None:
    found = audits["minimise"]
    asked = found["recommended"]["categories"]
    without = [point for point in found["frontier"] if sorted(point["categories"]) != sorted(asked)]
    shown = chart(found | {"frontier": without})
    assert sum(point["is_recommended"] for point in shown.points) == 1
    assert len(shown.points) == len(without) + 1


def test_without_a_workspace_folder_there_is_nothing_to_draw(tmp_path: Path) -> None:
    found = read_audits(Workspace(tmp_path), INPUTS)
    assert found == {"minimise": "absent", "proxies": "absent"}
    assert drawn(found) == {"stale": [], "minimise": None, "proxies": None, "chart": None}
    assert drawn({})["minimise"] is None

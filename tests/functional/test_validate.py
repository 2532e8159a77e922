"""The validation report and the evidence pack, as their commands write them and as a browser shows them."""

import hashlib
import json
import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from playwright.sync_api import Browser
from pypdf import PdfReader

from pipeline import evidence, validate
from pipeline.evidence.lineage import READS
from pipeline.run import STAGES
from pipeline.validate.governed import changes, monitoring
from pipeline.validate.performed import calibration, discrimination, sensitivity, vintages
from pipeline.validate.record import IncompleteReportError, LackingError, Record
from pipeline.validate.report import SECTIONS, counts_of, write_report
from pipeline.workspace import Workspace, read_json, write_json
from tests.audited_run import Run, named, write_audits, write_finished
from tests.browser import chromium, opened

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run finished to the scorecard, and nothing beside it."""
    params = write_finished(tmp_path_factory.mktemp("bare"))
    return Run(params, Workspace(params.workspace))


@pytest.fixture(scope="module")
def run(bare: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same with every audit, everybody named, and the final pack written."""
    copied = bare.copy(tmp_path_factory.mktemp("audited"))
    write_audits(copied.ws)
    audited = Run(named(copied.params), copied.ws)
    evidence.run(audited.params, audited.ws, final=True)
    return audited


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


def pdf_text(path: Path) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(path.read_bytes())).pages)


def test_a_draft_is_written_of_a_run_alone_and_says_what_is_missing(bare: Run, tmp_path: Path):
    copied = bare.copy(tmp_path)
    summary = validate.run(copied.params, copied.ws)
    report = read_json(tmp_path / "validate/validation.json")
    missing = {s["title"] for s in report["sections"] if not s["is_complete"]}
    assert missing == {
        *("Purpose and scope", "Leakage and self-check", "Fairness", "Privacy", "Minimality", "Proxies"),
        *("Costs of policies", "Owner, approver and retention"),
    }
    assert report["status"] == "draft"
    assert summary.facts["missing 4"] == "Privacy: `saakh membership` was not run"
    assert "Draft: 9 parts are missing" in pdf_text(tmp_path / "validate/validation.pdf")


def test_a_final_report_is_refused_with_every_missing_part_by_name(bare: Run, tmp_path: Path):
    copied = bare.copy(tmp_path)
    with pytest.raises(IncompleteReportError) as raised:
        validate.run(copied.params, copied.ws, final=True)
    said = str(raised.value)
    assert raised.value.exit_code == 17
    for part in ("Fairness: `saakh fairness` was not run", "Costs of policies: `saakh policy costs` was not run"):
        assert f"- {part}" in said
    assert "retention: Not set: validate.owner, validate.developer, validate.validator, validate.approver" in said
    assert "Leakage and self-check: The selfcheck was of reduced size: 3 refits, not 30" in said
    assert not (tmp_path / "validate").exists()


def test_a_scorecard_before_and_a_monitored_batch_are_told_of(run: Run, tmp_path: Path):
    card = run.ws.root / "export/scorecard-0.1.0.saakh"
    params = named(run.params, previous=str(card), batch=str(tmp_path))
    record = Record(params, run.ws)
    counts = counts_of(record)
    (facts,) = changes(record, counts).blocks
    assert dict(facts.rows)["Made-up applicants whose points moved"].startswith("0 of ")
    assert [finding.level for finding in monitoring(record, counts).findings] == ["hole"]
    told = {"scorecard_sha256": hashlib.sha256(card.read_bytes()).hexdigest(), "as_of": "2026-07-01T00:00:00+00:00"}
    write_json(tmp_path / "monitor/monitor.json", told | {"severity": "act", "alarms": [{"said": "scores moved"}]})
    (found,) = monitoring(Record(params, run.ws), counts).findings
    assert (found.level, found.text) == ("high", "The batch as of 1 July 2026 is to be acted on; alarms: 1")


def test_an_audit_of_another_model_is_a_hole(run: Run, tmp_path: Path):
    copied = run.copy(tmp_path)
    found = read_json(tmp_path / "membership/membership.json")
    write_json(tmp_path / "membership/membership.json", found | {"model_sha256": "0" * 64})
    with pytest.raises(IncompleteReportError, match="Privacy: `saakh membership` was run on another model or other"):
        write_report(Record(copied.params, copied.ws), final=True)


def test_a_pulled_kill_switch_is_a_hole(run: Run, tmp_path: Path):
    copied = run.copy(tmp_path)
    write_json(copied.ws.stage("monitor") / "kill-switch.json", {"scorecard": "0.1.0"})
    with pytest.raises(IncompleteReportError, match="triggers and kill switch: The kill switch is pulled"):
        write_report(Record(copied.params, copied.ws), final=True)


@pytest.mark.parametrize(
    ("file", "path", "section"),
    [
        (("evaluate", "metrics.json"), ("out_of_time", "gini"), "discrimination"),
        (("evaluate", "metrics.json"), ("through_the_door", "calibration_slope", "low"), "calibration"),
        (("evaluate", "metrics.json"), ("out_of_time", "by_decile"), "rank order"),
        (("evaluate", "metrics.json"), ("out_of_time", "by_decile", "3", "rows"), "rank order"),
        (("evaluate", "metrics.json"), ("out_of_fold", "by_vintage", "0", "expected"), "vintages"),
        (("check", "check.json"), ("faults",), "data"),
        (("label", "label.json"), ("indeterminate_dpd_days",), "label"),
        (("selfcheck", "selfcheck.json"), ("permuted", "mean_auc"), "leakage"),
        (("membership", "membership.json"), ("told", "0", "auc", "high"), "privacy"),
        (("explain", "importance.json"), ("families",), "explanation"),
    ],
)
def test_a_deleted_figure_fails_the_report_and_names_its_section(run: Run, tmp_path: Path, file, path, section):
    copied = run.copy(tmp_path)
    copied.spoil(*file, *path)
    with pytest.raises(IncompleteReportError, match=f"the section on {section} cannot be written: {file[0]}/{file[1]}"):
        write_report(Record(copied.params, copied.ws))


def test_every_figure_of_the_metrics_that_is_shown_fails_its_section_when_it_is_deleted(run: Run):
    told = json.dumps(read_json(run.ws.root / "evidence/validation.json"))
    places = sorted(set(re.findall(r'"at": "evaluate/metrics.json: ([^"]+)"', told)))
    assert len(places) > 50
    counts = counts_of(Record(run.params, run.ws))
    for place in places:
        record = Record(run.params, run.ws)
        held = record.stage("evaluate")
        *above, last = place.split(".")
        for key in above:
            held = held[int(key) if isinstance(held, list) else key]
        del held[last]
        assert any(_fails(build, record, counts) for build in (discrimination, calibration, vintages, sensitivity)), (
            place
        )


def _fails(build, record: Record, counts) -> bool:
    try:
        build(record, counts)
    except LackingError as error:
        return "is not there" in str(error)
    return False


def test_what_was_explained_or_learned_from_must_be_of_this_model(run: Run, tmp_path: Path):
    copied = run.copy(tmp_path)
    found = read_json(tmp_path / "explain/importance.json")
    write_json(tmp_path / "explain/importance.json", found | {"base_log_odds": found["base_log_odds"] + 0.01})
    with pytest.raises(IncompleteReportError, match=r"section on variables .* is of another model"):
        write_report(Record(copied.params, copied.ws))
    (tmp_path / "derive/features.parquet").write_bytes(b"other")
    with pytest.raises(IncompleteReportError, match=r"derive/features.parquet is not what the model learned from"):
        write_report(Record(copied.params, copied.ws))


def test_two_runs_give_the_same_bytes(run: Run, tmp_path: Path):
    copied = run.copy(tmp_path / "elsewhere")
    before = {path.name: path.read_bytes() for path in (copied.ws.root / "evidence").iterdir()}
    shutil.rmtree(copied.ws.root / "evidence")
    evidence.run(copied.params, copied.ws, final=True)
    validate.run(copied.params, copied.ws, final=True)
    again = {path.name: path.read_bytes() for path in (copied.ws.root / "evidence").iterdir()}
    assert sorted(again) == sorted(before)
    assert [name for name in again if again[name] != before[name]] == []
    for name in ("validation.html", "validation.json"):
        assert (copied.ws.root / "validate" / name).read_bytes() == before[name]


def test_figures_in_the_page_equal_the_files_they_are_read_from(run: Run, browser: Browser):
    with opened(browser, run.ws.root / "evidence/validation.html") as found:
        shown = found.page.eval_on_selector_all(
            "[data-at]", "all => all.map(d => [d.dataset.at, d.value, d.innerText])"
        )
    assert len(shown) > 100
    for place, exact, text in shown:
        file, keys = place.split(": ")
        value = read_json(run.ws.root / file)
        for key in keys.split("."):
            value = value[int(key) if isinstance(value, list) else key]
        assert float(exact) == value
        told = text.replace("−", "-").replace(",", "").replace("\u00a0%", "")
        scale = 100 if "%" in text else 1
        assert float(told) == round(value * scale, len(told.split(".")[1]) if "." in told else 0)


def test_page_json_and_pdf_say_the_same(run: Run):
    folder = run.ws.root / "evidence"
    report, text = read_json(folder / "validation.json"), pdf_text(folder / "validation.pdf")
    page = (folder / "validation.html").read_text()
    flat = re.sub(r"\s+", "", text)
    sum_ = hashlib.sha256((folder / "validation.json").read_bytes()).hexdigest()
    assert sum_ in page
    assert sum_ in flat
    for place, section in enumerate(report["sections"], 1):
        assert re.sub(r"\s+", "", f"{place}. {section['title']}") in flat
        assert f"{place}. {section['title']}</h2>" in page
    (measures,) = [b for s in report["sections"] for b in s["blocks"] if b.get("table") == "measures"]
    for row in measures["rows"][1:]:
        assert row["Out of time"]["text"] in flat
    assert report["status"] == "final"
    assert "Final:nopartismissing" in flat


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_page_opens_silently_and_fits(run: Run, browser: Browser, width, scheme):
    with opened(browser, run.ws.root / "evidence/validation.html", width=width, scheme=scheme) as found:
        found.page.locator("footer").scroll_into_view_if_needed()
        assert (found.said, found.asked) == ([], [])
        assert found.page.evaluate("document.documentElement.scrollWidth") == width
        assert found.page.locator("main h2").count() == len(SECTIONS) + 1


def test_no_person_is_in_the_pack(run: Run):
    keys = pq.read_table(run.ws.root / "train/scores.parquet")["application_id"].to_pylist()
    folder = run.ws.root / "evidence"
    texts = [path.read_text() for path in folder.iterdir() if path.suffix != ".pdf"] + [
        pdf_text(folder / "validation.pdf")
    ]
    for text in texts:
        assert not [key for key in keys if key[:12] in text]


def test_counts_below_ten_are_withheld(run: Run):
    report = read_json(run.ws.root / "evidence/validation.json")
    (flow,) = [b for s in report["sections"] for b in s["blocks"] if b.get("table") == "flow"]
    told = {row["What"]: row["Applications"] for row in flow["rows"]}
    assert told["left out: applied after as_of"] == "hidden"
    assert sum(value == "hidden" for value in told.values()) >= 2


def test_the_digests_check_and_name_every_file(run: Run):
    folder = run.ws.root / "evidence"
    check = ["sha256sum", "--check", "--strict", "digests.txt"]
    found = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=True)
    assert found.stdout.count(": OK") == len(list(folder.iterdir())) - 1
    lines = (folder / "run_digests.txt").read_text().splitlines()
    held = {line.split("  ")[1]: line.split("  ")[0] for line in lines}
    model = run.ws.root / "train/model.txt"
    assert held["train/model.txt"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert held["raw/calls.csv"] == "d" * 64
    assert not [name for name in held if name.startswith(("mlflow", "audit", "evidence", "validate"))]


def test_lineage_ties_every_output_to_what_was_read(run: Run):
    lines = (run.ws.root / "evidence/lineage.jsonl").read_text().splitlines()
    events = {event["job"]["name"]: event for event in map(json.loads, lines)}
    assert list(events)[:3] == ["ingest", "check", "cohort"]
    assert len({event["run"]["runId"] for event in events.values()}) == len(events)
    assert {event["eventTime"] for event in events.values()} == {"2026-06-01T00:00:00+00:00"}
    (model,) = [d for d in events["train"]["outputs"] if d["name"] == "train/model.txt"]
    assert model in events["explain"]["inputs"]
    assert model["facets"]["version"]["datasetVersion"] == read_json(run.ws.root / "train/train.json")["model_sha256"]


def test_lineage_reads_what_dvc_says_the_stages_read():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    for name in STAGES:
        needed = {part.split("/")[2] for part in stages[name]["deps"] if part.startswith("data/sample/")}
        assert needed <= {*READS[name]}, name


def test_the_papers_are_filled_from_the_run(run: Run):
    folder, metrics = run.ws.root / "evidence", read_json(run.ws.root / "evaluate/metrics.json")
    auc = metrics["out_of_time"]["auc"]
    told = f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})"
    card, annex = (folder / "model_card.md").read_text(), (folder / "annex_iv.md").read_text()
    assert f"| AUC | {told} |" in card
    assert f"Out of time AUC {told}" in annex
    assert next(line for line in annex.splitlines() if line.startswith("## ")) == "## 1. General description"
    assert sum(line.startswith("## ") for line in annex.splitlines()) == 9
    entry = read_json(folder / "inventory.json")
    assert (entry["model"]["status"], entry["model"]["tier"], entry["validator"]) == ("final", "high", "Model Risk")
    assert (entry["review_by"], entry["kept_years_after_decommission"]) == ("2027-06-01", 10)
    assert entry["findings"]["hole"] == 0

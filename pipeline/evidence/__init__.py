"""Evidence: one folder for an auditor: validation report, model card, Annex IV outline, inventory, lineage, digests."""

from dataclasses import replace
from pathlib import Path

from pipeline import audit
from pipeline.evidence.inventory import inventory
from pipeline.evidence.lineage import digests, lineage
from pipeline.evidence.papers import annex_iv, model_card
from pipeline.params import Params
from pipeline.summary import Summary, Tell, quiet, timed
from pipeline.validate import PAGE, sum_up, write
from pipeline.validate.record import IncompleteReportError, LackingError, Record
from pipeline.validate.report import Report, write_report
from pipeline.workspace import Workspace, digest, whole_folder, write_json, write_text

FOLDER = "evidence"
CARD, ANNEX, INVENTORY, LINEAGE = "model_card.md", "annex_iv.md", "inventory.json", "lineage.jsonl"
RUN_DIGESTS, DIGESTS = "run_digests.txt", "digests.txt"


def run(params: Params, ws: Workspace, tell: Tell = quiet, *, final: bool = False) -> Summary:
    """Write the pack into `evidence/`, whole or not at all; one that is to be final is refused while it has a hole.

    Raises:
        IncompleteReportError: when a figure that a paper asks for is not in its file, or a part is missing.
    """
    audit.ready(params, ws)
    with timed(FOLDER) as summary:
        record = Record(params, ws)
        report = write_report(record, final=final, tell=tell)
        tell("digests and lineage", 0, None)
        with whole_folder(ws.root / FOLDER) as folder:
            _write(record, report, folder)
        sum_up(summary, report, ws.root / FOLDER / PAGE)
    audit.record(params, ws, replace(summary, facts={}))
    return summary


def _write(record: Record, report: Report, folder: Path) -> None:
    write(report, folder)
    try:
        papers = {CARD: model_card(record, report), ANNEX: annex_iv(record, report)}
    except LackingError as error:
        raise IncompleteReportError(f"the model card or the Annex IV outline cannot be written: {error}") from None
    for name, text in papers.items():
        write_text(folder / name, text)
    held = digests(record)
    write_json(folder / INVENTORY, inventory(record, report))
    write_text(folder / LINEAGE, lineage(record, held))
    write_text(folder / RUN_DIGESTS, _lines(held))
    write_text(folder / DIGESTS, _lines({path.name: digest(path) for path in folder.iterdir()}))


def _lines(held: dict[str, str]) -> str:
    """As `sha256sum` prints it, so that `sha256sum --check` reads it."""
    return "".join(f"{held[name]}  {name}\n" for name in sorted(held))

"""Sections fed by checks and by commands beside the line; where one was not run, the section is a hole, and says so."""

from pipeline import doubts
from pipeline.explain import fairness as drawn_fairness
from pipeline.explain.counts import Counts
from pipeline.explain.report import loans_left, shared
from pipeline.pages import number, percent, words
from pipeline.reidentify.suppress import WITHHELD
from pipeline.validate.document import (
    Block,
    Cell,
    Drawn,
    Facts,
    Figure,
    Finding,
    Section,
    Table,
    estimate,
    mark,
    plain,
    sentence,
    span,
    words_of,
)
from pipeline.validate.record import Found, Record

SCREEN = 0.80
CANDIDATES_FULL = 200
"""Candidates from which a search for a less discriminatory alternative is of full size."""


def missing(command: str, why: str) -> Finding:
    """The hole that a command leaves which was not run, or on something else."""
    return Finding("hole", f"`saakh {command}` {why}")


def leakage(record: Record, _: Counts) -> Section:
    """What selfcheck found: columns that know too much, permuted outcomes, earlier loans told from later ones."""
    found = record.stage("selfcheck")
    stale = found["model_sha256"] != record.stage("train")["model_sha256"]
    permuted, apart = found["permuted"], found["adversarial"]
    facts: list[tuple[str, Cell]] = [
        ("Verdict", found["verdict"]),
        ("Columns that know too much", plain_count(len(found["leaks"]))),
        ("People on both sides of the split", plain(found, "people_on_both_sides", 0)),
        ("Refits on permuted outcomes", plain(permuted, "refits", 0)),
        ("AUC on permuted outcomes, mean", plain(permuted, "mean_auc")),
        ("Telling earlier from later loans, AUC", plain(apart, "auc")),
        ("Its limit", plain(apart, "limit")),
    ]
    findings = [missing("selfcheck", "was run on another model")] if stale else []
    findings += [Finding("high", sentence(text)) for text in doubts.reasons(found)]
    findings += [Finding("medium", sentence(text)) for text in doubts.warnings(found)]
    if not permuted["full"]:
        findings.append(Finding("hole", f"The selfcheck was of reduced size: {permuted['refits']} refits, not 30"))
    return Section("selfcheck", "Leakage and self-check", "Selfcheck", (Facts(tuple(facts)),), tuple(findings))


def plain_count(count: int) -> Figure:
    """A count of columns or models, none of people."""
    return Figure(f"{count:,}", count)


def privacy(record: Record, _: Counts) -> Section:
    """Whether the model gives away who taught it, and how many people a record would single out."""
    findings: list[Finding] = []
    blocks: list[Block] = []
    found, records = record.audit("membership"), record.audit("reidentify")
    if isinstance(found, str):
        findings.append(missing("membership", found))
    else:
        blocks.append(_attack(found))
        findings += [Finding("high", sentence(text)) for text in doubts.membership_reasons(found)]
        if found["shadows"] < doubts.SHADOWS_FULL:
            said = (
                f"The membership audit was of reduced size: {found['shadows']} shadow models, not {doubts.SHADOWS_FULL}"
            )
            findings.append(Finding("hole", said))
    if isinstance(records, str):
        findings.append(missing("reidentify", records))
    else:
        blocks.append(_records(records))
    return Section("privacy", "Privacy", "Membership · Reidentify", tuple(blocks), tuple(findings))


def _attack(found: Found) -> Table:
    rows, marks = [], []
    for row in found.some("told"):
        rows.append((row["who"], estimate(row["auc"]), estimate(row["tpr"], 2, share=True)))
        marks.append(mark(row["auc"]))
    caption = (
        f"How well an attack with {found['shadows']} shadow models tells who taught the model: {found['verdict']}. "
        "Dot: AUC of the attack; the line is guessing"
    )
    names = ("Whom", "AUC of the attack#", "Named at 0.1 % false alarms#")
    return Table("membership", caption, names, tuple(rows), Drawn("dot", span(marks, 0.5), tuple(marks), 0.5))


def _records(found: Found) -> Table:
    rows = []
    for row in map(shared, found.some("records")):
        told = (WITHHELD if v is None else Figure(percent(v, 0), v) for v in (row["alone"], row["below"]))
        rows.append((row["name"], words(", ".join(row["columns"])), *told))
    caption = f"People by how many share their record; a table is given out only where at least {found['k']} do"
    return Table("records", caption, ("Record", "Made of", "Alone#", f"Fewer than {found['k']} alike#"), tuple(rows))


def fairness(record: Record, _: Counts) -> Section:
    """How groups are approved and wrongly refused at each cut-off, and whether a fairer model is as accurate."""
    found = record.audit("fairness")
    if isinstance(found, str):
        return Section("fairness", "Fairness", "Fairness", (), (missing("fairness", found),))
    side = next(side for side in found.some("sides") if side["side"] == drawn_fairness.SIDE)
    blocks: list[Block] = [FAIRNESS_SAID]
    for by in side["attributes"]:
        if by["groups"]:
            blocks.append(_groups(by, found["cut_offs"]))
        if by["withheld"]:
            blocks.append(f"Fewer than ten people, so nothing is told: {', '.join(by['withheld'])}.")
    findings = [Finding("medium", sentence(text)) for text in drawn_fairness.warnings({"fairness": found})]
    searched = found["search"]
    if searched["candidates"]:
        blocks.append(_alternative(searched))
    if searched["candidates"] < CANDIDATES_FULL:
        said = f"{searched['candidates']} candidates, not {CANDIDATES_FULL}"
        findings.append(Finding("hole", f"The search for a less discriminatory model was of reduced size: {said}"))
    if searched.get("alternative"):
        findings.append(
            Finding("medium", f"A less discriminatory alternative as accurate was found: {searched['alternative']}")
        )
    return Section("fairness", "Fairness", "Fairness", tuple(blocks), tuple(findings))


FAIRNESS_SAID = (
    "All later loans of people who agreed to research. The adverse impact ratio is a group's approval over that of the "
    "most approved group; under 0.80 it is to be looked at: a screen, not a verdict."
)


def _alternative(searched: Found) -> str:
    said = f"Among {searched['candidates']} candidates a less discriminatory model that is as accurate was "
    return said + (f"found: {searched['alternative']}." if searched["alternative"] else "not found.")


def _groups(by: Found, cuts: list[Found]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    marks = []
    for group in by["groups"]:
        for at, cut in zip(group["at"], cuts, strict=True):
            ratio = estimate(at["impact_ratio"], 2)
            rates = (estimate(at[key], 1, share=True) for key in ("approval", "goods_refused"))
            rows.append((group["group"], number(cut["from_points"], 0), *rates, ratio))
            marks.append(mark(at["impact_ratio"]))
    scale = span(marks, SCREEN)
    caption = (
        f"By {words(by['attribute'])}, approved from each band's lower end on. Dot: impact ratio; the line is 0.80"
    )
    names = ("Group", "From points#", "Approved#", "Good loans refused#", "Impact ratio#")
    return Table(f"groups-{by['attribute']}", caption, names, tuple(rows), Drawn("dot", scale, tuple(marks), SCREEN))


def minimality(record: Record, _: Counts) -> Section:
    """The smallest consent request that loses nothing that matters, and what each category earns."""
    found = record.audit("minimise")
    if isinstance(found, str):
        return Section("minimality", "Minimality", "Minimise", (), (missing("minimise", found),))
    chosen = set(found["recommended"]["categories"])
    spared = [name for name in found["everything"]["categories"] if name not in chosen]
    rows = tuple(
        (
            row["category"],
            f"{row['sensitivity']}",
            estimate(row["loss"], 4),
            "yes" if row["category"] in chosen else "no",
        )
        for row in found.some("categories")
    )
    marks = tuple(mark(row["loss"]) for row in found["categories"])
    caption = f"AUC lost without each category; under {found['asked']['worth_auc']} it does not earn its place"
    names = ("Category", "Sensitivity#", "Lost without it#", "Recommended")
    table = Table("earned", caption, names, rows, Drawn("dot", span(marks, 0.0), marks, 0.0))
    findings = (Finding("medium", f"Asked for and not needed: {words_of(spared)}"),) if spared else ()
    lost = found["asked"]["loss_auc_max"]
    said = f"The smallest request that loses no more than {lost} of AUC: {words_of(sorted(chosen), 99)}."
    return Section("minimality", "Minimality", "Minimise", (said, table), findings)


def proxies(record: Record, _: Counts) -> Section:
    """How well the inputs tell protected attributes and life events, which are no inputs."""
    found = record.audit("proxies")
    if isinstance(found, str):
        return Section("proxies", "Proxies", "Proxies", (), (missing("proxies", found),))
    targets = found.some("targets")
    rows = tuple(_told(row) for row in targets)
    marks = tuple(mark(row["before"]["out_of_fold"]) for row in targets)
    goal = found["asked"]["goal_auc"]
    caption = f"AUC of telling each from the inputs, out of fold; the goal is {goal}, the line; 0.5 is guessing"
    names = ("Target", "All inputs#", "After leaving some out#", "At goal")
    table = Table("proxies", caption, names, rows, Drawn("dot", span(marks, goal), marks, goal))
    above = [words(row["name"]) for row in targets if not row["is_at_goal"]]
    findings = (Finding("medium", f"Inputs tell more than the goal allows of: {words_of(above)}"),) if above else ()
    return Section("proxies", "Proxies", "Proxies", (table,), findings)


def _told(row: Found) -> tuple[Cell, ...]:
    sides = (estimate(row[when]["out_of_fold"]) for when in ("before", "after"))
    return (words(row["name"]), *sides, "yes" if row["is_at_goal"] else "no")


def policies(record: Record, _: Counts) -> Section:
    """What each policy would cost: inputs, AUC, approvals."""
    found = record.audit("policy costs")
    title = "Costs of policies"
    if isinstance(found, str):
        return Section("policies", title, "Policy", (), (missing("policy costs", found),))
    left = loans_left(found)
    rows = tuple(_cost(row, left) for row in found.some("policies"))
    marks = tuple(mark(row["auc_lost"]) for row in found["policies"])
    caption = (
        f"The model learned again on what each policy leaves of this run, which ran under {found['run']}. Dot: AUC lost"
    )
    names = ("Policy", "Inputs left#", "Loans left#", "AUC#", "AUC lost#", "Approved#")
    table = Table("costs", caption, names, rows, Drawn("dot", span(marks, 0.0), marks, 0.0))
    return Section("policies", title, "Policy", (table,), ())


def _cost(row: Found, left: dict[str, str]) -> tuple[Cell, ...]:
    lost = (estimate(row[key]) for key in ("auc", "auc_lost"))
    return (row["policy"], plain(row, "columns", 0), left[row["policy"]], *lost, plain(row, "approved", 1, share=True))

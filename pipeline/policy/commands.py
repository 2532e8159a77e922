"""What `saakh policy` prints: which there are, what one says, and what falls away from one to another."""

from collections.abc import Iterator, Sequence

from features.catalogue import specs_of
from pipeline.console import out
from pipeline.policy import Policy, names, read_policy
from pipeline.policy.compare import (
    KNOWN,
    Removed,
    bounds_set,
    bounds_tightened,
    columns_closed,
    fallen,
    removed,
    tables_closed,
)


def print_list() -> None:
    """Print the policies there are, one a line, with what each leaves to be measured."""
    rows = [("policy", "jurisdiction", "since", "features", "columns", "what it is")]
    for policy in map(read_policy, names()):
        what = removed(specs_of(KNOWN), [policy])
        counts = (f"{what.features[1]:,}", f"{what.columns[1]:,}")
        rows.append((policy.name, policy.jurisdiction, str(policy.in_force_from), *counts, policy.title))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    _show(["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows])


def print_policy(name: str) -> None:
    """Print all that a policy says, and what it leaves to be measured."""
    policy = read_policy(name)
    what = removed(specs_of(KNOWN), [policy])
    _show([f"{policy.name}: {policy.title}", *_table([*_said(policy), *_removed(what)])])


def print_diff(before: str, after: str) -> None:
    """Print what falls away from one policy to another, and what comes back."""
    one, other = read_policy(before), read_policy(after)
    gone, back = fallen(one, other), fallen(other, one)
    rows = [
        ("tables", ", ".join(tables_closed(one, other)) or "none"),
        ("columns", ", ".join(columns_closed(one, other)) or "none"),
        *_removed(gone),
        *(("bounds", line) for line in bounds_tightened(one, other) or ["none tightened"]),
    ]
    _show([f"From {one.name} to {other.name} falls away:", *_table(rows)])
    returns = back.features[0] - back.features[1]
    if returns:
        _show([f"And {returns} features come back, with {back.columns[0] - back.columns[1]:,} columns:"])
        _show(_table([("", f"{len(t.features)} features that {t.why}") for t in back.taken]))


def _said(policy: Policy) -> Iterator[tuple[str, str]]:
    yield "jurisdiction", policy.jurisdiction
    yield "in force from", str(policy.in_force_from)
    yield "citation", policy.citation
    for what, values in policy.barred:
        if values:
            yield f"bars {what}", ", ".join(map(str, values))
    yield "allows", ", ".join(_allowed(policy)) or "nothing beyond what is ordinary"
    for purpose, words in bounds_set(policy).items():
        yield f"bounds, {purpose}", words
    yield from _retention(policy)
    reasons = policy.reasons
    if reasons.most is not None:
        yield "reasons", f"{reasons.most} at most"
    if reasons.banned:
        yield "no reason says", ", ".join(reasons.banned)
    if reasons.notice_days_max is not None:
        yield "notice", f"within {reasons.notice_days_max} days"
    if policy.residency:
        yield "residency", policy.residency
    for asked in policy.asks:
        yield "asks", asked


def _allowed(policy: Policy) -> Iterator[str]:
    yield from (f"what is of sensitivity {told}" for told in policy.allows.sensitivities)
    if policy.allows.social_graph:
        yield "the graph of all people"


def _retention(policy: Policy) -> Iterator[tuple[str, str]]:
    kept = policy.retention
    if kept.erase_on:
        yield "erase on", ", ".join(cause.replace("_", " ") for cause in kept.erase_on)
    if kept.keep_days_max is not None:
        yield "keep", f"{kept.keep_days_max} days at most"
    if kept.hold is not None:
        yield "hold", f"{kept.hold.days} days a sealed copy of {kept.hold.what} ({kept.hold.why}), then destroy it"


def _removed(what: Removed) -> Iterator[tuple[str, str]]:
    gone = what.features[0] - what.features[1], what.columns[0] - what.columns[1]
    yield "features", f"{gone[0]:,} of {what.features[0]:,} go, {what.features[1]:,} stay"
    yield "in columns", f"{gone[1]:,} of {what.columns[0]:,} go, {what.columns[1]:,} stay"
    for taken in what.taken:
        few = len(taken.features) <= 4
        named = f": {', '.join(taken.features)}" if few else ""
        yield "", f"{taken.why}: {len(taken.features)} features, {taken.columns:,} columns{named}"
    yield "categories", f"{', '.join(what.categories)}: nothing is left of them" if what.categories else "all stay"


def _table(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Lines of label and text; a label that repeats is said once."""
    width, last, lines = max(len(label) for label, _ in rows), None, []
    for label, text in rows:
        lines.append(f"  {'' if label == last else label:<{width}}  {text}")
        last = label
    return lines


def _show(lines: Sequence[str]) -> None:
    for line in lines:
        out.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)

"""Worked examples as people write them: pages in a folder a family, events drawn in a table, values with their working.

A page begins with the snapshot of its examples. Under the heading of a feature come its examples, further ones under
headings of their own: lines `snapshot:` or `consent:` where they differ, the table, and a line per column,
``- `call_contacts_30d` = 2: Asha and Ravi``. Everything else is prose. The tests hold every
feature to these pages.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "tests" / "spec"
HEADING = re.compile(r"^(#{1,3}) (.+)$", re.MULTILINE)
VALUE = re.compile(r"- `(\w+)` = (\S+): (\S.*)")
NUMBER = re.compile(r"-|-?\d+(\.\d+)?|-?\d+/[1-9]\d*")
CONSENT = re.compile(r"(none)|from (?P<start>\d[\d: -]+?)(?: to (?P<end>\d[\d: -]+))?")
FULL = (datetime(1900, 1, 1), None)  # the consent of an example that says nothing of it
ROUNDED = 6  # a value written with that many decimals is rounded, any other is exact


@dataclass(frozen=True)
class Example:
    """One applicant's events of one table, and the values they give.

    `consent` is the range of events it opens, either end may be open; None: refused. `values` maps a column to what is
    written: a number, a fraction, or `-` for null; `working` maps it to how that was found.
    """

    page: str
    feature: str
    title: str
    snapshot: datetime
    consent: tuple[datetime | None, datetime | None] | None
    table: str
    values: dict[str, str]
    working: dict[str, str]

    @property
    def name(self) -> str:
        """How a test names it."""
        return ": ".join(filter(None, (self.feature, self.title)))


def pages() -> tuple[Path, ...]:
    """The pages there are; none outside a checkout of the repository."""
    return tuple(sorted(PAGES.glob("*/*.md")))


def pages_of(names: Iterable[str]) -> dict[str, str]:
    """Where each of these features is worked by hand, as a path from the root of the repository."""
    known = set(names)
    said = ((name, page) for page in pages() for mark, name, _ in _parts(page) if mark == "##" and name in known)
    return {name: page.relative_to(ROOT).as_posix() for name, page in said}


def worked() -> dict[str, list[Example]]:
    """All examples by feature."""
    found: dict[str, list[Example]] = {}
    for page in pages():
        for one in examples(page):
            found.setdefault(one.feature, []).append(one)
    return found


def examples(page: Path) -> Iterator[Example]:
    """The examples of a page, in its order."""
    feature, standing = "", ""
    for mark, heading, body in _parts(page):
        if mark == "#":
            standing = option(body, "snapshot")
            continue
        feature = heading if mark == "##" else feature
        if body.strip():
            yield example(f"{page.parent.name}/{page.stem}", feature, heading if mark == "###" else "", standing, body)


def _parts(page: Path) -> Iterator[tuple[str, str, str]]:
    """Each heading's mark and words, with the text under it."""
    _, *parts = HEADING.split(page.read_text(encoding="utf-8"))
    return zip(parts[::3], parts[1::3], parts[2::3], strict=True)


def example(page: str, feature: str, title: str, standing: str, body: str) -> Example:
    """One example from the text under its heading."""
    lines = body.splitlines()
    matches = [VALUE.fullmatch(line) for line in lines if line.startswith("- ")]
    if not matches or None in matches:
        raise ValueError(f"{page}: {feature}: {title}: every value is written as - `column` = value: working")
    found = [match for match in matches if match]
    if odd := [match[1] for match in found if not NUMBER.fullmatch(match[2])]:
        raise ValueError(f"{page}: {odd[0]}: a value is a number, a fraction or -; work it out by hand")
    return Example(
        page=page,
        feature=feature,
        title=title,
        snapshot=datetime.fromisoformat(option(body, "snapshot") or standing),
        consent=consent(said) if (said := option(body, "consent")) else FULL,
        table="\n".join(line for line in lines if line.startswith("|") and not line.startswith("|-")),
        values={match[1]: match[2] for match in found},
        working={match[1]: match[3] for match in found},
    )


def option(body: str, name: str) -> str:
    """What a line `name: ...` says, empty when there is none."""
    found = re.search(rf"^{name}: (.+)$", body, re.MULTILINE)
    return found[1].strip() if found else ""


def consent(text: str) -> tuple[datetime | None, datetime | None] | None:
    """The range of events that consent opens."""
    match = CONSENT.fullmatch(text)
    if match is None:
        raise ValueError(f"consent is `none`, `from TIME` or `from TIME to TIME`, not '{text}'")
    start, end = (datetime.fromisoformat(match[end]) if match[end] else None for end in ("start", "end"))
    return None if match[1] else (start, end)


def agrees(value: float | None, written: str) -> bool:
    """Whether a value is what is written: to its last decimal where it is rounded, to nine digits where it is exact."""
    if value is None or written == "-":
        return value is None and written == "-"
    decimals = len(written.partition(".")[2])
    slack = 0.5 * 10.0**-decimals if decimals >= ROUNDED else 1e-9 * max(1.0, abs(float(Fraction(written))))
    return abs(value - float(Fraction(written))) <= slack

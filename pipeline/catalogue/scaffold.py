"""The start of a new feature: its declaration in the module of its topic, its example on the page of that module."""

import re
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from features.catalogue import MODULES
from features.columns import Table
from features.declare import REGISTRY
from features.joined import JOINED
from features.tables import EVENT_TABLES
from pipeline.catalogue.declared import UNFINISHED
from pipeline.catalogue.imports import with_imports
from pipeline.catalogue.stub import Stub, stub
from pipeline.catalogue.worked import ROOT
from pipeline.console import out
from pipeline.pages import words
from pipeline.workspace import write_text
from saakh.errors import ConfigError, MissingInputError
from saakh.spec import FAMILIES

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
MODULE = re.compile(r"[a-z][a-z0-9_]*")
LINES_MOST = 300
FOUND: dict[str, tuple[ModuleType, ...]] = {str(family): modules for family, modules in MODULES.items()}
TABLES = {table.name: table for table in (*EVENT_TABLES, *JOINED)}


@dataclass(frozen=True)
class Begun:
    """Where the two parts of a new feature stand: files, and the lines they begin at."""

    declaration: Path
    declared_at: int
    example: Path
    drawn_at: int


def begin(name: str, table: str, family: str, module: str) -> None:
    """Begin a feature in this checkout, and say what to do next."""
    begun = write(ROOT, name, table, family, module)
    out.print(f"Wrote {begun.declaration.relative_to(ROOT)}, line {begun.declared_at}: the declaration")
    out.print(f"Wrote {begun.example.relative_to(ROOT)}, line {begun.drawn_at}: its example, to be worked by hand")
    out.print(f"Finish what says {UNFINISHED} in both, then:")
    out.print(f"  python -m pytest tests/spec -k {name}", highlight=False)
    out.print("  saakh features docs")


def write(root: Path, name: str, table: str, family: str, module: str = "") -> Begun:
    """Write the two parts into a checkout; what cannot be begun is a `ConfigError`, and nothing is written."""
    _refuse(name, table, family, module)
    if not (root / "tests" / "spec").is_dir():
        raise MissingInputError(f"no tests/spec in {root}; features are begun in a checkout of the repository")
    text = stub(name, TABLES[table])
    source = root / "features" / family / f"{module or _topic(root, family, TABLES[table], text)}.py"
    title = f"{words(family).capitalize()} by {words(source.stem)}"
    declared = _appended(source, f'"""{title}."""\n', f"\n\n{text.declaration}", text.imports)
    page = _page(root / "tests" / "spec" / family, source.stem, text)
    start = f"# {title}, worked by hand\n\nWritten as [README.md](../README.md) says.\n\nsnapshot: 2026-03-01 00:00\n"
    drawn = _appended(page, start, f"\n{text.example}", {})
    write_text(source, declared)
    write_text(page, drawn)
    return Begun(source, _line_of(declared, text.declaration), page, _line_of(drawn, text.example))


def _refuse(name: str, table: str, family: str, module: str) -> None:
    if not NAME.fullmatch(name) or re.search(r"_\d+d$", name):
        raise ConfigError(f"'{name}' is no feature's name; write it as in call_short_share, without a window")
    if taken := next((f.name for f in REGISTRY.values() if name == f.name or name in f.columns), ""):
        raise ConfigError(f"there is a feature '{taken}' already; `saakh features show {taken}` says what it measures")
    if table not in TABLES:
        raise ConfigError(f"no table '{table}' to measure on; there are {', '.join(TABLES)}")
    if family not in FAMILIES:
        raise ConfigError(f"no family '{family}'; the families are {', '.join(FAMILIES)}")
    if module and not MODULE.fullmatch(module):
        raise ConfigError(f"'{module}' is no module's name; write it without folder and ending, as in calls_short")


def _topic(root: Path, family: str, table: Table, text: Stub) -> str:
    """The family's first module on the table that has room, or a new one named as other families name theirs."""
    there = _modules_on(table, family)
    for name in there:
        if _fits(root / "features" / family / f"{name}.py", text.declaration):
            return name
    if there:
        raise ConfigError(f"{', '.join(there)} in features/{family} are full; name another with --module")
    topics = [name for other in FAMILIES for name in _modules_on(table, other)]
    return min(topics, key=len, default=table.name)


def _modules_on(table: Table, family: str) -> list[str]:
    """The modules of a family that measure a table, the shortest name first, since it is the topic's own."""
    measures = {f.name for f in REGISTRY.values() if f.table == table}
    found = [m.__name__.rpartition(".")[2] for m in FOUND[family] if measures & set(vars(m))]
    return sorted(found, key=lambda name: (len(name), name))


def _page(folder: Path, stem: str, text: Stub) -> Path:
    """The page of a module, or a further one when it is full."""
    pages = [folder / f"{stem}.md", *(folder / f"{stem}_{number}.md" for number in range(2, 100))]
    return next(page for page in pages if _fits(page, text.example))


def _fits(path: Path, more: str) -> bool:
    lines = len(path.read_text(encoding="utf-8").splitlines()) if path.exists() else 0
    return lines + len(more.splitlines()) + 5 <= LINES_MOST  # five: blank lines, and imports


def _appended(path: Path, start: str, more: str, imports: dict[str, set[str]]) -> str:
    text = path.read_text(encoding="utf-8") if path.exists() else start
    return with_imports(text.rstrip() + "\n", imports).rstrip() + "\n" + more


def _line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1

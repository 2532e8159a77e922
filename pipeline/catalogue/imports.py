"""Imports added to the source of a module, in the order and form that the formatter keeps."""

import ast
from collections.abc import Mapping

WIDTH = 120


def with_imports(source: str, wanted: Mapping[str, set[str]]) -> str:
    """The source with these names imported from these modules, beside what is imported from them already."""
    for module in sorted(wanted):
        source = _with_import(source, module, wanted[module])
    return source


def _with_import(source: str, module: str, names: set[str]) -> str:
    lines = source.splitlines()
    there = [node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom) and node.module]
    same = next((node for node in there if node.module == module), None)
    if same is not None:
        named = names | {_said(alias) for alias in same.names}
        return _replaced(lines, same.lineno - 1, same.end_lineno or same.lineno, _written(module, named))
    root = module.partition(".")[0]
    beside = [node for node in there if (node.module or "").partition(".")[0] == root]
    before = next((node for node in beside if (node.module or "") > module), None)
    if before is not None:
        return _replaced(lines, before.lineno - 1, before.lineno - 1, _written(module, names))
    if beside:
        last = beside[-1].end_lineno or beside[-1].lineno
        return _replaced(lines, last, last, _written(module, names))
    top = _after_docstring(source)
    return _replaced(lines, top, top, ["", *_written(module, names)])


def _after_docstring(source: str) -> int:
    """The line after what imports come after: the docstring, and imports of other packages."""
    body = ast.parse(source).body
    first = [node for i, node in enumerate(body) if isinstance(node, ast.Import | ast.ImportFrom) or i == 0]
    return max((node.end_lineno or 0 for node in first), default=0)


def _replaced(lines: list[str], first: int, end: int, new: list[str]) -> str:
    return "\n".join([*lines[:first], *new, *lines[end:]]) + "\n"


def _written(module: str, names: set[str]) -> list[str]:
    ordered = sorted(names, key=_order)
    line = f"from {module} import {', '.join(ordered)}"
    return [line] if len(line) <= WIDTH else [f"from {module} import (", *(f"    {n}," for n in ordered), ")"]


def _said(alias: ast.alias) -> str:
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name


def _order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions and what else there is."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2, name)

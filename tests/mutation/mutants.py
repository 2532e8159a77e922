"""Mutants of the gate: each a small change to its source, each to be found out by the unit tests of its module.

`python -m tests.mutation.mutants [EVERY]` makes every EVERYth mutant, runs the tests on it, and prints those that
survive. Mutants are Cosmic Ray's (its operators of comparison, arithmetic, logic, numbers, conditions, loops). They are
not written to disk: a forked process puts the changed module in the place of the real one and runs the tests there, so
that a mutant costs a second or two and not the start of an interpreter.
"""

import importlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.provider import OperatorProvider

ROOT = Path(__file__).parents[2]
TESTS = {
    "pipeline.gate": ("tests/unit/pipeline/test_gate.py",),
    "pipeline.asof": ("tests/unit/pipeline/test_asof.py",),
}
SURVIVORS = Path(__file__).with_name("survivors.md")
QUIET = ("-q", "-x", "-p", "no:xdist", "-p", "no:cacheprovider", "--no-header", "--tb=no")
TIMEOUT_S = 60


@dataclass(frozen=True)
class Mutant:
    """A module with one change: `operator` at its `occurrence`, `before` the line and `after` it."""

    module: str
    operator: str
    occurrence: int
    line: int
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """The change in words that do not depend on the line it stands on."""
        return f"{self.module} {self.operator}: `{self.before}` -> `{self.after}`"


def mutants(module: str) -> list[Mutant]:
    """Every mutant of a module, in the order of its lines; equal sources once."""
    source = Path(importlib.import_module(module).__file__ or "").read_text(encoding="utf-8")
    found: dict[str, Mutant] = {}
    for name, operator, count in _operators(source):
        for occurrence in range(count):
            changed = mutate_code(source, operator, occurrence)
            if changed is not None and changed != source and changed not in found:
                found[changed] = _told(module, name, occurrence, source, changed)
    return sorted(found.values(), key=lambda mutant: (mutant.line, mutant.operator, mutant.occurrence))


def survivors(chosen: list[Mutant]) -> list[Mutant]:
    """Those that no test of their module finds out; modules that the tests need are imported before, once."""
    for name in ("pipeline.derive", "pipeline.cohort", "tests.ascii"):
        importlib.import_module(name)
    return [mutant for mutant in chosen if survives(mutant)]


def survives(mutant: Mutant) -> bool:
    """Whether all tests pass on a mutant; one that cannot be imported, or that never ends, does not survive."""
    child = os.fork()
    if child == 0:
        os._exit(_tested(mutant))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def explained() -> set[str]:
    """The survivors that `survivors.md` explains, by name."""
    lines = SURVIVORS.read_text(encoding="utf-8").splitlines()
    return {line.removeprefix("### ") for line in lines if line.startswith("### ")}


def _operators(source: str) -> Iterator[tuple[str, object, int]]:
    """Cosmic Ray's operators that need no arguments, each with the number of places it can change."""
    provider = OperatorProvider()
    nodes = list(ast_nodes(get_ast(source)))
    for name in provider:
        if not provider[name].arguments():
            operator = provider[name]()
            yield name, operator, sum(len(list(operator.mutation_positions(node))) for node in nodes)


def _told(module: str, operator: str, occurrence: int, source: str, changed: str) -> Mutant:
    pairs = enumerate(zip(source.splitlines(), changed.splitlines(), strict=False), start=1)
    line, (before, after) = next((n, pair) for n, pair in pairs if pair[0] != pair[1])
    return Mutant(module, operator, occurrence, line, before.strip(), after.strip(), changed)


def _tested(mutant: Mutant) -> int:
    """In a process of its own: the exit code of the tests on the mutant."""
    signal.setitimer(signal.ITIMER_PROF, TIMEOUT_S)  # of processor time, so that a busy machine kills no mutant
    signal.alarm(10 * TIMEOUT_S)  # either ends the process
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    try:
        changed = ModuleType(mutant.module)
        changed.__file__ = sys.modules[mutant.module].__file__
        exec(compile(mutant.source, mutant.module, "exec"), changed.__dict__)
        sys.modules[mutant.module] = changed
        setattr(sys.modules[mutant.module.rpartition(".")[0]], mutant.module.rpartition(".")[2], changed)
        return int(pytest.main([*QUIET, *(str(ROOT / path) for path in TESTS[mutant.module])]))
    except BaseException:
        return 1


def main(every: int = 1) -> int:
    """Print the survivors and the share killed; the exit code says whether all of them are explained."""
    made = [mutant for module in TESTS for mutant in mutants(module)]
    chosen = made[::every]
    left = survivors(chosen)
    for mutant in left:
        sys.stdout.write(f"line {mutant.line}, {mutant.name}\n")
    killed = len(chosen) - len(left)
    sys.stdout.write(f"{killed} of {len(chosen)} mutants killed ({len(made)} in all)\n")
    return int(bool({mutant.name for mutant in left} - explained()))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))

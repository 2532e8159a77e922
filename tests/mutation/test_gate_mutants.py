"""The gate's tests find out every change to it that matters: 95 in a hundred mutants or more, the rest explained."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Claim

ROOT = Path(__file__).parents[2]
EVERY = 1 if os.environ.get("SAAKH_FULL") else 24


@pytest.mark.timeout(3_600)
def test_mutants_of_the_gate_are_killed(claim: Claim) -> None:
    """In a process of its own, which forks: one with an engine's threads in it could not."""
    pytest.importorskip("cosmic_ray", reason="cosmic-ray makes the mutants; it is among the development requirements")
    command = [sys.executable, "-m", "tests.mutation.mutants", str(EVERY)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    killed, chosen, every = map(int, re.findall(r"\d+", found.stdout.splitlines()[-1]))
    claim("mutants of the gate and the as-of join killed", "95 %", f"{killed} of {chosen}, of {every} in all")
    assert killed >= 0.95 * chosen

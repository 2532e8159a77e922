"""A running service: `saakh serve` in a process of its own, on a port that was free."""

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lending_terms import raw as terms
from tests.small_scorecard import packed

ROOT = Path(__file__).parents[1]
JSON = {"Content-Type": "application/json"}
PATIENCE_S = 60
ROW = {
    "input_0_30d": 0.5,
    "input_1_30d": 0.0,
    "input_2_30d": -2.0,
    "input_3_30d": 11.0,
    "input_4_30d": True,
    "input_6_30d": None,
}
ASKED = {"id": "asha", "on": "2026-06-01", "amount_minor": 500_000, "income_minor": 4_000_000, "is_adult": True}
Body = bytes | Iterator[bytes] | None


def deciding() -> bytes:
    """The small scorecard with lending terms."""
    return packed(terms=json.dumps(terms()))


def of_version(version: str) -> bytes:
    """A scorecard of another version, on the same inputs and a scale that starts a hundred points lower."""
    return packed(version=version, base_points=500.0, terms=json.dumps(terms()))


@dataclass(frozen=True)
class Answer:
    """A response: status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Service:
    """The process, its file and port, and where its log goes."""

    process: subprocess.Popen[bytes]
    file: Path
    log: Path
    port: int = 0

    def lines(self) -> list[dict[str, Any]]:
        """What it logged; the last line may still be under way."""
        whole = self.log.read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def waits(self, count: int = 1, **fields: object) -> dict[str, Any]:
        """The line that has these fields for the so-manieth time, once it is there."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            has_ended = self.process.poll() is not None
            found = [line for line in self.lines() if fields.items() <= line.items()]
            if len(found) >= count:
                return found[count - 1]
            assert not has_ended, self.log.read_text()
            time.sleep(0.02)
        raise AssertionError(f"no line with {fields} in {self.log.read_text()}")

    def ask(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None, headers: dict[str, str] = JSON
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, headers)
            found = connection.getresponse()
            return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        finally:
            connection.close()

    def post(self, path: str, content: Any) -> Answer:
        return self.ask("POST", path, json.dumps(content).encode())

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


def put(path: Path, body: bytes) -> None:
    """Write a file as export does: whole, in one move."""
    beside = path.with_name(f".{path.name}")
    beside.write_bytes(body)
    beside.replace(path)


@contextmanager
def serving(file: Path, *options: str) -> Iterator[Service]:
    """Serve a file, once it listens; whatever happens, the process does not outlive the block."""
    log = file.with_name("log.jsonl")
    command = [sys.executable, "-W", "error", "-m", "pipeline.cli", "serve", "--scorecard", str(file), "--port", "0"]
    with log.open("wb") as stream:
        process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=stream, stderr=stream)
    service = Service(process, file, log)
    try:
        service.port = service.waits(event="serving")["port"]
        yield service
    finally:
        process.kill()
        process.wait()

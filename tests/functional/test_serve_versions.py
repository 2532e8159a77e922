"""Which scorecard a service answers by: a signed one where asked, none that was stopped, never one unverified."""

import hashlib
import http.client
import json
import signal
import socket
from pathlib import Path

import pytest

import saakh
from pipeline import serve, sign
from tests.serving import ASKED, PATIENCE_S, ROW, deciding, of_version, put, serving
from tests.small_scorecard import packed


def written(folder: Path, body: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "scorecard.saakh").write_bytes(body)
    return folder / "scorecard.saakh"


def test_a_signed_service_takes_up_signed_versions_alone_and_when_asked(tmp_path: Path) -> None:
    file, seed = tmp_path / "scorecard.saakh", tmp_path / "seed.txt"
    seed.write_text("01" * 32)
    file.write_bytes(packed())
    public = sign.run(file, seed).facts["public key"]
    with serving(file, "--trust", public, "--look-seconds", "3600") as running:
        assert running.ask("GET", "/version").json()["signature"].startswith("signed by key ")
        running.process.send_signal(signal.SIGHUP)
        running.waits(event="scorecard unchanged")
        put(file, of_version("0.2.0"))
        running.process.send_signal(signal.SIGHUP)
        assert "not signed" in running.waits(event="scorecard refused")["why"]
        other = tmp_path / "next.saakh"
        other.write_bytes(of_version("0.2.0"))
        sign.run(other, seed)
        other.replace(file)
        running.process.send_signal(signal.SIGHUP)
        assert running.waits(event="scorecard loaded")["version"] == saakh.load(file).version == "0.2.0"
        body = json.dumps({"inputs": ROW}).encode()
        with socket.create_connection(("127.0.0.1", running.port), PATIENCE_S) as slow:
            kind, size = "Content-Type: application/json", f"Content-Length: {len(body)}"
            head = "".join(f"{field}\r\n" for field in ("POST /score HTTP/1.1", "Host: x", kind, size, ""))
            slow.sendall(head.encode() + body[:10])
            running.ask("GET", "/health")  # the request above has been begun
            running.process.send_signal(signal.SIGTERM)
            with pytest.raises(OSError):  # refused, or reset
                while True:
                    running.ask("GET", "/health")
            slow.sendall(body[10:])
            answer = http.client.HTTPResponse(slow)
            answer.begin()
            assert (answer.status, json.loads(answer.read())["scorecard"]["version"]) == (200, "0.2.0")
        assert running.process.wait(PATIENCE_S) == 0
        running.waits(event="stopped")


def test_a_stopped_scorecard_answers_no_more_until_the_stop_is_lifted_or_another_is_there(
    tmp_path: Path,
) -> None:
    file, switch = written(tmp_path / "release", deciding()), tmp_path / "monitor" / "kill-switch.json"
    stop = {"scorecard": "0.1.0", "scorecard_sha256": hashlib.sha256(deciding()).hexdigest()}
    switch.parent.mkdir()
    with serving(file, "--look-seconds", "0.05") as running:
        put(switch, json.dumps(stop | {"reasons": ["42 bad loans for 20 expected"]}).encode())
        running.waits(event="scorecard stopped")
        for path in ("/score", "/explain"):
            found = running.post(path, {"inputs": ROW})
            assert (found.status, found.json()["type"]) == (503, "urn:saakh:problem:stopped")
            assert "42 bad loans" in found.json()["detail"]
        assert running.post("/decide", {"inputs": ROW, "application": ASKED}).status == 503
        assert running.ask("GET", "/health").status == 503
        assert "saakh_stopped 1.0" in running.ask("GET", "/metrics").body.decode()
        put(file, packed(version="0.2.0"))
        running.waits(event="stop lifted")
        assert running.post("/score", {"inputs": ROW}).json()["scorecard"]["version"] == "0.2.0"
        undecided = running.post("/decide", {"inputs": ROW, "application": ASKED})  # it has no lending terms
        assert (undecided.status, undecided.json()["type"]) == (409, "urn:saakh:problem:no-lending-terms")
        put(switch, b"[")
        assert "not readable" in running.waits(2, event="scorecard stopped")["why"]
        switch.unlink()
        running.waits(2, event="stop lifted")
        assert running.ask("GET", "/health").status == 200
    put(file.with_name("retired.json"), json.dumps([stop]).encode())
    put(file, deciding())
    with pytest.raises(saakh.StoppedError, match="not served"):
        serve.run(file)


def test_without_a_scorecard_that_verifies_nothing_is_served(tmp_path: Path) -> None:
    file = tmp_path / "scorecard.saakh"
    file.write_bytes(packed())
    with pytest.raises(saakh.ArtifactError, match="not signed"):
        serve.run(file, ["00" * 32])
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(saakh.ConfigError, match="cannot listen"):
        serve.run(file, port=taken.getsockname()[1])

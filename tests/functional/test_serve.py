"""The service as a lender runs it: exact, strict, quiet about people, and never without a verified scorecard."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.serve.bodies import Decided, DecisionGiven, Explained, Scored
from saakh import archive
from saakh.scorecard import Scorecard
from tests.serving import ASKED, ROW, Service, deciding, of_version, put, serving
from tests.small_scorecard import packed, scorecard

EXAMPLES = int(os.environ.get("SAAKH_EXAMPLES", "8"))
HEALTH = list(HealthCheck)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    file = tmp_path_factory.mktemp("served") / "scorecard.saakh"
    file.write_bytes(deciding())
    with serving(file, "--look-seconds", "0.05") as running:
        yield running
        assert running.stop() == 0


def test_a_score_is_the_runtimes_to_the_last_bit(service: Service) -> None:
    found = service.post("/score", {"inputs": ROW})
    here = scorecard().score(ROW)
    assert (found.status, found.headers["content-type"]) == (200, "application/json")
    told = Scored.model_validate_json(found.body)
    assert (told.points, told.pd, told.band, told.baseline) == (here.points, here.pd, here.band, here.baseline)
    assert [r.model_dump() for r in told.reasons] == [
        {name: getattr(r, name) for name in ("code", "text", "points", "features", "unknown")} for r in here.reasons
    ]
    assert (told.missing, told.problems, told.refused) == (3, {"input_3_30d": "out_of_range"}, ())
    assert (told.unseen, told.stale, told.handling) == (here.unseen, here.stale, here.handling)
    assert [(h.feature, h.found, h.outcome) for h in told.handled] == [
        (h.feature, h.found, h.outcome) for h in here.handled
    ]
    assert (told.scorecard.name, told.scorecard.version) == ("scorecard", "0.1.0")


@pytest.mark.parametrize("refused", [[], ["payments"]])
def test_an_explanation_is_the_runtimes_and_adds_up_to_the_score(service: Service, refused: list[str]) -> None:
    told = Explained.model_validate_json(service.post("/explain", {"inputs": ROW, "refused": refused}).body)
    assert told.baseline + sum(c.points for c in told.contributions) == pytest.approx(told.points, abs=1e-9)
    here = scorecard().explain(ROW, refused)
    assert [c.model_dump() for c in told.contributions] == [asdict(c) for c in here]


def test_what_was_refused_is_not_looked_at(service: Service) -> None:
    told = Explained.model_validate_json(
        service.post("/explain", {"inputs": ROW, "refused": ["payments", "airtime"]}).body
    )
    assert (told.points, told.missing, told.problems, told.refused) == (told.baseline, 0, {}, ("airtime", "payments"))
    assert {c.points for c in told.contributions} == {0.0}


@pytest.mark.parametrize(("changed", "outcome"), [({}, "offer"), ({"is_adult": False}, "decline")])
def test_a_decision_is_the_runtimes(service: Service, changed: dict[str, object], outcome: str) -> None:
    row, asked = dict.fromkeys(ROW, 0.0), ASKED | changed
    told = Decided.model_validate_json(
        service.post("/decide", {"inputs": row, "application": asked, "left": {"plain": 300_000}}).body
    )
    card = Scorecard.from_members(archive.unpack(deciding()))
    here = card.decide(row, asked, left={"plain": 300_000})
    assert told.decision.model_dump() == DecisionGiven.model_validate(asdict(here)).model_dump()
    assert (told.points, told.decision.outcome) == (card.score(row).points, outcome)
    assert [offer.amount_minor for offer in told.decision.offers] == ([300_000] if outcome == "offer" else [])
    page = service.ask("GET", "/metrics").body.decode()
    assert f'saakh_decisions_total{{outcome="{outcome}",strategy="flat",version="0.1.0"}} 1.0' in page
    assert "asha" not in page + service.log.read_text()


def test_the_service_says_what_it_serves(service: Service) -> None:
    assert service.ask("GET", "/health").json() == {"status": "ok"}
    told = service.ask("GET", "/version").json()
    assert told["features"] == list(scorecard().features)
    assert (told["version"], told["signature"], told["categories"]) == ("0.1.0", "unsigned", ["airtime", "payments"])
    schema = service.ask("GET", "/openapi.json").json()["components"]["schemas"]["Applicant"]["properties"]
    assert list(schema["inputs"]["properties"]) == told["features"]
    assert schema["refused"]["items"]["enum"] == told["categories"]


ON = "/application/on"
BAD = {
    "text for a number": ("POST", "/score", b'{"inputs":{"input_0_30d":"919876543210"}}', 422, "/inputs/input_0_30d"),
    "a list for a number": ("POST", "/score", b'{"inputs":{"input_0_30d":[919876543210]}}', 422, "/inputs/input_0_30d"),
    "an unknown key": ("POST", "/score", b'{"inputs":{},"phone":919876543210}', 422, "/phone"),
    "no inputs": ("POST", "/explain", b"{}", 422, "/inputs"),
    "an unknown input": ("POST", "/score", b'{"inputs":{"input_9_30d":919876543210}}', 422, None),
    "an unknown category": ("POST", "/score", b'{"inputs":{},"refused":["gps"]}', 422, None),
    "half a character": ("POST", "/score", b'{"inputs":{"\\ud800":919876543210}}', 400, None),
    "NaN": ("POST", "/score", b'{"inputs":{"input_0_30d":NaN}}', 400, None),
    "no JSON": ("POST", "/score", b'{"inputs":{"input_0_30d":919876543210', 400, None),
    "no UTF-8": ("POST", "/score", b'{"inputs":{"\xff":919876543210}}', 400, None),
    "too many digits": ("POST", "/score", b'{"inputs":{"input_0_30d":' + b"9" * 5_000 + b"}}", 400, None),
    "too deep": ("POST", "/score", b'{"inputs":' * 100_000, 400, None),
    "too large": ("POST", "/score", b" " * (1024 * 1024 + 1), 413, None),
    "too large, in parts": ("POST", "/score", iter([b" " * 600_000] * 2), 413, None),
    "another method": ("GET", "/score?phone=919876543210", None, 405, None),
    "another path": ("POST", "/score/919876543210", b"{}", 404, None),
    "no application": ("POST", "/decide", b'{"inputs":{}}', 422, "/application"),
    "no day": (
        "POST",
        "/decide",
        b'{"inputs":{},"application":{"id":"a","on":"9198-76-54","amount_minor":1}}',
        422,
        ON,
    ),
    "money as text": (
        *("POST", "/decide", b'{"inputs":{},"application":{"id":"a","on":"2026-06-01","amount_minor":"919876543210"}}'),
        *(422, "/application/amount_minor"),
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_gets_a_problem_that_repeats_no_value(service: Service, case: str) -> None:
    method, path, body, status, at = BAD[case]
    found = service.ask(method, path, body)
    assert (found.status, found.headers["content-type"]) == (status, "application/problem+json")
    told = found.json()
    assert told["status"] == status
    assert told["type"].startswith("urn:saakh:problem:")
    assert at is None or [fault["at"] for fault in told["faults"]] == [at]
    assert b"919876543210" not in found.body
    assert b"99999" not in found.body


def test_numbers_no_float_holds_are_problems_and_not_errors(service: Service) -> None:
    found = service.ask("POST", "/score", b'{"inputs":{"input_0_30d":1e999,"input_4_30d":' + b"9" * 400 + b"}}")
    assert (found.status, found.json()["problems"]) == (200, {"input_0_30d": "not_finite", "input_4_30d": "not_finite"})


def test_metrics_count_and_logs_tell_of_requests_and_neither_of_people(service: Service) -> None:
    secret = 7.123456789
    inputs = {"input_4_30d": secret, "input_1_30d": 3.5}
    wrong = service.ask("POST", "/score?phone=919876543210", b'{"inputs":{"asha":1}}', {"X-Request-ID": "asha"})
    found = service.post("/score", {"inputs": inputs})
    line = service.waits(request=found.headers["x-request-id"])
    assert set(line) == {"at", "level", "event", "request", "route", "status", "ms"}
    assert (line["route"], line["status"]) == ("/score", 200)
    assert re.fullmatch("[0-9a-f]{32}", wrong.headers["x-request-id"])
    page = service.ask("GET", "/metrics").body.decode()
    assert re.search(r'saakh_requests_total\{route="/score",status="200"\} \d+\.0', page)
    assert re.search(r'saakh_scores_total\{band="[A-E]",version="0\.1\.0"\} \d+\.0', page)
    assert re.search(r'saakh_scorecard\{name="scorecard",sha256="[0-9a-f]{64}",version="[0-9.]+"\} 1\.0', page)
    for text in (page, service.log.read_text()):
        assert not [word for word in ("7.1234", "919876543210", "asha", "input_", "127.0.0.1:") if word in text]


def test_a_new_version_is_taken_up_and_what_does_not_verify_or_fit_is_not(service: Service) -> None:
    before = service.post("/score", {"inputs": ROW}).json()
    put(service.file, packed()[:-1])
    assert service.waits(event="scorecard refused")["error"] == "ArtifactError"
    put(service.file, of_version("1.0.0"))
    assert "other inputs" in service.waits(2, event="scorecard refused")["why"]
    service.file.unlink()
    assert service.waits(3, event="scorecard refused")["error"] == "MissingInputError"
    assert service.post("/score", {"inputs": ROW}).json() == before
    put(service.file, of_version("0.2.0"))
    assert service.waits(event="scorecard loaded")["before"] == "0.1.0"
    after = service.post("/score", {"inputs": ROW}).json()
    assert after["scorecard"]["version"] == "0.2.0"
    assert after["points"] == pytest.approx(before["points"] - 100, abs=1e-9)
    put(service.file, deciding())
    assert service.waits(2, event="scorecard loaded")["before"] == "0.2.0"
    assert service.post("/score", {"inputs": ROW}).json() == before
    assert 'saakh_reloads_total{outcome="refused"} 3.0' in service.ask("GET", "/metrics").body.decode()


def operations(service: Service) -> list[schemathesis.APIOperation]:
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{service.port}/openapi.json")
    return [found.ok() for found in schema.get_all_operations()]


@pytest.mark.parametrize("mode", schemathesis.GenerationMode)
def test_whatever_the_description_allows_or_forbids_is_answered_as_it_says(
    service: Service, mode: schemathesis.GenerationMode
) -> None:
    """Every check schemathesis has: no 5xx, nothing undocumented, bad data refused, good data taken."""
    for operation in operations(service):
        if mode is schemathesis.GenerationMode.NEGATIVE and not operation.body:
            continue  # nothing can be wrong with what has no parameters

        @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=HEALTH)
        @given(operation.as_strategy(generation_mode=mode))
        def answered(case: schemathesis.Case) -> None:
            case.call_and_validate()

        answered()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda some: st.lists(some, max_size=3) | st.dictionaries(st.text() | st.sampled_from(["inputs", *ROW]), some),
    max_leaves=8,
)


@settings(max_examples=4 * EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=HEALTH)
@given(
    path=st.sampled_from(["/score", "/explain", "/decide"]),
    body=st.binary(max_size=200) | ANYTHING.map(json.dumps).map(str.encode),
    kind=st.sampled_from(["application/json", "text/plain", "application/x+json; charset=utf-16", ""]),
)
def test_any_bytes_at_all_are_answered_below_500(service: Service, path: str, body: bytes, kind: str) -> None:
    found = service.ask("POST", path, body, {"Content-Type": kind} if kind else {})
    assert found.status in (200, 400, 422)
    assert service.process.poll() is None

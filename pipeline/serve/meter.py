"""Metrics in the form Prometheus reads: requests, seconds, scores by band, reloads; nothing of one applicant."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from pipeline.serve.held import InService
from saakh.decide import Decision
from saakh.scorecard import Score

SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0)


class Meter:
    """The counters of one service."""

    def __init__(self) -> None:
        self._all = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._all)
        self._requests = self._counter("requests", "Requests answered.", "route", "status")
        self._seconds = Histogram(
            "saakh_request_seconds", "Seconds to an answer.", ["route"], buckets=SECONDS, registry=self._all
        )
        self._scores = self._counter("scores", "Scores given.", "version", "band")
        self._missing = self._counter("missing_inputs", "Inputs that were missing.", "version")
        self._problems = self._counter("problem_inputs", "Inputs that could not be.", "version", "kind")
        self._refused = self._counter("refusals", "Categories of consent refused.", "version", "category")
        self._reloads = self._counter("reloads", "Looks at a changed file.", "outcome")
        self._decisions = self._counter("decisions", "Decisions given.", "version", "strategy", "outcome")
        self._stopped = Gauge("saakh_stopped", "1: the scorecard is stopped, and answers none.", registry=self._all)
        self._in_service = Gauge(
            "saakh_scorecard", "The scorecard in service.", ["name", "version", "sha256"], registry=self._all
        )

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"saakh_{name}", what, labels, registry=self._all)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def scored(self, score: Score, version: str) -> None:
        """Count a score."""
        self._scores.labels(version, score.band).inc()
        self._missing.labels(version).inc(score.missing)
        for kind in score.problems.values():
            self._problems.labels(version, kind).inc()
        for category in score.refused:
            self._refused.labels(version, category).inc()

    def decided(self, decision: Decision, version: str) -> None:
        """Count a decision."""
        self._decisions.labels(version, decision.strategy, decision.outcome).inc()

    def stops(self, *, is_stopped: bool) -> None:
        """Say whether the scorecard is stopped."""
        self._stopped.set(is_stopped)

    def reloaded(self, outcome: str) -> None:
        """Count a look at the file."""
        self._reloads.labels(outcome).inc()

    def serves(self, now: InService) -> None:
        """Say what is in service, and nothing of what was."""
        self._in_service.clear()
        self._in_service.labels(now.card.name, now.card.version, now.sha256).set(1)

    def page(self) -> bytes:
        """All of them as text."""
        return generate_latest(self._all)

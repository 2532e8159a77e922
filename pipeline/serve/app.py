"""The service: health, version, score and explain over HTTP, by whatever scorecard is held at the moment."""

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.utils import get_openapi

from pipeline.serve import bodies, problems
from pipeline.serve.bodies import Applicant, Explained, Health, Scored, Version
from pipeline.serve.bounded import Bounded
from pipeline.serve.held import Held, InService
from pipeline.serve.meter import Meter
from pipeline.serve.sent import Route
from saakh.scorecard import Score

JSON = "application/json"
METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8"
QUIET: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI's own telemetry would send what a request held to whatever collector the environment names."""


def service(held: Held, meter: Meter, lifespan: Any = None) -> FastAPI:
    """The app over a held scorecard. It loads no page from anywhere, so its only documentation is /openapi.json."""
    app = FastAPI(
        title="Saakh",
        description="Scores and explanations of one scorecard. Errors are problem details (RFC 9457).",
        version=version("saakh"),
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=QUIET,
        lifespan=lifespan,
    )
    problems.handle(app)
    app.add_middleware(Bounded)
    app.include_router(about(held, meter))
    app.include_router(scoring(held, meter))
    app.openapi = Described(app, held)  # type: ignore[method-assign]
    return app


def about(held: Held, meter: Meter) -> APIRouter:
    """What the service says of itself."""
    router = APIRouter(tags=["about"])

    @router.get("/health")
    async def health() -> Health:
        """The service answers, with a verified scorecard: it does not start without one."""
        return Health()

    @router.get("/version")
    async def in_service() -> Version:
        """Which scorecard is in service, whose it is, and which inputs and consents it asks for."""
        now = held.now
        manifest = now.card.manifest
        told = {key: getattr(manifest, key) for key in ("protocol", "as_of", "catalogue_fingerprint")}
        return Version(
            **now.named(),
            **told,
            signature=str(now.card.signature),
            service=version("saakh"),
            features=list(now.card.features),
            categories=list(now.card.categories),
        )

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Counters for Prometheus."""
        return Response(meter.page(), media_type=METRICS_TYPE)

    return router


def scoring(held: Held, meter: Meter) -> APIRouter:
    """Scores. A score takes a tenth of a millisecond, less than handing it to a thread would."""
    router = APIRouter(tags=["scoring"], responses=problems.responses(400, 413, 422), route_class=Route)

    def found(applicant: Applicant, now: InService) -> Score:
        score = now.card.score(applicant.inputs, applicant.refused)
        meter.scored(score, now.card.version)
        return score

    @router.post("/score", response_model=Scored)
    async def score(applicant: Applicant) -> Response:
        """Score one applicant: points, probability of default, band, and the principal reasons."""
        now = held.now
        return Response(bodies.scored(found(applicant, now), now), media_type=JSON)

    @router.post("/explain", response_model=Explained)
    async def explain(applicant: Applicant) -> Response:
        """Score one applicant and say what every input did to the score."""
        now = held.now
        score = found(applicant, now)
        each = bodies.contributions(score, applicant, now)
        return Response(bodies.scored(score, now, contributions=each), media_type=JSON)

    return router


class Described:
    """The OpenAPI document, which names every input of the scorecard in service."""

    def __init__(self, app: FastAPI, held: Held) -> None:
        self._app, self._held = app, held
        self._made: tuple[str, dict[str, Any]] | None = None

    def __call__(self) -> dict[str, Any]:
        """The document; made anew when the scorecard has changed."""
        now = self._held.now
        if self._made is None or self._made[0] != now.sha256:
            self._made = now.sha256, self._make(now)
        return self._made[1]

    def _make(self, now: InService) -> dict[str, Any]:
        app = self._app
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = made["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        schemas |= {"Problem": problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")}
        schemas |= schemas["Problem"].pop("$defs")
        schemas["Applicant"]["properties"] = {
            "inputs": bodies.inputs_schema(now.card),
            "refused": bodies.refused_schema(now.card),
        }
        return made

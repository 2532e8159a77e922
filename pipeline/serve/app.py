"""The service: health, version, score, explain and decide over HTTP, by whatever scorecard is held at the moment."""

from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from fastapi.openapi.utils import get_openapi

from pipeline.serve import bodies, problems
from pipeline.serve.bodies import Applicant, Asking, Decided, Explained, Health, Scored, Version
from pipeline.serve.bounded import Bounded
from pipeline.serve.held import Held, InService
from pipeline.serve.meter import Meter
from pipeline.serve.sent import Route
from saakh.application import Application
from saakh.errors import StoppedError
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

    @router.get("/health", responses=problems.responses(503))
    async def health() -> Health:
        """The service answers, with a verified scorecard that is not stopped: it does not start without one."""
        in_use(held)
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


def in_use(held: Held) -> InService:
    """What answers now; a `StoppedError` when it must not."""
    if held.stopped:
        raise StoppedError(str(held.stopped))
    return held.now


def scoring(held: Held, meter: Meter) -> APIRouter:
    """Scores and decisions. A score takes a tenth of a millisecond, less than handing it to a thread would."""
    router = APIRouter(tags=["scoring"], responses=problems.responses(400, 413, 422, 503), route_class=Route)

    def found(applicant: Applicant, now: InService) -> Score:
        score = now.card.score(applicant.inputs, applicant.refused, applicant.ages)
        meter.scored(score, now.card.version)
        return score

    @router.post("/score", response_model=Scored)
    async def score(applicant: Applicant) -> Response:
        """Score one applicant: points, probability of default, band, and the principal reasons."""
        now = in_use(held)
        return Response(bodies.scored(found(applicant, now), now), media_type=JSON)

    @router.post("/explain", response_model=Explained)
    async def explain(applicant: Applicant) -> Response:
        """Score one applicant and say what every input did to the score."""
        now = in_use(held)
        score = found(applicant, now)
        each = bodies.contributions(score, applicant, now)
        return Response(bodies.scored(score, now, contributions=each), media_type=JSON)

    @router.post("/decide", response_model=Decided, responses=problems.responses(409))
    async def decide(asking: Asking) -> Response:
        """Score one applicant and decide on what is asked for, by the lending terms that the scorecard carries."""
        now = in_use(held)
        application = Application.from_dict(asking.application.model_dump())
        decision = now.card.decide(asking.inputs, application, asking.refused, asking.left, asking.ages)
        score = found(asking, now)
        meter.decided(decision, now.card.version)
        return Response(bodies.scored(score, now, decision=decision), media_type=JSON)

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
        made_of = {"inputs": bodies.inputs_schema, "refused": bodies.refused_schema, "ages": bodies.ages_schema}
        own = {name: schema(now.card) for name, schema in made_of.items()}
        for name in ("Applicant", "Asking"):
            schemas[name]["properties"] |= own
        return made

"""Errors as problem details (RFC 9457): what was wrong and where, never a value that was sent."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from saakh.errors import ArtifactError, ContractError, StoppedError

MEDIA_TYPE = "application/problem+json"
FAULTS_MAX = 20
TEXT_MAX = 200
DEPTH = 2  # a request is an object of objects and lists, no deeper


class Fault(BaseModel):
    """One thing wrong with a request, and the JSON pointer of where."""

    at: str
    what: str


class Problem(BaseModel):
    """Why a request was not answered."""

    type: Annotated[str, Field(examples=["urn:saakh:problem:invalid-request"])]
    title: str
    status: int
    detail: str
    faults: list[Fault] = []


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These statuses as a route declares them."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def answer(status: int, kind: str, detail: str, faults: Sequence[Fault] = (), headers: Any = None) -> Response:
    """A problem as a response; ASCII alone, since a client may send halves of characters that UTF-8 has not."""
    content = Problem(
        type=f"urn:saakh:problem:{kind}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        faults=list(faults),
    )
    return Response(json.dumps(content.model_dump()), status, headers, MEDIA_TYPE)


def handle(app: FastAPI) -> None:
    """Make the app answer its errors so."""
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ContractError, _contract)
    app.add_exception_handler(StoppedError, _stopped)
    app.add_exception_handler(ArtifactError, _unfit)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


async def _invalid(_: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    faults = {_pointer(one["loc"]): str(one["msg"])[:TEXT_MAX] for one in reversed(found)}
    told = [Fault(at=at, what=what) for at, what in sorted(faults.items())[:FAULTS_MAX]]
    more = f"; the first {FAULTS_MAX} of {len(faults)} are named" if len(faults) > FAULTS_MAX else ""
    return answer(422, "invalid-request", f"the request is not as /openapi.json describes it{more}", told)


async def _contract(_: Request, error: Exception) -> Response:
    return answer(422, "unknown-name", str(error))


async def _stopped(_: Request, error: Exception) -> Response:
    return answer(503, "stopped", str(error))


async def _unfit(_: Request, error: Exception) -> Response:
    """A scorecard in service verified, so all that it may still be unfit for is to decide without lending terms."""
    return answer(409, "no-lending-terms", str(error))


async def _http(_: Request, error: Exception) -> Response:
    found = error if isinstance(error, HTTPException) else HTTPException(500)
    if found.status_code == 400:
        return answer(400, "unreadable", f"the body is not JSON: {found.detail}")
    phrase = HTTPStatus(found.status_code).phrase.lower()
    return answer(found.status_code, phrase.replace(" ", "-"), f"{phrase}; see /openapi.json", headers=found.headers)


async def _unforeseen(_: Request, __: Exception) -> Response:
    return answer(500, "internal", "not foreseen; the log has the place under this request's X-Request-ID")


def _pointer(where: Sequence[Any]) -> str:
    """RFC 6901, of what was sent: without `body`, which all begin with, and the type that a value failed to be."""
    parts = [str(part)[:TEXT_MAX].replace("~", "~0").replace("/", "~1") for part in where[1 : 1 + DEPTH]]
    return "".join(f"/{part}" for part in parts)

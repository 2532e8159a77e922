"""Reading a request's JSON in one pass of compiled code, and as RFC 8259 has it: no NaN, no halves of characters."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json


class Sent(Request):
    """A request whose body is read so."""

    async def json(self) -> Any:
        """The body's value; status 400 for what is no JSON."""
        try:
            return from_json(await self.body(), allow_inf_nan=False)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None  # it says what is wrong where, and repeats nothing


class Route(APIRoute):
    """A route that is given its requests so."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            return await handle(Sent(request.scope, request.receive))

        return handled

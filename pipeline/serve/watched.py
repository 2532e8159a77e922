"""Around every request: an id, one line in the log, one count; and nothing a request holds in either."""

import time
import uuid
from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.serve.logs import LOG, say
from pipeline.serve.meter import Meter

OTHER = "other"
CLOSED = 499
"""What is counted when the client went away, or nothing was answered."""


class Watched:
    """The app, watched from outside all its error handling.

    The id is made here, not taken from the client, who might put a person's into it; so might a path that is no
    route's, which is counted as `other`.
    """

    def __init__(self, app: ASGIApp, routes: Collection[str], meter: Meter) -> None:
        self._app, self._routes, self._meter = app, frozenset(routes), meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, began, status = uuid.uuid4().hex, time.perf_counter(), CLOSED

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request.encode())]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception:
            LOG.exception("error", extra={"said": {"request": request}})
        seconds = time.perf_counter() - began
        route = scope["path"] if scope["path"] in self._routes else OTHER
        self._meter.answered(route, status, seconds)
        say("request", request=request, route=route, status=status, ms=round(1000 * seconds, 3))

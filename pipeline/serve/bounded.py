"""A bound on what a request may send, kept before it is read and while it comes."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_BYTES_MAX = 1024 * 1024


class Bounded:
    """The app, whose requests end with status 413 as soon as their body is known to be too large."""

    def __init__(self, app: ASGIApp, bytes_max: int = BODY_BYTES_MAX) -> None:
        self._app, self._most = app, bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        come = 0

        async def received() -> Message:
            nonlocal come
            self._check(int(declared) if declared.isdigit() else 0)
            message = await receive()
            come += len(message.get("body", b""))
            self._check(come)
            return message

        await self._app(scope, received, send)

    def _check(self, size: int) -> None:
        if size > self._most:
            raise HTTPException(413)

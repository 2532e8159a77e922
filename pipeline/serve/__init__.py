"""Serve: one scorecard over HTTP, kept up to date with its file, until told to stop."""

import asyncio
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from saakh.errors import ConfigError

try:
    import uvicorn
    from fastapi import FastAPI

    from pipeline.serve.app import service
    from pipeline.serve.held import Held, Outcome
    from pipeline.serve.logs import begin, say
    from pipeline.serve.meter import Meter
    from pipeline.serve.watched import Watched
except ImportError as error:
    raise ConfigError(
        f"serving needs {error.name}, which is not installed; pip install 'saakh-pipeline[serve]'"
    ) from None

GRACE_S = 10
"""How long requests may take to end once the service is told to stop."""


def run(
    scorecard: Path,
    trust: Sequence[str] | None = None,
    host: str = "127.0.0.1",
    port: int = 8000,
    look_s: float = 2.0,
    stop_files: Sequence[Path] = (),
) -> None:
    """Serve a scorecard until SIGTERM or SIGINT; files are looked at every `look_s` seconds, and on SIGHUP.

    A scorecard that a file beside it, in its workspace or in `stop_files` stops is not served; one that is stopped
    meanwhile answers no more until the stop is lifted or another version is put in its place.
    """
    held, meter = Held(scorecard, trust, stop_files), Meter()
    app = service(held, meter, lambda app: _watching(app, held, meter, look_s))
    routes = (*app.openapi()["paths"], str(app.openapi_url))
    begin()
    with _bound(host, port) as bound:
        config = uvicorn.Config(
            Watched(app, routes, meter),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=GRACE_S,
        )
        for number in (signal.SIGTERM, signal.SIGINT):  # the server raises them again once it has stopped in peace
            signal.signal(number, lambda *_: None)
        _Server(config, held).run([bound])
    say("stopped")


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, held: Held) -> None:
        super().__init__(config)
        self._held = held

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets and not self.should_exit:
            host, port, *_ = sockets[0].getsockname()
            now = self._held.now
            say("serving", host=host, port=port, signature=str(now.card.signature), **now.named())


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, for asyncio sends without delay (TCP_NODELAY) on such sockets alone: else an answer may wait for 40 ms.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        raise ConfigError(f"cannot listen on {host} port {port}: {error}") from None
    return bound


@asynccontextmanager
async def _watching(app: FastAPI, held: Held, meter: Meter, look_s: float) -> AsyncIterator[None]:
    """Look at the file for as long as the block runs."""
    asked = asyncio.Event()

    def taken_up() -> None:
        meter.serves(held.now)
        app.openapi()  # made now, so that no caller waits for it

    taken_up()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)
    task = asyncio.create_task(_watch(held, meter, look_s, asked, taken_up))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(held: Held, meter: Meter, look_s: float, asked: asyncio.Event, taken_up: Callable[[], None]) -> None:
    def told(outcome: Outcome, said: dict[str, Any]) -> None:
        meter.reloaded(outcome)
        say(f"scorecard {outcome}", logging.WARNING if outcome == "refused" else logging.INFO, **said)

    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), look_s)
        before, is_asked = held.stopped, asked.is_set()
        asked.clear()
        if (is_asked or held.has_changed()) and await asyncio.to_thread(held.reload, told) == "loaded":
            await asyncio.to_thread(taken_up)
        if is_asked or held.are_stops_changed():
            await asyncio.to_thread(held.look_for_stops)
        if held.stopped != before:
            _say_stopped(held, meter)


def _say_stopped(held: Held, meter: Meter) -> None:
    meter.stops(is_stopped=held.stopped is not None)
    if held.stopped:
        say("scorecard stopped", logging.WARNING, why=str(held.stopped), **held.now.named())
    else:
        say("stop lifted", **held.now.named())

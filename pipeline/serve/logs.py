"""Logs: one JSON object a line, about requests and never about people."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

LOG = logging.getLogger("saakh.serve")


class Lines(logging.Formatter):
    """A record as one line of JSON: when, how grave, what happened, and its `said` fields.

    Of an error the class and the places are told; its message is not, for it may repeat what a request held.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= getattr(record, "said", {})
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])
            places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
            line |= {"error": record.exc_info[0].__name__, "places": places}
        return json.dumps(line)


def begin() -> None:
    """Send our lines, and the server's warnings, to standard output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Lines())
    for name, level in ((LOG.name, logging.INFO), ("uvicorn.error", logging.WARNING), ("asyncio", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)


def say(event: str, level: int = logging.INFO, **said: object) -> None:
    """Log an event with its fields."""
    LOG.log(level, event, extra={"said": said})

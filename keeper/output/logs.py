"""Logging to stderr, as stdout is for the output of commands. No line or traceback contains a secret."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from keeper.output import redact


def configure(kind: Literal["console", "json"]) -> None:
    """Sets up structlog for this process."""
    renderer: Processor
    if kind == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        # The default traceback would show the values of local variables.
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([structlog.processors.format_exc_info] if kind == "json" else []),
            renderer,
            redacted,
        ],
        logger_factory=structlog.PrintLoggerFactory(_Lossy(sys.stderr)),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    if logging.lastResort is not None:
        # Libraries' warnings come through Python's logging; urllib3's contain paths of URLs.
        logging.lastResort.setFormatter(_Redacting())


def redacted(_logger: WrappedLogger, _method: str, line: EventDict | str | bytes) -> str:
    """Structlog's last processor: removes secrets from the rendered line, wherever in the event they were."""
    return redact.clean(line.decode() if isinstance(line, bytes) else str(line))


class _Lossy:
    """A stream that drops what it cannot write: a full disk or a closed pipe must not stop the fund's month."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


class _Redacting(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact.clean(super().format(record))


def guard() -> None:
    """Makes uncaught exceptions, from any thread, print without secrets. Call it at a process's entry point."""
    sys.excepthook = _show

    def of_thread(found: threading.ExceptHookArgs) -> None:
        if found.exc_value is not None:
            _show(found.exc_type, found.exc_value, found.exc_traceback)

    threading.excepthook = of_thread


def _show(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    sys.stderr.write(redact.clean("".join(traceback.format_exception(kind, error, where))))

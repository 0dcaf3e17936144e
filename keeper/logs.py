"""Logging to stderr: stdout is for what a command prints."""

from __future__ import annotations

import sys
from typing import Literal

import structlog
from structlog.typing import Processor


def configure(kind: Literal["console", "json"]) -> None:
    """Sets up structlog for this process."""
    renderer: Processor
    if kind == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )

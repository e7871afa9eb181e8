"""Structured logs: one line an event, never an email, a text, or an address of a reader."""

from __future__ import annotations

import logging
import sys

import structlog

from comments_service.settings import Settings


def configure(settings: Settings) -> None:
    """Send our events and those of the libraries to standard error, as JSON or for people."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_last(settings.log_format))
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    # It tells of readers who left, with the path, which may hold a token
    logging.getLogger("waitress").setLevel(max(level, logging.WARNING))
    for name in ("sqlalchemy.engine", "sqlalchemy.pool", "alembic", "urllib3", "httpcore2"):
        logging.getLogger(name).setLevel(
            max(level, logging.INFO if level <= logging.DEBUG else logging.WARNING)
        )
    logging.raiseExceptions = False  # a closed or full log must not fail a request


def _last(form: str) -> list[structlog.typing.Processor]:
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if form == "json":
        # Frames without their local variables: those hold what readers typed
        traces = structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        )
        return [clean, traces, structlog.processors.JSONRenderer(ensure_ascii=False)]
    plain = structlog.dev.plain_traceback
    return [
        clean,
        _one_line,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain),
    ]


def _one_line(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    # Libraries put what readers sent into their sentences: nobody may begin a line of his own, or colour one
    told = str(event["event"])
    event["event"] = told if told.isprintable() else repr(told)
    return event

"""What the processes log: JSON lines where a machine reads, a readable form on a terminal; times in UTC.

Every text that came from outside has its control characters made visible, so that nobody forges a line.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from incidents.redaction import redact
from tocsin.log_repeats import Repeats

_HIDDEN = "***"
_SECRET_KEYS = re.compile(r"(?i)authorization|token|secret|password|passwd|cookie|routing_key|api_key|credential")
# C0 and C1, the separators that some viewers take for line ends, and the marks that turn the direction of text.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROLS_BUT_LINES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# Chatty at their information level.
_QUIET = ("_granian", "granian.access", "rq.worker", "rq.queue", "rq.scheduler", "urllib3", "werkzeug")

Event = MutableMapping[str, Any]


def configure_logs(
    process: str, *, stream: TextIO | None = None, level: int = logging.INFO, output: str | None = None
) -> None:
    """Send the logs of this process, and those of its libraries, to `stream` (standard output).

    `process` is which one speaks: `serve`, `receiver`, `decide`, `pages`, `facts`. `output` is `text` or `json`; None
    is what suits the stream.
    """
    stream = stream or sys.stdout
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if stream.isatty() if output is None else output == "text":
        renderer = structlog.dev.ConsoleRenderer(timestamp_key="at", pad_event_to=24, colors=stream.isatty())
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _named(process),
            hide_secrets,
            escape_controls,
            renderer,
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(Repeats())
    # A reader that went away must not stop anybody's work.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def get_log(name: str) -> structlog.stdlib.BoundLogger:
    """Return the log of a module; use `log.info("what_happened", field=value)`."""
    log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return log


def _named(process: str) -> Any:  # noqa: ANN401 - a processor, whose type structlog keeps to itself
    def add(_: Any, __: str, event: Event) -> Event:  # noqa: ANN401
        first = {key: event.pop(key, "") for key in ("at", "level", "event")}
        return {**first, "process": process, **event}

    return add


def hide_secrets(_: Any, __: str, event: Event) -> Event:  # noqa: ANN401
    """Hide the values whose names say that they are secret, and the credentials in all others."""
    return {key: _HIDDEN if _SECRET_KEYS.search(key) else _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:  # noqa: ANN401
    """Return a value of a log line without the credentials that it may quote."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    if isinstance(value, dict):
        return {name: _HIDDEN if _SECRET_KEYS.search(str(name)) else _redacted(item) for name, item in value.items()}
    return value


def escape_controls(_: Any, __: str, event: Event) -> Event:  # noqa: ANN401
    """Make control characters visible in every text, but for the line ends of a traceback."""
    return {_escaped(key): _clean(key, value) for key, value in event.items()}


def _clean(key: str, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return _escaped(value, _CONTROLS_BUT_LINES if key == "exception" else _CONTROLS)
    if isinstance(value, list | tuple):
        return [_clean("", item) for item in value]
    if isinstance(value, dict):
        return {_escaped(str(name)): _clean("", item) for name, item in value.items()}
    return value if isinstance(value, int | float | type(None)) else _escaped(str(value))


def _escaped(text: str, controls: re.Pattern[str] = _CONTROLS) -> str:
    return controls.sub(lambda found: f"\\u{ord(found.group()):04x}", text)

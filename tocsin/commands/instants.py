"""Reads the instants, durations and spans that options of commands give."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import click

from incidents.clock import utc_now
from incidents.presentation import instant
from rules.durations import parse_duration


class Span(NamedTuple):
    """From when until when something holds; it begins now where there is no `start`."""

    start: datetime | None
    until: datetime

    def as_body(self) -> dict[str, Any]:
        """Return the fields of a body of the API."""
        return {"until": instant(self.until)} | ({"from": instant(self.start)} if self.start is not None else {})


def read_instant(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """Read an instant as ISO 8601 writes it; one without a zone is taken as UTC."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r} is no instant; write it like 2026-11-02T03:00:00Z", ctx=ctx, param=param
        ) from None


def read_duration(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    """Read a duration as rule files write it."""
    if value is None:
        return None
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx=ctx, param=param) from None


def with_span(example: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command `--from`, `--until` and `--for` (such as `example`), and, as `span`, what they say together."""

    def of(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(
            *args: Any,  # noqa: ANN401 - the command's
            start: datetime | None,
            until: datetime | None,
            lasts: timedelta | None,
            **kwargs: Any,  # noqa: ANN401 - the command's
        ) -> None:
            if (until is None) == (lasts is None):
                raise click.UsageError(f"say how long: --until 2026-11-02T18:00:00Z, or --for {example}")
            command(*args, span=Span(start, until or _end_of(start or utc_now(), lasts)), **kwargs)

        help_for = f"Or end after so long, such as {example}."
        lasting = click.option("--for", "lasts", metavar="DURATION", callback=read_duration, help=help_for)
        ending = click.option("--until", metavar="INSTANT", callback=read_instant, help="End then.")
        help_from = "Begin then; by default now."
        beginning = click.option("--from", "start", metavar="INSTANT", callback=read_instant, help=help_from)
        return beginning(ending(lasting(run)))

    return of


def _end_of(start: datetime, lasts: timedelta | None) -> datetime:
    try:
        return start + (lasts or timedelta(0))
    except OverflowError:
        raise click.UsageError("--for is too long: there is no calendar for its end") from None

"""Reads the instants and the durations that options of commands give."""

from datetime import UTC, datetime, timedelta

import click

from rules.durations import parse_duration


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

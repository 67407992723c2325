"""Asks a Prometheus which alerts fired in the past: its `ALERTS` series, a slice of time after the other."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import requests

from incidents.errors import TocsinError
from rules.backtest.history import Episode, Episodes, Samples

QUERY = 'ALERTS{alertstate="firing"}'
SAMPLES_IN_SLICE = 1440  # for each series: a day at a step of a minute; Prometheus refuses more than 11,000
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 120.0
SHOWN = 200


class CannotAsk(TocsinError):
    """The Prometheus does not answer, or answers something else than samples."""


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]]


class _Data(msgspec.Struct):
    result: list[_Series]


class _Answer(msgspec.Struct):
    status: str
    data: _Data | None = None
    error: str = ""


_ANSWER = msgspec.json.Decoder(_Answer)


class Asked(NamedTuple):
    """What to ask a Prometheus for."""

    url: str
    since: datetime
    until: datetime
    step: timedelta
    headers: dict[str, str]


def episodes(asked: Asked, progress: Callable[[float], None]) -> Iterator[Episode]:
    """Yield each alert's firing, ended ones as they end; `progress` hears the share that is done, 0 to 1.

    Raises `CannotAsk`.
    """
    found = Episodes(asked.step)
    begin = asked.since
    with requests.Session() as session:
        while begin < asked.until:
            end = min(begin + asked.step * SAMPLES_IN_SLICE, asked.until)
            yield from found.take(_slice(session, asked, begin, end), end)
            begin = end + asked.step  # both ends of a range are included
            progress(min(1.0, (end - asked.since) / (asked.until - asked.since)))
    yield from found.still_firing()


def _slice(session: requests.Session, asked: Asked, begin: datetime, end: datetime) -> list[Samples]:
    step = asked.step.total_seconds()
    fields: dict[str, str | float] = {
        "query": QUERY,
        "start": begin.timestamp(),
        "end": end.timestamp(),
        "step": step,
    }
    url = f"{asked.url.rstrip('/')}/api/v1/query_range"
    headers = {"User-Agent": "Tocsin", **asked.headers}
    try:
        answer = session.post(
            url, data=fields, headers=headers, timeout=(CONNECT_SECONDS, ANSWER_SECONDS), allow_redirects=False
        )
    except requests.RequestException as error:
        raise CannotAsk(f"{asked.url} cannot be asked for its alerts: {_reason(error)}") from error
    return [Samples(series.metric, [at for at, _ in series.values]) for series in _read(asked.url, answer)]


def _read(url: str, answer: requests.Response) -> list[_Series]:
    try:
        read = _ANSWER.decode(answer.content)
    except msgspec.MsgspecError as error:
        said = f"answered {answer.status_code} with something that is no answer of a Prometheus"
        raise CannotAsk(f"{url} {said}: {answer.text[:SHOWN]!r}; is this the address of a Prometheus?") from error
    if read.status != "success" or read.data is None:
        raise CannotAsk(f"{url} refused to say which alerts fired ({answer.status_code}): {read.error[:SHOWN]}")
    return read.data.result


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return f"no answer within {ANSWER_SECONDS:.0f} s; ask for less with --since, or a longer --step"
    if isinstance(error, requests.ConnectionError):
        return "nothing answers there"
    if isinstance(error, ValueError):
        return "it is no address that begins with http:// or https://"
    return type(error).__name__

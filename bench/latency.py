"""From POST to page: new incidents one by one while nothing else happens; how long until the page is at the sink."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import workload
from systems import Ours, ours, percentile

EVERY_SECONDS = 0.05
WARM = 10  # incidents that are not counted: the first page makes the connection to its provider
PAGES_WITHIN = 10.0
PEOPLE = 120  # commanders, paged in turn: who was paged within the last five seconds gets the next pages in one message
INFO = 9  # of the alerts of a service: one that no other rule declares by


def measure(directory: Path, *, incidents: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return the milliseconds from just before the POST to the page at the sink, and to the answer."""
    with ours(directory / "latency") as system:
        _page_in_turn(system)
        tell(f"POST to page: {incidents} new incidents, one each {EVERY_SECONDS * 1000:.0f} ms")
        sent, answered = _post(system, incidents + WARM)
        paged = _pages(system, len(sent))
        counted = [service for service in sent if not service.startswith("warm-")]
        pages = [(paged[service] - sent[service]) * 1000 for service in counted]
        answers = [(answered[service] - sent[service]) * 1000 for service in counted]
    return {
        "incidents": len(pages),
        "page_p50_ms": percentile(pages, 0.5),
        "page_p99_ms": percentile(pages, 0.99),
        "page_max_ms": max(pages),
        "ack_p50_ms": percentile(answers, 0.5),
        "ack_p99_ms": percentile(answers, 0.99),
    }


def _page_in_turn(system: Ours) -> None:
    """Add teams, each with a commander of its own who is paged: nobody else is told of the incident."""
    webhook = f'{{channels: [{{webhook: {{url: "{system.sink.url}"}}}}]}}'
    people = [f"  p{number}: {webhook}" for number in range(PEOPLE)]
    rotations = [
        f"  r{number}: {{timezone: UTC, order: [p{number}], handoff: {{every: 1w, starting: 2026-01-05}}}}"
        for number in range(PEOPLE)
    ]
    teams = [
        f"  t{number}: {{match: 'service=~\"[a-z]+-{number}-.*\"', paging: commander,"
        f" roles: {{incident_commander: {{rotation: r{number}}}}}}}"
        for number in range(PEOPLE)
    ]
    policy = "paging: {commander: {steps: [{page: incident_commander}]}}"
    rule = "rules: [{id: all, match: 'service=~\"[a-z]+-[0-9]+-.*\"', declare: SEV2}]"
    text = "\n".join(["people:", *people, "rotations:", *rotations, "teams:", *teams, policy, rule])
    (system.installation.rules / "people.yml").write_text(text + "\n")
    answer = system.installation.reload()
    if answer.status_code != 200:
        raise AssertionError(answer.text)


def _post(system: Ours, count: int) -> tuple[dict[str, float], dict[str, float]]:
    sent: dict[str, float] = {}
    answered: dict[str, float] = {}
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", system.installation.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(count):
            service = f"{'warm' if number < WARM else 'new'}-{number % PEOPLE}-{number}"
            request = _request(system, service)
            time.sleep(max(0.0, begun + number * EVERY_SECONDS - time.monotonic()))
            sent[service] = time.time()
            connection.sendall(request)
            response = http.client.HTTPResponse(connection)
            response.begin()
            response.read()
            answered[service] = time.time()
            if response.status != 202:
                raise AssertionError(f"answered {response.status}")
    return sent, answered


def _request(system: Ours, service: str) -> bytes:
    """Return a POST as Go's client sends it, in one piece: what Python takes to make it is none of ours."""
    text = workload.body([workload.alert_of(service, INFO)]).replace(workload.TIMES, workload.times(_now()))
    head = (
        "POST /webhooks/alertmanager HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {system.token}\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    return (head + text).encode()


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _pages(system: Ours, count: int) -> dict[str, float]:
    """Return when the page of each service was at the sink; there must be one of each."""
    deadline = time.monotonic() + PAGES_WITHIN
    while True:
        lines = system.sink.log.read_text().splitlines()
        if len(lines) >= count:
            break
        if time.monotonic() > deadline:
            raise AssertionError(f"{len(lines)} of {count} pages came")
        time.sleep(0.1)
    found: dict[str, float] = {}
    for line in lines:
        received = json.loads(line)
        for incident in received["json"]["incidents"]:
            found.setdefault(incident["identity"]["service"], received["at"])
    return found

"""`tocsin page`: sends a test page, and waits until it has arrived."""

import time
from typing import Any

import click

from tocsin.client import Client, segment
from tocsin.commands.lazy import ToldGroup
from tocsin.commands.options import FAILED
from tocsin.commands.printing import Out
from tocsin.commands.remote import end, with_client

POLL_SECONDS = 0.3


@click.group(cls=ToldGroup)
def page() -> None:
    """Try the ways on which people are paged."""


@page.command("test")
@click.argument("person")
@click.option("--wait", is_flag=True, help="Wait until the test is acknowledged, by the link in it.")
@click.option("--timeout", default=300.0, show_default=True, metavar="SECONDS", help="How long to wait.")
@with_client
def test(client: Client, out: Out, person: str, wait: bool, timeout: float) -> None:  # noqa: FBT001 - as click calls it
    """Send a marked test page to a PERSON, or to channel:NAME.

    Returns when the channel has taken it; 1 when no channel did, or nobody acknowledged in time.
    """
    ends = time.monotonic() + timeout
    sent = client.post(f"/people/{segment(person)}/page_tests")
    state = _until(client, sent, "over", ends)
    if not out.is_json and state["delivered_at"]:
        out.line(f"{state['channel']} took the test page for {person} ({state['id']})")
    if state["delivered_at"] and wait:
        state = _until(client, state, "acknowledged_by", ends)
        if not out.is_json and state["acknowledged_by"]:
            out.line(f"{state['acknowledged_by']} acknowledged it at {state['acknowledged_at']}")
    if out.is_json:
        out.json(state)
    _end(state, person, wait=wait)


def _until(client: Client, state: dict[str, Any], field: str, ends: float) -> dict[str, Any]:
    while not state[field] and time.monotonic() < ends:
        time.sleep(POLL_SECONDS)
        state = client.get(f"/page_tests/{segment(state['id'])}")
    return state


def _end(state: dict[str, Any], person: str, *, wait: bool) -> None:
    if not state["delivered_at"]:
        why = state["failed"] or "no channel has taken it yet; does a page worker run?"
        end(FAILED, f"the test page did not reach {person}: {why}")
    if wait and not state["acknowledged_by"]:
        end(FAILED, f"nobody acknowledged the test page for {person} in time")

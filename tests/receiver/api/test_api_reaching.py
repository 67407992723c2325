"""Who cannot be reached, over the API."""

import pytest
from builders import rule_set

from incidents.events import PageFailed
from incidents.store.reaching import attempt_commands


@pytest.fixture
def rules():
    return rule_set(
        oncall="people: {amira: {channels: [console]}, bo: {}}\nrotations: {commanders: {order: [amira, bo]}}"
    )


def test_unreachable_lists_people_and_channels(api, links, clock):
    """Somebody on call without a channel, and the channel that failed last."""
    with links.borrow() as link:
        event = PageFailed(page_id="p", person="amira", channel="amira/1", kind="console", attempt=1, error="no answer")
        link.ask(attempt_commands(event, clock.now))
    listed = api.get("oncall/unreachable").json["unreachable"]
    assert [(each["what"], each["name"]) for each in listed] == [("person", "bo"), ("channel", "amira/1")]
    assert "no answer" in listed[1]["why"]

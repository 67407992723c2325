"""What the store refuses is never taken for an answer, wherever it stands."""

import pytest

from incidents.errors import StoreUnavailable
from incidents.store.bundle import FEW, Bundle
from incidents.store.connection import Link, checked

WRONG = ("GET", "hash")


@pytest.fixture
def link(store_url):
    link = Link(store_url)
    link.one("HSET", "hash", "field", "value")
    return link


@pytest.mark.parametrize(
    "commands",
    [
        [WRONG],
        [("PING",), WRONG, ("PING",)],
        [("MULTI",), ("SET", "a", 1), WRONG, ("EXEC",)],
        Bundle([("GET", str(number)) for number in range(FEW)] + [WRONG]).commands,
        [("MULTI",), *Bundle([("GET", str(number)) for number in range(FEW)] + [WRONG]).commands, ("EXEC",)],
    ],
    ids=["alone", "among others", "in EXEC", "in a script", "in a script in EXEC"],
)
def test_connection_refusals_are_found(link, commands):
    """At any depth; and the replies to the next question are not blamed for them."""
    replies = link.ask(commands)
    assert replies.has_refusals
    with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
        checked(replies)
    assert checked(link.ask([("HGET", "hash", "field"), ("HGETALL", "hash")])) == [b"value", [b"field", b"value"]]


def test_connection_refusals_are_found_in_any_list(link):
    """Also in what was put together from replies."""
    refused = link.ask([WRONG])
    with pytest.raises(StoreUnavailable):
        checked([b"first", [*refused]])

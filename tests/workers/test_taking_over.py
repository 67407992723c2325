"""Nobody waits longer than needed for the next decider."""

import pytest
from builders import rule_set
from stage import Stage

from incidents import keys
from incidents.store.connection import Links, client_for
from incidents.store.lease import owner_prefix, release_of
from incidents.store.wake import Waker


@pytest.fixture
def stage(store_url: str, links: Links) -> Stage:
    return Stage(store_url, links, rule_set())


def test_taking_over_takes_the_wish_for_a_decider_away(stage: Stage):
    """Who decides was asked for; should it die, another one may be asked for at once."""
    Waker(client_for(stage.url)).decider()
    assert stage.link.one("EXISTS", keys.wake_decider()) == 1
    assert stage.decider()._take_over()
    assert stage.link.one("EXISTS", keys.wake_decider()) == 0


def test_taking_over_from_one_that_died_before_it_began_need_not_wait(stage: Stage):
    """A worker that is known to be dead leaves nothing that says it works, and no wish."""
    prefix = owner_prefix("host", 7)
    assert stage.decider(prefix + "a")._take_over()
    stage.link.one("SET", keys.pager_lingers(), owner_prefix("other", 7) + "a")
    for wish in (keys.wake_decider(), keys.wake_pager()):
        stage.link.one("SET", wish, "1")
    assert release_of(stage.link, prefix)
    assert stage.link.one("EXISTS", keys.lease(), keys.wake_decider(), keys.wake_pager()) == 0
    assert stage.link.one("EXISTS", keys.pager_lingers()) == 1  # of another one, which lives
    assert not release_of(stage.link, prefix)

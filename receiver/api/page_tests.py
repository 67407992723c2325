"""Test pages over the API: sends one to somebody, and says how far it has come."""

from incidents.delivery import channels_of
from incidents.errors import NotFound
from incidents.page_test import PageTest
from incidents.presentation import instant
from incidents.store.page_tests import begin_test, read_test
from receiver.api import wire
from receiver.api.answers import Answer, Instant
from receiver.api.route import Call, Reply, Route, Services
from receiver.auth import ApiRole
from receiver.problems import Problem


class PageTestAnswer(Answer, frozen=True, kw_only=True):
    """A test page; `failed` says why the last attempt failed, `over` that no further one follows."""

    id: str
    person: str
    by: str
    at: Instant
    channel: str
    delivered_at: Instant | None
    failed: str
    over: bool
    acknowledged_by: str
    acknowledged_at: Instant | None


def _shown(test: PageTest) -> PageTestAnswer:
    return PageTestAnswer(
        id=test.id,
        person=test.person,
        by=test.by,
        at=instant(test.at) or "",
        channel=test.channel,
        delivered_at=instant(test.delivered_at),
        failed=test.failed,
        over=test.is_over,
        acknowledged_by=test.acknowledged_by,
        acknowledged_at=instant(test.acknowledged_at),
    )


def _send(services: Services, call: Call) -> Reply:
    """Send a test to a person, or to `channel:NAME`; it goes the way of every page."""
    person = call.path["person"]
    rules = services.api.rule_set()
    if not channels_of(rules.oncall, person):
        if person in rules.oncall.people:
            raise Problem(
                409, f"{person} has no channel, so nobody can page {person}.", hint="Add `channels` in the rule files."
            )
        raise NotFound("person", person[:64])
    with services.api.links.borrow() as link:
        return Reply(_shown(begin_test(link, person, call.actor, rules.hash, call.now)))


def _show(services: Services, call: Call) -> Reply:
    with services.api.links.borrow() as link:
        return Reply(_shown(read_test(link, call.path["test_id"])))


ROUTES = (
    Route(
        method="POST",
        path="/people/{person}/page_tests",
        role=ApiRole.RESPONDER,
        summary="Send a marked test page to a person",
        handler=_send,
        answer=PageTestAnswer,
        status=202,
        body=wire.NothingBody,
        problems={409: "The person has no channel."},
    ),
    Route(
        method="GET",
        path="/page_tests/{test_id}",
        role=ApiRole.VIEWER,
        summary="Show how far a test page has come",
        handler=_show,
        answer=PageTestAnswer,
    ),
)

"""The store dies, hangs or is stopped: senders are told 503 and try again, and nothing is lost or doubled."""

import os
import signal

import pytest
import requests
from durable import wait_until_on_disk
from installation import firing
from own_store import OwnStore
from programs import eventually

pytestmark = pytest.mark.acceptance


def test_store_killed_under_serve_is_started_again_with_all_it_held(tocsin, serving, alertmanager, page_sink):
    """After `kill -9` of the embedded store everything goes on, and the alerts that came meanwhile are delivered."""
    alertmanager.send("before")
    before = page_sink.expect_page(person="amira")["incident"]
    store = serving.child("store")
    wait_until_on_disk(tocsin.store_url())
    os.kill(store, signal.SIGKILL)
    alertmanager.send("meanwhile")

    meanwhile = page_sink.expect_page(person="amira")["incident"]
    assert meanwhile["identity"] == {"service": "meanwhile"}
    assert serving.new_child("store", store) != store
    assert {one["id"] for one in tocsin.incidents()} == {before["id"], meanwhile["id"]}
    assert len(tocsin.timeline(before["id"], "page_sent")) == 1
    tocsin.settled()


def test_store_that_hangs_is_answered_503_while_it_hangs_and_loses_nothing(tocsin, serving, alertmanager, page_sink):
    """While the store is stopped webhooks get 503 and /metrics answers; when it goes on, one incident, one page."""
    tocsin.post(firing(service="warm"))
    page_sink.expect_page(person="amira")
    store = serving.child("store")
    os.kill(store, signal.SIGSTOP)
    try:
        alertmanager.send("db")
        for _ in range(2):  # the first waits for the store as long as we wait for it, the second is not let
            answer = tocsin.post(firing(service="other"))
            assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
        assert tocsin.metric("tocsin_store_up") == 0
        assert requests.get(f"{tocsin.url}/-/healthy", timeout=60).status_code == 200
        assert requests.get(f"{tocsin.url}/-/ready", timeout=60).status_code == 503
        eventually(lambda: alertmanager.failed_notifications() >= 1, what="a notification that failed")
    finally:
        os.kill(store, signal.SIGCONT)

    # What was answered 503 may have been in the store's hands already: sent again, it takes effect once.
    assert eventually(lambda: tocsin.post(firing(service="other")).status_code == 202)
    pages = [page_sink.expect_page(person="amira") for _ in range(2)]
    assert {page["incident"]["identity"]["service"] for page in pages} == {"db", "other"}
    assert len(tocsin.incidents()) == 3
    tocsin.settled()


def test_store_of_the_user_stopped_and_started_loses_nothing(tocsin, programs, alertmanager, page_sink):
    """A Redis of one's own is away for seconds: 503, Alertmanager tries again, then one incident and one page."""
    own = OwnStore(programs)
    serving = tocsin.serve(env={"TOCSIN_REDIS_URL": own.url})
    tocsin.redis_url = own.url
    tocsin.configure()
    own.stop()
    alertmanager.send("db")
    eventually(lambda: alertmanager.failed_notifications() >= 2, what="two notifications that failed")
    assert tocsin.post(firing(service="other")).status_code == 503
    assert tocsin.metric("tocsin_store_up") == 0
    assert tocsin.metric("tocsin_webhooks_total", code="503") >= 3

    own.start()
    page = page_sink.expect_page(person="amira")
    assert page["incident"]["identity"] == {"service": "db"}
    assert tocsin.only_incident()["id"] == page["incident"]["id"]
    assert tocsin.settled()["quarantined"] == 0
    assert tocsin.metric("tocsin_store_up") == 1
    serving.stop()
    assert own.program.is_alive(), "the store of the user is not ours to stop"


@pytest.mark.parametrize(
    ("options", "reason", "mend"),
    [
        ({"appendonly": "no"}, "appendonly is off", "appendonly yes"),
        ({"maxmemory_policy": "allkeys-lru"}, "allkeys-lru deletes keys", "maxmemory-policy noeviction"),
        ({"appendfsync": "no"}, "appendfsync is no", "appendfsync everysec"),
    ],
)
def test_store_that_would_forget_is_refused_with_reason_and_mend(tocsin, programs, options, reason, mend):
    """`tocsin serve` does not start on a volatile store, and says what to set; nothing is left running."""
    own = OwnStore(programs, **options)
    tocsin.configure(redis_url=own.url)
    program = tocsin.run("serve")
    assert program.wait(60) not in (0, 2)
    said = program.text()
    assert reason in said
    assert mend in said
    assert "Traceback" not in said
    own.stop()
    programs.nothing_left()


def test_store_that_would_forget_is_taken_when_that_is_allowed_and_is_seen(tocsin, programs):
    """With `allow_volatile: true` it starts, and /metrics says for ever that the store is not durable."""
    own = OwnStore(programs, appendonly="no")
    tocsin.configure(redis_url=own.url, extra="allow_volatile: true")
    serving = tocsin.serve()
    assert tocsin.metric("tocsin_store_durable") == 0
    assert "appendonly is off" in serving.program.text()

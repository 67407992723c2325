"""Starting, stopping and dying: in order when asked, without a trace when not, and never two at once."""

import pytest
from installation import Installation, firing
from load import Load
from programs import eventually, free_port

from incidents import keys
from incidents.store.codec import decode_state

pytestmark = pytest.mark.acceptance


def test_stop_under_load_exits_0_and_keeps_what_was_accepted(tocsin, page_sink):
    """SIGTERM in the midst of a storm ends everything; the next run has each alert that got a 2xx."""
    serving = tocsin.serve()
    with Load(tocsin.port, posters=3, seed=1, pause=0) as load:
        eventually(lambda: load.events > 500, what="500 alerts")
        serving.stop()
        serving = tocsin.serve()
        load.stop()

    assert "Traceback" not in serving.program.text()
    tocsin.settled()
    link = tocsin.link()
    names = sorted(load.accepted)
    states = [decode_state(blob).status for blob in link.one("HMGET", keys.alerts(), *names)]
    link.drop()
    assert dict(zip(names, states, strict=True)) == load.accepted
    _claim_one_page_an_incident(tocsin, page_sink)


def _claim_one_page_an_incident(tocsin, page_sink):
    found = tocsin.metric("tocsin_incidents_open")
    for _ in range(int(found)):
        page_sink.expect_page(person="amira", repeat=False)


def test_second_serve_on_the_same_directory_is_refused_by_name(tocsin, serving):
    """The directory is named, and who holds it; the first one goes on."""
    port = tocsin.port
    tocsin.configure(port=free_port())
    second = tocsin.run("serve", name="second")
    assert second.wait(60) != 0
    assert f"{tocsin.directory}/data is in use by" in second.text()
    assert f"pid {serving.program.pid}" in second.text()
    assert "Traceback" not in second.text()
    tocsin.configure(port=port)
    assert tocsin.is_ready()


def test_second_serve_on_the_same_port_is_refused_by_name(tocsin, serving, programs, page_sink):
    """The port is named, and who answers there; the first one goes on and nothing of the second is left."""
    other = Installation(programs, page_sink.url, name="other")
    other.configure(port=tocsin.port)
    second = other.run("serve")
    assert second.wait(60) != 0
    assert f"127.0.0.1:{tocsin.port} is already answered by" in second.text()
    assert "Traceback" not in second.text()
    assert tocsin.is_ready()
    tocsin.post(firing())
    page_sink.expect_page(person="amira")


def test_killed_supervisor_leaves_nothing_behind_and_serve_just_works_again(tocsin, serving, programs, page_sink):
    """After `kill -9` of `tocsin serve` all its processes go by themselves, and the next run has what the last had."""
    tocsin.post(firing())
    incident = page_sink.expect_page(person="amira")["incident"]["id"]
    serving.program.kill()
    programs.nothing_left()

    tocsin.serve()
    assert tocsin.only_incident()["id"] == incident
    tocsin.post(firing(service="web"))
    page_sink.expect_page(person="amira")
    tocsin.settled()


@pytest.mark.parametrize("part", ["decide", "pages", "receiver"])
def test_killed_child_is_replaced_and_the_next_alert_pages(tocsin, serving, page_sink, part):
    """After `kill -9` of a child the way from alert to page works again."""
    tocsin.post(firing(service="before", severity="info"))  # pages nobody: a second page within 5 s would be bundled
    tocsin.settled()
    old = serving.kill_child(part)
    eventually(lambda: tocsin.post(firing(service="after")).status_code == 202, what="an answer 202")
    page_sink.expect_page(person="amira")
    assert serving.new_child(part, old) != old

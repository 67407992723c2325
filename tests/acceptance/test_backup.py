"""Backed up while it serves, lost, restored: everything is there again, and nobody is paged for it."""

import shutil

import pytest
from installation import firing
from programs import eventually

pytestmark = pytest.mark.acceptance


def test_backup_of_a_running_server_brings_everything_back(tocsin, page_sink):
    """What was there at the backup is there after the loss of the store, as it was; an open incident pages nobody."""
    serving = tocsin.serve()
    tocsin.post(firing())
    name = page_sink.expect_page(person="amira")["incident"]["id"]
    tocsin.act(name, "notes", text="the disk is full")
    # The result of a page is written down after its answer: only then does nothing change any more.
    eventually(lambda: tocsin.timeline(name, "page_sent"), what="the page written down")
    tocsin.settled()
    before, timeline = tocsin.get(f"/incidents/{name}"), tocsin.timeline(name)

    backup = tocsin.run("backup", "whole.backup")
    assert backup.wait(60) == 0, backup.text()
    serving.stop()
    shutil.rmtree(tocsin.directory / "data" / "store")
    restore = tocsin.run("restore", "whole.backup")
    assert restore.wait(60) == 0, restore.text()
    assert f"nobody is paged any more for {name}\n" in restore.text()

    tocsin.serve()
    after, entries = tocsin.get(f"/incidents/{name}"), tocsin.timeline(name)
    changed = {"version": 0, "next_page_at": None}
    assert before["next_page_at"] is not None
    assert after | {"version": 0} == before | changed
    assert entries[:-1] == timeline
    assert entries[-1]["text"].startswith("Restored from the backup of")
    tocsin.post(firing(service="api"))  # and it goes on
    assert page_sink.expect_page(person="amira")["incident"]["id"] != name

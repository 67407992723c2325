"""Backed up while it serves, lost, restored: everything is there again, and nobody is paged for it."""

import shutil

import pytest
from installation import firing
from programs import eventually

pytestmark = pytest.mark.acceptance


def test_backup_of_a_running_server_brings_everything_back(tocsin, page_sink):
    """What was there at the backup is there after the loss of the store, as it was; open incidents page nobody."""
    serving = tocsin.serve()
    tocsin.post(firing(), firing(service="web"))
    names = sorted(page_sink.expect_page(person="amira")["incident"]["id"] for _ in range(2))
    tocsin.act(names[0], "acknowledge")
    tocsin.act(names[0], "notes", text="the disk is full")
    # The result of a page is written down after its answer: only then does nothing change any more.
    eventually(lambda: all(tocsin.timeline(name, "page_sent") for name in names), what="both pages written down")
    tocsin.settled()
    before = {name: (tocsin.get(f"/incidents/{name}"), tocsin.timeline(name)) for name in names}

    backup = tocsin.run("backup", "whole.backup")
    assert backup.wait(30) == 0, backup.text()
    refused = tocsin.run("restore", "whole.backup", "--force")
    assert refused.wait(30) == 1
    assert "is in use by tocsin serve" in refused.text()
    serving.stop()
    shutil.rmtree(tocsin.directory / "data" / "store")
    restore = tocsin.run("restore", "whole.backup", name="restore-again")
    assert restore.wait(30) == 0, restore.text()
    assert f"nobody is paged any more for {names[1]}\n" in restore.text()

    tocsin.serve()
    after = {name: (tocsin.get(f"/incidents/{name}"), tocsin.timeline(name)) for name in names}
    for name in names:
        incident, timeline = after[name]
        changed = {"version": 0, "next_page_at": None}
        assert incident | changed == before[name][0] | changed
        assert timeline[:-1] == before[name][1]
        assert timeline[-1]["text"].startswith("Restored from the backup of")
        assert incident["next_page_at"] is None
    tocsin.post(firing(service="api"))  # and it goes on
    assert page_sink.expect_page(person="amira")["incident"]["id"] not in names

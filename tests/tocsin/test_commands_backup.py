"""`tocsin backup` and `tocsin restore`, on an own store and on the embedded one."""

import gzip
import json
from datetime import timedelta

import pytest
from builders import NOW, rule_set
from click.testing import CliRunner

from incidents import events, keys
from incidents.store.audit import Audit
from incidents.store.codec import decode_incident
from incidents.store.connection import Link
from incidents.store.incidents import Incidents
from incidents.values import Severity
from rules.index import identity_key
from tocsin.cli import main
from tocsin.config_file import load_settings
from tocsin.durability import StoreRefused, ensure_durable
from tocsin.locks import DirectoryLock


@pytest.fixture
def config(tmp_path, store_url):
    """A configuration that names the store of the test."""
    path = tmp_path / "tocsin.yml"
    path.write_text(f"data_dir: ./data\nredis_url: {store_url}\n")
    return path


@pytest.fixture
def incidents(links):
    oncall = rule_set().oncall
    return Incidents(links, lambda _: oncall)


def declare(incidents, service):
    identity = {"service": service}
    event = events.DeclaredByHand(
        actor="amira",
        title=service,
        severity=Severity.SEV2,
        identity=identity,
        identity_key=identity_key(identity),
    )
    return incidents.declare(event, now=NOW).incident.id


def tocsin(*arguments, config):
    return CliRunner().invoke(main, [*map(str, arguments), "--config", str(config)], catch_exceptions=False)


def test_restore_sends_no_page_and_says_who_would_have_been_paged(config, tmp_path, links, incidents):
    """What was due is dropped, open incidents page nobody and say so, and what was acknowledged stays as it is."""
    waiting, worked_on = declare(incidents, "db"), declare(incidents, "web")
    incidents.apply(worked_on, events.Acknowledge(actor="bo"), now=NOW + timedelta(minutes=1))
    done = tocsin("backup", tmp_path / "b", config=config)
    assert done.exit_code == 0, done.output
    with links.borrow() as link:
        link.one("FLUSHALL")
        done = tocsin("restore", tmp_path / "b", "--output", "json", config=config)
        assert done.exit_code == 0, done.output
        said = json.loads(done.stdout)
        assert said["pages_dropped"] == 2
        assert said["paging_stopped"] == [waiting]
        assert link.one("EXISTS", keys.pages_due(), keys.escalations(), keys.restoring()) == 0
        assert decode_incident(link.one("GET", keys.incident(waiting))).paging.next_at is None
        told = [link.one("XREVRANGE", keys.timeline(name), "+", "-", "COUNT", 1) for name in (waiting, worked_on)]
    assert [b"nobody is paged for it any more" in entry[0][1][1] for entry in told] == [True, False]
    assert all(b"Restored from the backup of" in entry[0][1][1] for entry in told)


def test_restore_resumes_paging_where_asked(config, tmp_path, links, incidents):
    """With --resume-paging the next step of an incident stays due."""
    name = declare(incidents, "db")
    tocsin("backup", tmp_path / "b", config=config)
    with links.borrow() as link:
        done = tocsin("restore", tmp_path / "b", "--force", "--resume-paging", config=config)
        assert done.exit_code == 0, done.output
        assert link.one("ZRANGE", keys.escalations(), 0, -1) == [name.encode()]
    noted = [each.entry for each in Audit(links).entries().entries]
    assert [(entry.action, entry.target) for entry in noted] == [("restore", "b")]


def test_restore_of_an_edited_backup_writes_nothing(config, tmp_path, links):
    """A backup that was touched is refused with the place before anything is written or deleted."""
    with links.borrow() as link:
        link.one("SET", keys.rules_current(), "r1")
        tocsin("backup", tmp_path / "b", config=config)
        text = gzip.decompress((tmp_path / "b").read_bytes()).replace(b'"r1"', b'"r2"')
        (tmp_path / "b").write_bytes(gzip.compress(text))
        done = tocsin("restore", tmp_path / "b", "--force", config=config)
        assert done.exit_code == 2
        assert "line 2: it was changed" in done.stderr
        assert link.one("GET", keys.rules_current()) == b"r1"


def test_restore_of_a_file_that_is_not_there(config, tmp_path):
    """A name that was mistyped is told as that."""
    done = tocsin("restore", tmp_path / "none", config=config)
    assert done.exit_code == 2
    assert "cannot be read: No such file" in done.stderr


def test_restore_into_a_store_that_is_not_empty_is_refused(config, tmp_path, links):
    """Without --force nothing is deleted."""
    with links.borrow() as link:
        link.one("SET", keys.rules_current(), "r1")
        tocsin("backup", tmp_path / "b", config=config)
        done = tocsin("restore", tmp_path / "b", config=config)
    assert done.exit_code == 1
    assert "the store is not empty: Tocsin has 2 keys there; with --force" in done.stderr


def test_restore_that_was_broken_off_keeps_tocsin_from_starting(config, links, store_url):
    """Nobody goes on with half a store."""
    with links.borrow() as link:
        link.one("SET", keys.restoring(), "1")
    with pytest.raises(StoreRefused, match="restore FILE --force"):
        ensure_durable(load_settings(config, {}), store_url)


def test_restore_beside_a_running_server_is_refused(config, tmp_path):
    """Whoever holds the data directory is named, and nothing is touched."""
    tocsin("backup", tmp_path / "b", config=config)
    config.write_text("data_dir: ./data\n")
    with DirectoryLock(tmp_path / "data", "tocsin serve"):
        done = tocsin("restore", tmp_path / "b", "--force", config=config)
    assert done.exit_code == 1
    assert "is in use by tocsin serve" in done.stderr


def test_backup_overwrites_nothing(config, tmp_path):
    """A file that is there is another backup, most likely."""
    (tmp_path / "b").write_text("precious")
    done = tocsin("backup", tmp_path / "b", config=config)
    assert done.exit_code == 2
    assert "overwrites nothing" in done.stderr
    assert (tmp_path / "b").read_text() == "precious"


@pytest.mark.parametrize(("name", "says"), [("no/such/b", "there is no directory"), ("b" * 250, "cannot be written")])
def test_backup_says_where_it_cannot_be_written(config, tmp_path, name, says):
    """Two, with the reason in words; and no file is left."""
    done = tocsin("backup", tmp_path / name, config=config)
    assert (done.exit_code, says in done.output, "Errno" in done.output) == (2, True, False)
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith((".", "b"))] == []


def test_backup_without_a_store_says_so(tmp_path):
    """A data directory without a store is a wrong one, and none is made there."""
    config = tmp_path / "tocsin.yml"
    config.write_text("data_dir: ./data\n")
    done = tocsin("backup", tmp_path / "b", config=config)
    assert done.exit_code == 1
    assert "there is no store in" in done.stderr
    assert sorted(tmp_path.iterdir()) == [config]


def test_backup_of_a_full_store(valkey, tmp_path):
    """A store that takes nothing any more is backed up all the same; a restore into it says why it stops."""
    url = f"unix://{valkey()}"
    config = tmp_path / "tocsin.yml"
    config.write_text(f"data_dir: ./data\nredis_url: {url}\n")
    link = Link(url)
    link.one("SET", keys.rules_current(), "r1")
    link.one("CONFIG", "SET", "maxmemory", "1")
    done = tocsin("backup", tmp_path / "b", config=config)
    assert done.exit_code == 0, done.output
    refused = tocsin("restore", tmp_path / "b", "--force", config=config)
    assert refused.exit_code == 1
    assert "the store refuses" in refused.stderr
    assert link.one("GET", keys.rules_current()) == b"r1"  # it was noticed before anything was deleted
    link.drop()

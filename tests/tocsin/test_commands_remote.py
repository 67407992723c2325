"""The commands that speak with a server, against a real `tocsin serve` on its own embedded store."""

import json
import re
import sys
import tempfile
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from programs import Programs, eventually, free_port

from incidents import keys
from incidents.clock import utc_now
from incidents.store.connection import Link, Links
from incidents.store.intake import Intake, Refused
from incidents.store.scripts import ALL
from tocsin.cli import main
from tocsin.commands.doctor_checks import all_give_signs
from tocsin.commands.doctor_probe import payload
from tocsin.config_file import load_settings
from tocsin.redis_urls import store_url

CONFIG = """
listen: 127.0.0.1:{port}
data_dir: ./data
rules: [./rules.d]
sources:
- {{name: am, kind: alertmanager, token_file: am.token}}
- {{name: mute, kind: prometheus, token: mute-token-mute-token}}
api_tokens:
- {{name: val, role: viewer, token: viewer-token-viewer-token}}
- {{name: ops, role: admin, token_file: ops.token}}
"""
RULES = """
people: {amira: {channels: [console]}}
channels: {screen: console}
audiences: {customers: [screen]}
rotations: {commanders: {timezone: UTC, order: [amira], handoff: {every: 1w, starting: 2026-01-05}}}
roles: {incident_commander: {rotation: commanders}}
paging: {default: {steps: [{page: incident_commander, acknowledge_within: 1h}]}}
rules:
- {id: critical, match: 'severity="critical"', declare: SEV2, title: "{{ labels.alertname }} on {{ labels.service }}"}
"""


class Site:
    """An installation with `tocsin serve` running, and its command line."""

    def __init__(self, directory: Path, programs: Programs) -> None:
        self.port = free_port()
        self.config = directory / "tocsin.yml"
        self.config.write_text(CONFIG.format(port=self.port))
        (directory / "am.token").write_text("source-token-source-token\n")
        (directory / "ops.token").write_text("admin-token-admin-token\n")
        (directory / "rules.d").mkdir()
        (directory / "rules.d" / "all.yml").write_text(RULES)
        command = [sys.executable, "-m", "tocsin", "serve", "--config", str(self.config)]
        self.serve = programs.start("serve", command, cwd=directory)
        self.url = f"http://127.0.0.1:{self.port}"
        self.store = store_url(load_settings(self.config, {}))

    def is_at_work(self) -> bool:
        """Tell whether the receiver is ready and every worker gives signs: the receiver alone is there sooner."""
        if not self.serve.is_alive():
            pytest.fail(f"tocsin serve ended: {self.serve.text()[-3000:]}")
        if not requests.get(f"{self.url}/-/ready", timeout=5).ok:
            return False
        headers = {"Authorization": "Bearer viewer-token-viewer-token"}
        status = requests.get(f"{self.url}/api/v1/status", headers=headers, timeout=5).json()
        return all_give_signs(status)

    def run(self, *arguments, token=None, own=None):
        """Run a command against this installation; `own` is where a person's own configuration is, used instead."""
        environ = {"TOCSIN_TOKEN": token or "", "TOCSIN_CONFIG": "", "XDG_CONFIG_HOME": str(own or "")}
        options = [] if own is not None else ["--config", str(self.config)]
        return CliRunner().invoke(main, [*arguments, *options], env=environ)

    def json(self, *arguments, **more):
        done = self.run(*arguments, "--output", "json", **more)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def declare(self, service, title="It is broken"):
        return self.json("incidents", "declare", title, "--severity", "SEV3", "--identity", f"service={service}")["id"]

    def fire(self, service, **labels):
        """Post an alert and wait for its incident."""
        body = payload("x", utc_now(), is_firing=True)
        body["alerts"][0]["fingerprint"] = ""
        body["alerts"][0]["labels"] = {"alertname": "Disk", "service": service, "severity": "critical"} | labels
        headers = {"Authorization": "Bearer source-token-source-token"}
        answer = requests.post(f"{self.url}/webhooks/alertmanager", json=body, headers=headers, timeout=60)
        assert answer.status_code == 202
        return eventually(
            lambda: [each["id"] for each in self.json("incidents", "list")["incidents"] if service in each["title"]]
        )[0]


@pytest.fixture(scope="module")
def site():
    with tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        programs = Programs(Path(folder))
        try:
            site = Site(Path(folder), programs)
            eventually(site.is_at_work, timeout=120, what="a receiver and every worker", poll=0.1)
            yield site
            assert site.serve.terminate() == 0
        finally:
            programs.end()


def test_commands_incidents_from_declared_to_resolved(site):
    """The life of an incident by hand: each command says how it stands now."""
    name = site.declare("one", "Checkout is slow")
    acts = [
        (("acknowledge", name, "--note", "on it"), " is acknowledged"),
        (("note", name, "rolled back"), ": noted; it is acknowledged"),
        (("mitigate", name), " is mitigated"),
        (("resolve", name, "--note", "mended"), " is resolved"),
    ]
    for arguments, said in acts:
        done = site.run("incidents", *arguments)
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        assert done.stdout.splitlines()[0] == f"{name}{said} (SEV3): Checkout is slow"
    shown = site.json("incidents", "show", name)
    assert shown["status"] == "resolved"
    kinds = [entry["kind"] for entry in shown["timeline"]]
    assert [kind for kind in kinds if kind in {"acknowledged", "mitigated", "resolved"}] == [
        "acknowledged",
        "mitigated",
        "resolved",
    ]
    texts = " ".join(entry["text"] for entry in shown["timeline"])
    assert all(word in texts for word in ("on it", "rolled back", "mended"))
    assert {entry["actor"] for entry in shown["timeline"] if entry["kind"] == "note"} >= {"ops"}


def test_commands_write_the_document_and_tell_an_audience(site, tmp_path, monkeypatch):
    """Parts are written and printed, a draft becomes what customers are told, and the timeline says that it arrived."""
    name = site.declare("documented", "Orders <b>fail</b>")
    wrote = site.run("incidents", "document", name, "--summary", "Nobody can order", "--status-report", "Disk full")
    assert wrote.stdout.splitlines()[0] == f"{name}: version 1 of the summary is written"
    draft = site.run("incidents", "communicate", name, "customers").stdout
    assert "Nobody can order" in draft
    assert site.run("incidents", "communicate", name, "customers", draft.strip(), "--send").exit_code == 0
    assert site.run("incidents", "task", name, "Look at the disk", "--to", "amira").exit_code == 0
    assert site.run("incidents", "task", name, "task-1", "--done").exit_code == 0
    assert site.run("incidents", "stakeholder", name, "ACME", "--kind", "customer", "--external").exit_code == 0
    shown = site.run("incidents", "document", name).stdout
    assert all(text in shown for text in ("Nobody can order", "Disk full", "done by ops", "ACME"))
    assert "<b>" not in shown.replace("\\<b\\>", "")

    def arrived():
        timeline = site.json("incidents", "show", name)["timeline"]
        return [each["text"] for each in timeline if each["data"].get("delivered")]

    assert eventually(arrived) == ["The audience customers was told over screen (console)"]
    monkeypatch.chdir(tmp_path)
    editor = tmp_path / "editor"  # somebody else writes while it is open
    other = f'"{sys.executable}" -m tocsin incidents document {name} --summary theirs --config "{site.config}"'
    editor.write_text(f'#!/bin/sh\n{other} && printf mine > "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    monkeypatch.delenv("VISUAL", raising=False)
    refused = site.run("incidents", "document", name, "--edit", "summary")
    assert (refused.exit_code, "-theirs" in refused.stderr, "+mine" in refused.stderr) == (1, True, True)
    assert (tmp_path / f"{name}.summary.txt").read_text() == "mine"


def test_commands_write_no_empty_text_from_a_pipe(site):
    """What feeds the pipe has failed, and its end is no status report."""
    name = site.declare("piped")
    refused = site.run("incidents", "document", name, "--status-report", "-")
    assert (refused.exit_code, "the standard input is empty" in refused.output) == (2, True)


def test_commands_tick_a_task_off_by_its_number(site):
    """`2` is `task-2`; words that no task has are said to be new."""
    name = site.declare("tasked")
    site.run("incidents", "task", name, "look at the queue")
    assert site.run("incidents", "task", name, "1", "--done").exit_code == 0
    tasks = site.json("incidents", "document", name)["status_report"]["tasks"]
    assert [(each["id"], each["done"]) for each in tasks] == [("task-1", True)]
    assert "No open task has these words" in site.run("incidents", "task", name, "look", "--done").stdout


def test_commands_incidents_watch_and_reopen(site):
    """What was written is told in order, and what is closed ends it; by a person's own configuration too."""
    name = site.declare("watched", "Checkout is slow")
    site.run("incidents", "escalate", name, "--severity", "SEV2")
    # As a restore says: whom nobody is paged for any more is paged again.
    assert site.run("incidents", "escalate", name).exit_code == 0
    site.run("incidents", "resolve", name)
    assert site.json("incidents", "reopen", name)["status"] == "declared"
    site.run("incidents", "resolve", name, "--note", "mended")
    own = site.config.parent / "own" / "tocsin"
    own.mkdir(parents=True)
    (own / "config.yml").write_text(f"server: {site.url}\ntoken_file: ../../ops.token\n")
    done = site.run("incidents", "watch", name, "--since", "1h", "--output", "json", own=own.parent)
    assert done.exit_code == 0, done.output
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    wanted = {"incident_declared", "severity_changed", "resolved", "reopened"}
    assert [kind for kind in kinds if kind in wanted] == [
        "incident_declared",
        "severity_changed",
        "resolved",
        "reopened",
        "resolved",
    ]


def test_commands_complete_the_ids_of_incidents(site):
    """Newest first, from the server; shells that can show what each is."""
    first, second = site.declare("complete-a", "A new one"), site.declare("complete-b")
    environ = {"_TOCSIN_COMPLETE": "zsh_complete", "COMP_WORDS": "tocsin incidents show inc", "COMP_CWORD": "3"}
    asked = CliRunner().invoke(main, [], env=environ | {"TOCSIN_CONFIG": str(site.config)}, prog_name="tocsin")
    lines = asked.stdout.splitlines()
    assert [line for line in lines if line in {first, second}] == [second, first]
    assert "SEV3 declared: A new one" in lines


def test_commands_statistics(site):
    """Tables, JSON and a report of what happened in this installation."""
    site.run("incidents", "dismiss", site.declare("counted"), "a drill")
    report = site.config.parent / "report.html"
    shown = site.run("statistics", "--report", str(report))
    assert (shown.exit_code, shown.stderr) == (0, ""), shown.output
    assert re.search(r"^counted +1 ", shown.stdout, re.MULTILINE)
    assert report.read_text().count("<svg ") == 4
    found = site.json("statistics", "--since", "1d", "--by", "severity")
    assert (found["by"], found["dismissed"] > 0) == ("severity", True)
    site.fire("detected")

    def paged():
        return [each["person"] for each in site.json("statistics")["people"] if each["pages"]]

    assert eventually(paged, what="a page that is counted") == ["amira"]
    rule = next(each for each in site.json("statistics", "--by", "rule")["groups"] if each["name"] == "critical")
    assert rule["times"]["detect"]["count"] > 0
    nowhere = site.run("statistics", "--report", str(report.parent / "nowhere" / "report.html"))
    assert (nowhere.exit_code, "no directory" in nowhere.stderr) == (2, True)
    assert site.run("statistics", "--since", "yesterday").exit_code == 1


def test_commands_action_reaches_the_incident_of_its_service(site):
    """Told of a service, it stands on the timeline of its open incident; told of an incident, there at once."""
    name = site.fire("ledger")
    done = site.run("action", "rollback", "--service", "ledger", "to 1.4.2")
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    assert done.stdout.startswith("the rollback of ledger was taken as ")

    def texts():
        timeline = site.json("incidents", "show", name)["timeline"]
        return [entry["text"] for entry in timeline if entry["kind"] == "corrective_action"]

    eventually(lambda: texts() == ["ops (outside of the operating group) did a rollback of ledger: to 1.4.2"])
    assert site.run("action", "restart", "--incident", name, "the workers").exit_code == 0
    assert texts()[-1] == "ops (outside of the operating group) did a restart: the workers"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("action", "rollback"), 2, "--service or --incident"),
        (("action", "rollback", "--service", "a", "--incident", "INC-2026-0001"), 2, "--service or --incident"),
        (("action", "rollback", "--incident", "INC-2026-0001"), 2, "in words"),
        (("action", "rollback", "--service", "a", "--at", "yesterday"), 2, "no instant"),
        (("action", "rollback", "--service", "a", "--at", "2026-11-02T03:00:00"), 2, "zone"),
        (("action", "rollback", "--service", "a", "--at", "1999-11-02T03:00:00Z"), 1, "At lies in"),
    ],
)
def test_commands_action_refused(site, arguments, code, said):
    """What cannot be asked ends with 2, what the server refuses with 1."""
    done = site.run(*arguments)
    assert (done.exit_code, said in done.stderr) == (code, True), done.output


def test_commands_incidents_dismiss(site):
    """Dismissed is what was no incident, with the reason."""
    name = site.declare("dismissed")
    assert site.json("incidents", "dismiss", name, "a drill")["status"] == "dismissed"


def test_commands_write_and_publish_a_postmortem(site, monkeypatch):
    """A section is written in the editor, and what is resolved and published is no longer among the drafts."""
    name = site.declare("postmortem")
    monkeypatch.setattr("click.edit", lambda text: text + "The disk was full.")
    assert site.run("incidents", "postmortem", name, "--edit", "went-badly").stdout == (
        f"the post-mortem of {name} is draft, version 1\n"
    )
    assert "The disk was full." in site.run("incidents", "postmortem", name).stdout
    assert site.run("incidents", "postmortem", name, "--state", "published").exit_code == 1  # it is open
    site.json("incidents", "resolve", name, "--override", "x")
    assert name in site.run("incidents", "postmortems", "--state", "draft").stdout
    assert site.json("incidents", "postmortem", name, "--state", "published")["state"] == "published"
    drafts = site.json("incidents", "postmortems", "--state", "draft")["postmortems"]
    assert name not in [each["id"] for each in drafts]


def test_commands_incidents_export(site, tmp_path):
    """In every format, to the standard output or a file; what there is not leaves no file."""
    name = site.declare("exported")
    entry = site.json("incidents", "show", name)["timeline"][0]["id"]
    site.json("incidents", "note", name, "It was the other one", "--corrects", entry)
    assert site.run("incidents", "export", name).stdout.startswith(f"# Post-mortem of {name}: It is broken")
    assert site.json("incidents", "export", name)["state"] == "draft"
    file = tmp_path / "picture.svg"
    assert site.run("incidents", "export", name, "--format", "svg", "--file", str(file)).exit_code == 0
    assert file.read_text().startswith("<svg")
    lines = site.run("incidents", "export", name, "--timeline", "--format", "json").stdout.splitlines()
    assert json.loads(lines[0])["data"]["corrections"][0]["text"] == "It was the other one"
    assert site.run("incidents", "export", name, "--timeline", "--format", "html").exit_code == 2
    missing = tmp_path / "missing.md"
    assert site.run("incidents", "export", "INC-2026-9999", "--file", str(missing)).exit_code == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["picture.svg"]


def test_commands_incidents_list(site):
    """Newest first, in all statuses unless asked otherwise; a limit is kept and the cursor given."""
    first, second = site.declare("list-a"), site.declare("list-b")
    site.run("incidents", "dismiss", first, "a drill")
    rows = site.run("incidents", "list").stdout.splitlines()
    assert rows[0].split() == ["INCIDENT", "SEVERITY", "STATUS", "TITLE", "DECLARED", "AGE", "COMMANDER", "FIRING"]
    assert [row.split()[0] for row in rows[1:3]] == [second, first]
    still_open = [each["id"] for each in site.json("incidents", "list", "--status", "open")["incidents"]]
    assert second in still_open
    assert first not in still_open
    limited = site.json("incidents", "list", "--limit", "1")
    assert [each["id"] for each in limited["incidents"]] == [second]
    assert limited["next"]
    assert site.run("incidents", "list", "--severity", "SEV1", "--status", "resolved").stdout == "No such incidents.\n"


def test_commands_incidents_show_what_an_alert_declared(site):
    """Roles, findings, alerts and the timeline of an incident that a rule declared."""
    name = site.fire("payments")
    eventually(lambda: "page_sent" in site.run("incidents", "show", name).stdout)
    text = site.run("incidents", "show", name).stdout
    assert text.startswith(f"{name}  SEV2  declared  Disk on payments\n")
    assert re.search(r'^identity +service="payments"$', text, re.MULTILINE)
    assert re.search(r"^incident commander +amira$", text, re.MULTILINE)
    assert re.search(r"critical +other +SEV2", text)
    assert "Alerts: 1 firing, 0 resolved" in text
    assert re.search(r'^firing .* am +.*alertname="Disk"', text, re.MULTILINE)
    assert re.search(r"incident_declared +am", text)


def test_commands_incidents_show_no_control_characters(site):
    """What an alert says steers no terminal."""
    name = site.fire("evil", alertname="Disk\x1b[2Jfull")
    shown = site.run("incidents", "show", name)
    assert "\x1b" not in shown.stdout + site.run("incidents", "list").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("incidents", "show", "INC-1999-0001"), 1, "there is no incident 'INC-1999-0001'"),
        (("incidents", "show", "../status?x=/"), 1, "nothing at this address"),
        (("incidents", "list", "--status", "opn"), 2, "is not one of"),
        (("incidents", "declare", "x", "--severity", "SEV9"), 2, "is not one of"),
        (("incidents", "declare", "x", "--severity", "SEV1", "--identity", "service"), 2, "must be NAME=VALUE"),
        (("incidents", "declare", "", "--severity", "SEV1"), 1, "title"),
        (("quarantine", "show", "q1-none"), 1, "q1-none"),
        (("incidents", "list", "--server", "tocsin:9095"), 2, "--server must be an address"),
    ],
)
def test_commands_refused(site, arguments, code, said):
    """What the server refuses ends with 1, what cannot be asked with 2; both say why."""
    done = site.run(*arguments)
    assert done.exit_code == code, done.output
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_commands_refused_transition(site):
    """A status that does not allow it: the server's reason."""
    name = site.declare("twice")
    site.run("incidents", "dismiss", name, "a drill")
    done = site.run("incidents", "acknowledge", name)
    assert done.exit_code == 1
    assert "dismissed" in done.stderr


def test_commands_take_the_token_of_the_environment(site):
    """TOCSIN_TOKEN wins over the configuration; a wrong one, or one that may not, is told from a server away."""
    wrong = site.run("incidents", "list", token="wrong")
    assert (wrong.exit_code, "TOCSIN_TOKEN" in wrong.stderr) == (1, True)
    weak = site.run("incidents", "declare", "x", "--severity", "SEV1", token="viewer-token-viewer-token")
    assert (weak.exit_code, "viewer" in weak.stderr) == (1, True)


def test_commands_quarantine(site):
    """What is in quarantine is listed and shown; what is no alert of ours cannot be requeued, and says so."""
    with Links(site.store, scripts=ALL) as links:
        Intake(links, lambda: None).append_alerts(
            source="am",
            alerts=(),
            refused=[Refused(reason="labels are missing", text='{"x": 1}')],
            received_at=utc_now(),
        )
    (event,) = site.json("quarantine", "list")["events"]
    assert "labels are missing" in site.run("quarantine", "list").stdout
    assert '{"x": 1}' in site.run("quarantine", "show", event["id"]).stdout
    done = site.run("quarantine", "requeue", event["id"])
    assert (done.exit_code, "cannot be requeued" in done.stdout) == (1, True)
    link = Link(site.store)
    link.one("DEL", keys.quarantine())
    assert site.run("quarantine", "list").stdout == "Nothing is in quarantine.\n"


def test_commands_healthcheck(site):
    """Ready is 0."""
    assert site.run("healthcheck").exit_code == 0


# doctor


def checks(found):
    return {each["name"]: each for each in found["checks"]}


def test_commands_doctor_proves_the_way(site):
    """A healthy installation: the synthetic alert is decided, the test page taken, and nothing is declared."""
    before = {each["id"] for each in site.json("incidents", "list")["incidents"]}
    found = site.json("doctor")
    by_name = checks(found)
    assert by_name["synthetic alert"]["state"] == "ok", found
    assert by_name["store"]["state"] == by_name["worker decide"]["state"] == by_name["worker pages"]["state"] == "ok"
    assert by_name["rule files"]["found"] == "are what is in force"
    assert "amira is incident commander now" in by_name["people"]["found"]
    assert by_name["source mute"]["state"] == "warn"
    assert {each["id"] for each in site.json("incidents", "list")["incidents"]} == before
    taken = by_name["test page"]
    assert (taken["state"], taken["found"].startswith("amira/1 took it for amira after")) == ("ok", True), found
    text = site.run("doctor", "--no-page").stdout
    assert re.search(r"^ok +synthetic alert +taken from am in \d+ ms, decided after \d+ ms$", text, re.MULTILINE)
    assert "test page" not in text


def test_commands_doctor_pages_whom_it_is_told(site):
    """The test page goes to a channel by name; for whom nobody knows, doctor fails and says so."""
    assert "screen took it for channel:screen" in site.run("doctor", "--page", "channel:screen").stdout
    done = site.run("doctor", "--page", "nobody")
    assert done.exit_code == 1
    assert "FAIL  test page           was not sent: there is no person 'nobody'" in done.stdout


def test_commands_doctor_names_a_refused_token(site):
    """A token that was changed while Tocsin ran, and rule files that are not what is in force."""
    token, rules = site.config.parent / "am.token", site.config.parent / "rules.d" / "more.yml"
    token.write_text("another-token-another-token\n")
    rules.write_text("people: {bo: {channels: [console]}}\n")
    try:
        done = site.run("doctor", "--output", "json")
        by_name = checks(json.loads(done.stdout))
        assert done.exit_code == 1
        assert by_name["synthetic alert"]["state"] == "FAIL"
        assert "restart" in by_name["synthetic alert"]["mend"]
        assert by_name["rule files"]["state"] == "warn"
        rules.write_text("peple: 1\n")
        by_name = checks(json.loads(site.run("doctor", "--output", "json").stdout))
        assert by_name["rule files"]["state"] == "FAIL"
    finally:
        token.write_text("source-token-source-token\n")
        rules.unlink()


def test_commands_doctor_with_a_wrong_token(site):
    """The API refuses: doctor says which token it would need."""
    done = site.run("doctor", token="wrong")
    assert done.exit_code == 1
    assert "TOCSIN_TOKEN" in done.stdout


def test_commands_rules_diff_from_what_is_running(site):
    """What a reload would change: asked with the token of an admin, and nothing is changed by asking."""
    rules = site.config.parent / "rules.d" / "all.yml"
    assert site.run("rules", "diff", "--exit-code").stdout == "no difference\n"
    rules.write_text(RULES.replace("SEV2", "SEV1"))
    try:
        done = site.run("rules", "diff", "running", str(rules), "--exit-code")
        assert done.stdout == "~ rule critical\n    declare: SEV2 -> SEV1\nrule: 1 changed\n"
        assert done.exit_code == 1
        assert site.run("rules", "diff", token="viewer-token-viewer-token").exit_code == 1
    finally:
        rules.write_text(RULES)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"a: &a [x,x]\nb: &b [*a,*a,*a]\nrules: *b\n", "E104"),
        (RULES.encode()[: len(RULES) - 30], "E101"),
        (RULES.encode("utf-16"), "E103"),
        (b"rules: []\n" * 600_000, "E102"),
    ],
    ids=["aliases", "half-written", "utf-16", "too-large"],
)
def test_commands_rules_stay_when_a_reload_meets_bad_files(site, text, code):
    """Every error with its place, and the rules that ran run on."""
    headers = {"Authorization": "Bearer admin-token-admin-token"}
    before = site.json("rules", "diff")["old"]["hash"]
    rules = site.config.parent / "rules.d" / "all.yml"
    rules.write_bytes(text)
    try:
        answer = requests.post(f"{site.url}/-/reload", headers=headers, timeout=60)
        assert answer.status_code == 400
        assert f"error[{code}]" in answer.text
    finally:
        rules.write_text(RULES)
    assert site.json("rules", "diff") == {
        "equal": True,
        "old": {"name": "running", "hash": before},
        "new": {"name": "", "hash": before},
        "changes": [],
    }

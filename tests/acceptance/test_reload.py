"""A broken rule file never replaces a good one; a good one is in force for every later decision."""

import signal

import pytest
from installation import RULES, firing
from programs import eventually

pytestmark = pytest.mark.acceptance

BROKEN = RULES.replace("declare: SEV2", "declair: SEV2") + "  nonsense: true\n"
MORE = RULES + "- {id: warnings, match: 'severity=\"warning\"', declare: SEV3}\n"
SUCCESSFUL = "tocsin_rules_last_reload_successful"


def test_reload_over_http_names_every_error_and_keeps_the_old_rules(tocsin, serving, page_sink):
    """POST /-/reload answers 400 with file, line and column of each error; alerts are judged by the old rules."""
    before = tocsin.get("/rules")["hash"]
    tocsin.write_rules(BROKEN)

    answer = tocsin.reload()
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    errors = answer.json()["errors"]
    assert len(errors) >= 2
    assert any("rules.yml:6:3: error" in error and "did you mean" in error and "declare" in error for error in errors)
    assert tocsin.metric(SUCCESSFUL) == 0
    assert tocsin.get("/rules")["hash"] == before
    tocsin.post(firing())
    page_sink.expect_page(person="amira")

    tocsin.write_rules(MORE)
    assert tocsin.reload().status_code == 200
    assert tocsin.metric(SUCCESSFUL) == 1
    tocsin.post(firing(severity="warning", service="web"))
    assert page_sink.expect_page(person="amira")["incident"]["severity"] == "SEV3"


def test_reload_by_sighup_keeps_the_old_rules_until_the_file_is_mended(tocsin, serving, page_sink):
    """SIGHUP with a broken file is told by /metrics and the log; with the file mended the new rules are in force."""
    tocsin.write_rules(BROKEN)
    serving.program.signal(signal.SIGHUP)
    eventually(lambda: tocsin.metric(SUCCESSFUL) == 0, what="a reload that failed")
    assert "rules.yml:6:3: error" in serving.program.text()
    tocsin.post(firing())
    page_sink.expect_page(person="amira")

    tocsin.write_rules(MORE)
    serving.program.signal(signal.SIGHUP)
    eventually(lambda: tocsin.metric(SUCCESSFUL) == 1, what="a reload that succeeded")
    tocsin.post(firing(severity="warning", service="web"))
    page_sink.expect_page(person="amira")


def test_start_with_a_broken_file_goes_on_with_the_rules_of_the_last_run(tocsin, page_sink):
    """A first start is refused with every error; a later one runs on the rules that were in force, and says so."""
    tocsin.write_rules(BROKEN)
    first = tocsin.run("serve", name="first")
    assert first.wait(60) != 0
    assert "rules.yml:6:3: error" in first.text()
    assert "Traceback" not in first.text()

    tocsin.write_rules(RULES)
    tocsin.serve().stop()
    tocsin.write_rules(BROKEN)
    tocsin.serve()
    assert tocsin.metric(SUCCESSFUL) == 0
    tocsin.post(firing())
    page_sink.expect_page(person="amira")

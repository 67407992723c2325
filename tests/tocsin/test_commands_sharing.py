"""`tocsin incidents share` and `unshare` against a look-alike of the API: what they send, and what they say."""

import pytest
from api_look_alike import commands_against

LINK = {
    "id": "0a1b2c3d4e",
    "address": None,
    "audience": "customers",
    "by": "amira",
    "made_at": "2026-11-02T03:00:00.000Z",
    "expires_at": "2026-11-05T03:00:00.000Z",
}
PATH = "/api/v1/incidents/INC-2026-0001/status_links"


@pytest.fixture
def asked():
    return []


@pytest.fixture
def run(tmp_path, asked):
    """Run a command against an API that takes everything."""

    def answer(method, path, body):
        asked.append((method, path, body))
        if method == "POST":
            return LINK | {"address": "https://tocsin.example/status/secret"}
        return {"status_links": [LINK, LINK], "next": None} if path == PATH else LINK

    with commands_against(tmp_path, answer, "incidents") as run:
        yield run


def test_share_prints_the_address_alone_on_its_line(run, asked):
    """So that it can be copied; then how long it holds."""
    done = run("share", "INC-2026-0001", "--audience", "customers", "--days", "3")
    assert asked == [("POST", PATH, {"days": 3, "audience": "customers"})]
    assert done.output.splitlines()[0] == "https://tocsin.example/status/secret"
    assert "unshare INC-2026-0001" in done.output
    assert run("share", "INC-2026-0001", "--days", "8").exit_code == 2


def test_share_lists_and_unshare_ends(run, asked):
    """One by its id, or every one."""
    assert "0a1b2c3d4e" in run("share", "INC-2026-0001", "--list").output
    assert "2 links have ended" in run("unshare", "INC-2026-0001").output
    assert "One link has ended" in run("unshare", "INC-2026-0001", "0a1b2c3d4e").output
    assert [(method, path) for method, path, _ in asked] == [
        ("GET", PATH),
        ("DELETE", PATH),
        ("DELETE", f"{PATH}/0a1b2c3d4e"),
    ]

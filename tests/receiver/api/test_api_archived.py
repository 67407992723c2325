"""Every call of the API about an incident answers the same, whether the incident is archived or not."""

from datetime import timedelta

from builders import NOW

from incidents import keys
from incidents.archive import is_archive
from incidents.store.archive import Kept, sweep
from receiver.api import ROUTES

KEPT = Kept(plain=timedelta(days=7), whole=timedelta(days=400))
OF_INCIDENT = [route.path for route in ROUTES if route.method == "GET" and "{incident_id}" in route.path]


def archived(links, name) -> None:
    """Archive an incident; who looked at it does not count."""
    with links.borrow() as link:
        link.one("DEL", keys.incident_awake(name))
        assert sweep(link, 0, KEPT, NOW + timedelta(days=30)).archived == (name,)
        assert is_archive(link.one("GET", keys.incident(name)))


def test_api_answers_the_same_of_an_archived_incident(api, links, declare, clock):
    """Whoever reads an archived incident first through any call gets what there was before it was archived."""
    name = declare().id
    for what, body in (
        ("acknowledge", {"note": "on it"}),
        ("notes", {"text": "the disk is full"}),
        ("actions", {"kind": "rollback", "text": "back to 41"}),
        ("resolve", {"override": "over"}),
    ):
        assert api.post(f"incidents/{name}/{what}", body).status_code == 200
        clock.advance(minutes=1)
    with links.borrow() as link:
        (pointer,) = link.one("KEYS", keys.identity("*"))
        link.one("DEL", pointer)
    clock.advance(days=30)
    paths = [path.replace("{incident_id}", name).removeprefix("/") for path in OF_INCIDENT]
    assert len(paths) > 5
    before = {path: (answer.status_code, answer.data) for path in paths for answer in [api.get(path, who="ada")]}
    listed = api.get("incidents").data
    archived(links, name)
    assert api.get("incidents").data == listed
    for path in paths:
        answer = api.get(path, who="ada")
        assert (path, answer.status_code, answer.data) == (path, *before[path])
        archived(links, name)
    assert api.post(f"incidents/{name}/reopen").json["status"] == "declared"

"""Incidents over the API: the list, one, its timeline, declaring."""

import pytest

from incidents.errors import StoreUnavailable


def test_api_incidents_lists_newest_first_with_a_cursor(api, declare):
    """Pages follow each other without a gap or a repeat, also while incidents are declared meanwhile."""
    ids = [declare(f"s{number}").id for number in range(5)]
    first = api.get("incidents?limit=2").json
    declare("later")
    second = api.get(f"incidents?limit=2&after={first['next']}").json
    third = api.get(f"incidents?limit=2&after={second['next']}").json
    shown = [each["id"] for page in (first, second, third) for each in page["incidents"]]
    assert shown == ids[::-1]
    assert third["next"] is None


def test_api_incidents_filters_by_status_and_severity(api, declare):
    """Several statuses may be given, `open` stands for three, and filters hold together."""
    ids = [declare(f"s{number}", severity=f"SEV{number}").id for number in range(1, 5)]
    api.post(f"incidents/{ids[0]}/acknowledge")
    api.post(f"incidents/{ids[1]}/dismiss", {"reason": "a drill"})
    api.post(f"incidents/{ids[2]}/resolve")

    def found(query):
        return [each["id"] for each in api.get(f"incidents?{query}").json["incidents"]]

    assert found("status=acknowledged") == [ids[0]]
    assert found("status=dismissed") == [ids[1]]
    assert found("status=open") == [ids[3], ids[0]]
    assert found("status=open,resolved") == [ids[3], ids[2], ids[0]]
    assert found("status=declared&status=dismissed") == [ids[3], ids[1]]
    assert found("severity=SEV1,SEV2") == [ids[1], ids[0]]
    assert found("severity=SEV1&status=resolved") == []


@pytest.mark.parametrize("query", ["status=open", "status=dismissed,resolved", "severity=SEV2", ""])
def test_api_incidents_filters_keep_their_cursor(api, declare, query):
    """A filtered list, paged one by one, is the same list."""
    ids = [declare(f"s{number}").id for number in range(6)]
    for each in ids[::2]:
        api.post(f"incidents/{each}/resolve")
    whole = [each["id"] for each in api.get(f"incidents?{query}").json["incidents"]]
    shown, after = [], ""
    while after is not None:
        page = api.get(f"incidents?limit=1&{query}&after={after}").json
        shown += [each["id"] for each in page["incidents"]]
        after = page["next"]
    assert shown == whole
    assert whole


@pytest.mark.parametrize(
    ("query", "parameter", "says"),
    [
        ("status=opne", "status", "did you mean 'open'?"),
        ("status=x", "status", "There is declared"),
        ("severity=SEV9", "severity", "did you mean"),
        ("limit=0", "limit", "whole number"),
        ("limit=-1", "limit", "whole number"),
        ("limit=ten", "limit", "whole number"),
        ("limit=1&limit=2", "limit", "2 times"),
        ("limit=%D9%A3", "limit", "whole number"),
        ("statsu=open", "statsu", "did you mean 'status'?"),
        ("after=INC-2026-9999", None, "not a cursor"),
        ("after=nonsense&status=open", None, "not a cursor"),
    ],
)
def test_api_incidents_names_a_wrong_parameter(api, declare, query, parameter, says):
    """A mistake in the query is 400 with the parameter and what there is instead."""
    declare()
    answer = api.get(f"incidents?{query}")
    assert answer.status_code == 400
    assert answer.json.get("parameter") == parameter
    assert says in answer.json["detail"] + answer.json.get("hint", "")


def test_api_incidents_takes_a_large_limit_as_the_largest(api, declare):
    """More than 200 at once are never answered."""
    for number in range(203):
        declare(f"s{number}")
    page = api.get("incidents?limit=100000").json
    assert len(page["incidents"]) == 200
    assert page["next"] is not None


def test_api_incident_shows_one_with_its_version(api, declare):
    """The answer is as documented, and its ETag is the version."""
    incident = declare()
    answer = api.get(f"incidents/{incident.id}")
    assert answer.status_code == 200
    assert answer.json["id"] == incident.id
    assert answer.json["declared_at"] == "2026-01-05T09:00:00.000Z"
    assert answer.json["alerts"] == {"firing": 0, "resolved": 0}
    assert answer.json["roles"]["incident_commander"] == "amira"
    assert answer.headers["ETag"] == f'"{incident.version}"'


@pytest.mark.parametrize(
    "name",
    [
        "INC-2026-0002",
        "INC-2026-0001:timeline",
        "inc-2026-0001",
        "x",
        "INC--1",
        "INC-2026-0001%0Ax",
        "%00",
        "%F0%9F%92%A3",
    ],
)
def test_api_incident_unknown_is_404(api, declare, name):
    """What is no id of an incident names nothing, and reaches no key of the store."""
    declare()
    for path in (f"incidents/{name}", f"incidents/{name}/timeline", f"alerts?incident={name}"):
        assert api.get(path).status_code == 404, path
    assert api.post(f"incidents/{name}/acknowledge").status_code == 404


def test_api_declare_answers_the_incident(api):
    """Declaring is 201 with the incident and where it is; the actor is the token, whatever the title says."""
    body = {"title": "Orders are lost", "severity": "SEV1", "identity": {"service": "db"}, "summary": "Since nine"}
    answer = api.post("incidents", body)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/incidents/{answer.json['id']}"
    assert (answer.json["rule"], answer.json["criterion"]) == (None, "other")
    assert answer.json["status"] == "declared"
    shown = api.get(f"incidents/{answer.json['id']}").json
    assert shown == answer.json
    entry = api.get(f"incidents/{answer.json['id']}/timeline").json["entries"][0]
    assert (entry["kind"], entry["actor"]) == ("incident_declared", "amira")


def test_api_declare_twice_is_409(api):
    """An identity has at most one open incident, in whatever order its labels come; the second is told which."""
    first = api.post("incidents", {"title": "a", "severity": "SEV2", "identity": {"service": "db", "zone": "1"}})
    second = api.post(
        "incidents", {"title": "b", "severity": "SEV1", "identity": {"zone": "1", "service": "db"}}, who="bo"
    )
    assert second.status_code == 409
    assert second.json["incident"] == first.json["id"]
    assert first.json["id"] in second.json["detail"]


def test_api_declare_without_identity_meets_by_title(api):
    """Two people who declare the same by hand meet; another title is another incident."""
    for identity in ({}, {"identity": {}}, {"identity": None}):
        answer = api.post("incidents", {"title": "Mail is down", "severity": "SEV3"} | identity)
        assert answer.status_code in {201, 409}
    assert answer.status_code == 409
    other = api.post("incidents", {"title": "Chat is down", "severity": "SEV3"})
    assert other.status_code == 201
    assert other.json["identity"] == {"title": "Chat is down"}


@pytest.mark.parametrize(
    ("body", "pointer", "says"),
    [
        ({"severity": "SEV1"}, "/title", "missing"),
        ({"title": "x"}, "/severity", "missing"),
        ({"title": "x", "severity": "SEV9"}, "/severity", "SEV1, SEV2, SEV3, SEV4"),
        ({"title": "x", "severity": "critical"}, "/severity", "SEV1, SEV2, SEV3, SEV4"),
        ({"title": "x", "severity": 1}, "/severity", "has to be text, and is a whole number"),
        ({"title": 5, "severity": "SEV1"}, "/title", "has to be text"),
        ({"title": "", "severity": "SEV1"}, "/title", "/title is empty."),
        ({"title": " \u202e\t", "severity": "SEV1"}, "/title", "empty"),
        ({"title": "x" * 301, "severity": "SEV1"}, "/title", "more than 300 characters"),
        ({"title": "x", "severity": "SEV1", "sumary": ""}, "/sumary", "did you mean 'summary'?"),
        ({"title": "x", "severity": "SEV1", "actor": "root"}, "/actor", "This call takes"),
        ({"title": "x", "severity": "SEV1", "a/b": 1}, "/a~1b", "This call takes"),
        ({"title": "x", "severity": "SEV1", "identity": []}, "/identity", "has to be an object or null, and is a list"),
        ({"title": "x", "severity": "SEV1", "identity": {"a": 1}}, "/identity", "has to be text"),
        ({"title": "x", "severity": "SEV1", "identity": {"a": ""}}, "/identity", "A value in /identity is empty."),
        ({"title": "x", "severity": "SEV1", "identity": {"a": " "}}, "/identity", "control characters"),
        ({"title": "x", "severity": "SEV1", "identity": {"": "a"}}, "/identity", "A name in /identity is empty."),
        ({"title": "x", "severity": "SEV1", "identity": {"a\nb": "c"}}, "/identity", "control characters"),
        ({"title": "x", "severity": "SEV1", "identity": {"a": "\u202eb"}}, "/identity", "control characters"),
        ({"title": "x", "severity": "SEV1", "identity": {"a": "b" * 1025}}, "/identity", "more than 1,024 characters"),
        ({"title": "x", "severity": "SEV1", "identity": {"a" * 129: "b"}}, "/identity", "more than 128 characters"),
        (
            {"title": "x", "severity": "SEV1", "identity": {str(n): "x" for n in range(33)}},
            "/identity",
            "more than 32 entries",
        ),
        ([], "", "The body has to be an object, and is a list."),
        (None, "/title", "missing"),
    ],
)
def test_api_declare_names_what_does_not_fit(api, body, pointer, says):
    """A body that does not fit is 422 with the place and what would fit."""
    answer = api.post("incidents", body)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert answer.json["pointer"] == pointer
    assert says in answer.json["detail"] + answer.json.get("hint", "")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"title": "\\ud800", "severity": "SEV1"}',
        b"[" * 100_000,
        b"nul",
        b'{"a":1}}',
        b'{"title": NaN}',
    ],
)
def test_api_declare_refuses_what_is_no_json(api, body):
    """What cannot be read as JSON is 400 with the byte, or 422 where it is no object; never more."""
    answer = api.post("incidents", body)
    assert answer.status_code in {400, 422}
    assert answer.status_code == 400 or body.startswith((b"[", b'{"a"'))


def test_api_declare_makes_titles_fit_to_show(api):
    """Line breaks, control characters and turns of direction are taken out of titles; text stays."""
    answer = api.post("incidents", {"title": " Pay\u202ement\r\n\x00 is\tdown 💥 ", "severity": "SEV3"})
    assert answer.json["title"] == "Payment is down 💥"


def test_api_declare_shows_html_and_templates_as_they_are(api):
    """Text is data: nothing in it is evaluated."""
    title = "<script>{{ config }}</script> {% for %} \N{GREEK SMALL LETTER ALPHA}"
    assert api.post("incidents", {"title": title, "severity": "SEV3"}).json["title"] == title


def test_api_timeline_pages_and_filters(api, declare):
    """Entries come oldest first with their ids, `after` goes on behind one, `kind` picks one or several."""
    incident = declare()
    for number in range(5):
        api.post(f"incidents/{incident.id}/notes", {"text": f"note {number}"})
    whole = api.get(f"incidents/{incident.id}/timeline").json
    assert whole["next"] is None
    assert [entry["text"] for entry in whole["entries"]][-1] == "note 4"
    notes = api.get(f"incidents/{incident.id}/timeline?kind=note&limit=2").json
    assert [entry["text"] for entry in notes["entries"]] == ["note 0", "note 1"]
    more = api.get(f"incidents/{incident.id}/timeline?kind=note,acknowledged&limit=3&after={notes['next']}").json
    assert [entry["text"] for entry in more["entries"]] == ["note 2", "note 3", "note 4"]
    assert more["next"] is None
    shown, after = [], ""
    while after is not None:
        page = api.get(f"incidents/{incident.id}/timeline?limit=1&after={after}").json
        shown += page["entries"]
        after = page["next"]
    assert shown == whole["entries"]


@pytest.mark.parametrize("after", ["x", "-", "1-2-3", "18446744073709551615-18446744073709551615", "1-", "(1-1", "+"])
def test_api_timeline_refuses_a_cursor_that_is_none(api, declare, after):
    """A cursor that cannot be an id of an entry is 400."""
    answer = api.get(f"incidents/{declare().id}/timeline", query_string={"after": after})
    assert answer.status_code == 400


def test_api_timeline_names_an_unknown_kind(api, declare):
    """A kind that is not in the closed list is 400 with the nearest."""
    answer = api.get(f"incidents/{declare().id}/timeline?kind=notes")
    assert answer.status_code == 400
    assert "did you mean 'note'?" in answer.json["hint"]


@pytest.mark.parametrize(
    "path", ["incidents", "incidents/INC-2026-0001", "incidents/INC-2026-0001/timeline", "alerts", "quarantine"]
)
def test_api_answers_503_without_the_store(api, links, monkeypatch, path):
    """With the store away every read is 503 with Retry-After, never a traceback."""

    def away(*_, **__):
        raise StoreUnavailable("gone")

    with links.borrow() as link:
        monkeypatch.setattr(type(link), "ask", away)
    answer = api.get(path)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]


def test_api_location_is_no_address_of_the_caller(api):
    """What was declared is named by its path alone, whatever host the caller claims to speak to."""
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    made = api.post("incidents", {"title": "It burns", "severity": "SEV2"}, headers=headers)
    assert made.headers["Location"] == f"/api/v1/incidents/{made.json['id']}"
    assert "evil" not in made.text

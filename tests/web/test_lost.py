"""Addresses at which nothing is: a page for whoever reads, a problem for whatever computes."""

import pytest

PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_lost_people_get_a_page_with_a_way_back(amira, stranger):
    """With the menu for who is signed in, and without it for others; nothing of the address comes back."""
    answer = amira.get("/incidentz/<b>x", headers=PERSON)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "There is no such page." in answer.text
    assert 'href="/oncall"' in answer.text
    assert "<b>x" not in answer.text
    other = stranger.get("/incidentz", headers=PERSON)
    assert (other.status_code, other.mimetype, "/oncall" in other.text) == (404, "text/html", False)


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/webhooks/nothing", "/v2/nothing", "/-/nothing"])
def test_lost_programs_get_a_problem(stranger, path):
    """Whatever they say that they accept; and anywhere, who does not ask for a page."""
    assert stranger.get(path, headers=PERSON).mimetype == "application/problem+json"
    assert stranger.get("/nothing").mimetype == "application/problem+json"
    assert stranger.client.post("/nothing", headers=PERSON).mimetype == "application/problem+json"

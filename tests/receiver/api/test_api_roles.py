"""Roles, handover and unacknowledging over the API."""


def test_roles_are_given_and_taken(api, declare):
    """A role is given to a person and taken away; the answer is the incident."""
    path = f"incidents/{declare().id}/roles"
    given = api.post(path, {"role": "communications", "person": "bo"})
    assert (given.status_code, given.json["roles"]["communications"]) == (200, "bo")
    taken = api.post(path, {"role": "communications", "person": None})
    assert taken.json["roles"]["communications"] is None


def test_roles_are_for_people_who_are_known(api, declare):
    """An unknown person is refused with who there is; an unknown role, too."""
    path = f"incidents/{declare().id}/roles"
    refused = api.post(path, {"role": "communications", "person": "amirra"})
    assert refused.status_code == 422
    assert "there is amira, bo" in refused.json["detail"]
    assert "did you mean 'amira'?" in refused.json["hint"]
    assert api.post(path, {"role": "king", "person": "bo"}).status_code == 422
    assert api.post(path, {"role": "communications"}).status_code == 422


def test_roles_hand_the_command_over(api, declare):
    """The commander stays until the successor acknowledges; nobody hands over to themselves."""
    name = declare().id
    api.post(f"incidents/{name}/notes", {"text": "The disk is full"})
    asked = api.post(f"incidents/{name}/roles", {"role": "incident_commander", "person": "bo"})
    assert asked.json["roles"]["incident_commander"] == "amira"
    assert asked.json["note"] == "bo was asked to take over; amira commands until bo acknowledges."
    done = api.post(f"incidents/{name}/acknowledge", {}, who="bo")
    assert done.json["roles"]["incident_commander"] == "bo"
    refused = api.post(f"incidents/{name}/roles", {"role": "incident_commander", "person": "bo"})
    assert (refused.status_code, "commands it already" in refused.json["detail"]) == (409, True)


def test_unacknowledge_pages_again(api, declare):
    """An acknowledgement that is taken back lets the clock run again."""
    name = declare().id
    api.post(f"incidents/{name}/acknowledge", {})
    again = api.post(f"incidents/{name}/unacknowledge", {"note": "I must go"})
    assert (again.json["status"], again.json["acknowledged_at"]) == ("declared", None)
    assert again.json["next_page_at"] is not None

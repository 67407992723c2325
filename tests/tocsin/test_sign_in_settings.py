"""`sign_in` of the configuration: what is read, every mistake with its place, and what doctor finds of it."""

import json

import pytest
from openid_look_alike import CLIENT, SECRET, OpenIdLookAlike

from incidents.clock import utc_now
from tocsin.commands.doctor_checks import State
from tocsin.commands.doctor_sign_in import sign_in_check
from tocsin.config_file import load_settings
from tocsin.openid import provider_of
from tocsin.settings import ApiRole, ConfigurationError

WHOLE = "{issuer: https://id.example, client_id: tocsin, client_secret: s3cret, roles: {responder: [oncall]}}"


@pytest.fixture
def load(tmp_path):
    def load(sign_in):
        path = tmp_path / "tocsin.yml"
        path.write_text(f"external_url: https://tocsin.example/\nsign_in: {sign_in}\n")
        return load_settings(path, {})

    return load


def test_sign_in_settings_are_read(load, tmp_path):
    """Every key; the secret may lie in a file, and an issuer keeps the slash at its end."""
    (tmp_path / "secret").write_text("s3cret\n")
    found = load(
        "{issuer: https://id.example/, client_id: tocsin, client_secret_file: secret, groups_claim: roles,"
        " name_claim: email, roles: {admin: chiefs, viewer: [all, guests]}, scopes: [openid, groups]}"
    ).sign_in
    assert (found.issuer, found.client_id, found.client_secret.reveal()) == ("https://id.example/", "tocsin", "s3cret")
    assert (found.groups_claim, found.name_claim, found.scopes) == ("roles", "email", ("openid", "groups"))
    assert found.roles == {"chiefs": ApiRole.ADMIN, "all": ApiRole.VIEWER, "guests": ApiRole.VIEWER}


def test_sign_in_settings_have_defaults_and_lead_back_to_us(load):
    """The address that the provider has to know begins with `external_url`; without the key there is no provider."""
    settings = load(WHOLE)
    openid = provider_of(settings).openid
    assert openid.redirect == "https://tocsin.example/sso/callback"
    assert (openid.groups_claim, openid.name_claim, openid.scopes) == ("groups", "", ("openid", "profile", "email"))
    assert provider_of(load("")) is None


def test_sign_in_settings_show_no_secret(load):
    """Neither whole nor in part."""
    settings = load(WHOLE)
    assert "s3cret" not in repr(settings) + json.dumps(settings.redacted())


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("https://id.example", "http://id.example", "error[E315] issuer must begin with https://"),
        ("https://id.example", "https://id.example?x=1", "error[E315] issuer must begin with https://"),
        ("client_id: tocsin, ", "", "error[E203] sign_in needs 'client_id'"),
        ("client_secret: s3cret, ", "", "error[E312] sign_in needs 'client_secret'"),
        ("client_secret: s3cret", "client_secret: s3cret, client_secret_file: x", "error[E303] only one of"),
        ("client_secret", "client_secrets", "error[E202] sign_in has no key 'client_secrets'"),
        ("responder: [oncall]", "responders: [oncall]", "error[E202] roles has no key 'responders'"),
        ("{responder: [oncall]}", "{}", "error[E316] roles must name 1 to 200 groups"),
        ("[oncall]", "['']", "error[E316] roles must name 1 to 200 groups"),
        ("[oncall]", "[oncall], admin: [oncall]", "error[E316] the group 'oncall' has the roles"),
        ("issuer:", "scopes: [profile], issuer:", "error[E317] scopes must be words, and openid one of them"),
        ("issuer:", "scopes: [openid, 'a b'], issuer:", "error[E317] scopes must be words"),
    ],
)
def test_sign_in_settings_name_every_mistake(load, before, after, says):
    """With file, line and what to do; never the secret."""
    assert before in WHOLE
    with pytest.raises(ConfigurationError) as raised:
        load(WHOLE.replace(before, after))
    assert says in str(raised.value)
    assert "tocsin.yml:2:" in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_sign_in_is_looked_at_by_doctor(load):
    """Whether the provider answers, and which address of ours it has to know; else why not, and the mend."""
    look_alike = OpenIdLookAlike(utc_now)
    try:
        sign_in = (
            f"{{issuer: '{look_alike.issuer}', client_id: {CLIENT}, client_secret: '{SECRET}', roles: {{admin: a}}}}"
        )
        found = sign_in_check(provider_of(load(sign_in)))
        assert found.state is State.OK
        assert "https://tocsin.example/sso/callback" in found.found
        look_alike.described["issuer"] = "https://other.example"
        failed = sign_in_check(provider_of(load(sign_in)))
        assert failed.state is State.FAIL
        assert "is of the issuer 'https://other.example'" in failed.found
    finally:
        look_alike.close()

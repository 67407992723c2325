"""Reads how people sign in with a provider of OpenID Connect: who that is, what we are there, whose groups may what."""

from receiver.openid.addresses import is_safe_address
from rules.loading.fields import Fields
from tocsin.config_reading import Reading
from tocsin.config_secrets import read_secret
from tocsin.settings import GROUPS_CLAIM, SCOPES, ApiRole, SignInSettings

KEYS = ("issuer", "client_id", "client_secret", "client_secret_file", "groups_claim", "name_claim", "roles", "scopes")
MOST_GROUPS = 200
MAX_GROUP = 100


def read_sign_in(reading: Reading) -> SignInSettings | None:
    """Read how people sign in beside their tokens; None without it."""
    fields = reading.fields.fields("sign_in", what="sign_in", known=KEYS)
    if reading.fields.get("sign_in") is None or not fields.require("issuer", "client_id", "roles"):
        return None
    part = reading.part(fields)
    issuer, secret = _issuer(fields), read_secret(part, "client_secret")
    if not any(fields.get(key) is not None for key in ("client_secret", "client_secret_file")):
        fields.report("", "E312", "sign_in needs 'client_secret'", "the provider gives it to a confidential client")
    roles, client_id = _roles(part), fields.string("client_id", "")
    if secret is None or not issuer or not client_id:
        return None
    return SignInSettings(
        issuer=issuer,
        client_id=client_id,
        client_secret=secret,
        roles=roles,
        groups_claim=fields.string("groups_claim", "") or GROUPS_CLAIM,
        name_claim=fields.string("name_claim", ""),
        scopes=_scopes(fields),
    )


def _issuer(fields: Fields) -> str:
    """Read the issuer as it stands: a slash at its end is part of it."""
    issuer = fields.string("issuer", "")
    if issuer and (not is_safe_address(issuer) or "?" in issuer or "#" in issuer):
        hint = "as the provider spells it in its discovery document, without /.well-known"
        fields.report("issuer", "E315", "issuer must begin with https:// (http:// on this machine alone)", hint)
        return ""
    return issuer


def _roles(part: Reading) -> dict[str, ApiRole]:
    """Read which groups have which role; a group stands once, for else nobody sees at a glance what it may."""
    fields = part.fields.fields("roles", what="roles", known=tuple(ApiRole))
    found: dict[str, ApiRole] = {}
    for role in ApiRole:
        for group in fields.strings(role, (), single=True):
            if group in found:
                message = f"the group {group[:60]!r} has the roles {found[group]} and {role}"
                fields.report(role, "E316", message, "each role includes those below it: leave the higher one")
            found[group] = role
    if not 0 < len(found) <= MOST_GROUPS or not all(0 < len(group) <= MAX_GROUP for group in found):
        message = f"roles must name 1 to {MOST_GROUPS} groups, each of 1 to {MAX_GROUP} characters"
        part.fields.report("roles", "E316", message, "for example roles: {responder: [oncall]}")
    return found


def _scopes(fields: Fields) -> tuple[str, ...]:
    scopes = fields.strings("scopes", SCOPES)
    if "openid" not in scopes or any(not scope or " " in scope or not scope.isprintable() for scope in scopes):
        hint = "for example scopes: [openid, profile, email, groups]"
        fields.report("scopes", "E317", "scopes must be words, and openid one of them", hint)
    return scopes

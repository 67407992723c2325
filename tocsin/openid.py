"""Makes of the settings what the receiver and doctor need for single sign-on. It asks nobody."""

import importlib

from receiver.auth import ApiRole
from receiver.openid.model import CALLBACK, OpenId, SignIn
from tocsin.settings import Settings

# Imported where one is configured: the libraries below it cost each process 14 MiB.
PROVIDER = "receiver.openid.provider"


def provider_of(settings: Settings) -> SignIn | None:
    """Return the provider that people sign in with, None where they do not."""
    configured = settings.sign_in
    if configured is None:
        return None
    openid = OpenId(
        issuer=configured.issuer,
        client_id=configured.client_id,
        client_secret=configured.client_secret.reveal(),
        redirect=f"{settings.external_url}{CALLBACK}",
        roles={group: ApiRole(role.value) for group, role in configured.roles.items()},
        groups_claim=configured.groups_claim,
        name_claim=configured.name_claim,
        scopes=configured.scopes,
    )
    provider: SignIn = importlib.import_module(PROVIDER).Provider(openid)
    return provider

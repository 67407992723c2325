"""Makes of the settings what the receiver and doctor need for single sign-on. It asks nobody."""

from receiver.auth import ApiRole
from receiver.openid.model import CALLBACK, OpenId
from tocsin.settings import Settings


def openid_of(settings: Settings) -> OpenId | None:
    """Return the provider that people sign in with, None where they do not."""
    configured = settings.sign_in
    if configured is None:
        return None
    return OpenId(
        issuer=configured.issuer,
        client_id=configured.client_id,
        client_secret=configured.client_secret.reveal(),
        redirect=f"{settings.external_url}{CALLBACK}",
        roles={group: ApiRole(role.value) for group, role in configured.roles.items()},
        groups_claim=configured.groups_claim,
        name_claim=configured.name_claim,
        scopes=configured.scopes,
    )

"""What doctor makes of the provider that people sign in with, asked from this host."""

from receiver.openid.model import ProviderAway, SignIn
from tocsin.commands.doctor_checks import Check, fail, ok


def sign_in_check(provider: SignIn) -> Check:
    """Return whether the provider describes itself and publishes keys, as the receiver needs it to."""
    try:
        keys = provider.probe()
    except ProviderAway as error:
        mend = "mend sign_in in tocsin.yml, or the way there; API tokens and links of pages work without it"
        return fail("single sign-on", str(error), mend)
    openid, many = provider.openid, "s" if keys > 1 else ""
    found = f"{openid.issuer} answers, with {keys} key{many}; it has to know the address {openid.redirect}"
    return ok("single sign-on", found)

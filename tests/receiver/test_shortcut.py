"""The way past the framework answers as the framework does, and hands it everything but a 202."""

from receiver.shortcut import HEADERS, Shortcut


class Address:
    """Takes what says `good`."""

    def quickly(self, environ):
        return b"{}" if environ["wsgi.input"] == "good" else None


def framework(environ, start_response):
    """Stand for the framework."""
    start_response("400 BAD REQUEST", [])
    return [environ["PATH_INFO"].encode()]


def ask(path="/here", method="POST", body="good"):
    """Return status, headers and body of one answer."""
    told = []
    answer = Shortcut(framework, {"/here": Address()})(
        {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.input": body}, lambda *args: told.extend(args)
    )
    return told[0], dict(told[1]), b"".join(answer)


def test_shortcut_answers_what_is_taken():
    """A 202 bears the headers of every answer, and its length."""
    status, headers, body = ask()
    assert (status, body) == ("202 ACCEPTED", b"{}")
    assert headers == {**HEADERS, "Content-Type": "application/json", "Content-Length": "2"}


def test_shortcut_hands_on_everything_else():
    """What is refused, another method and another address are the framework's."""
    for other in ({"body": "bad"}, {"method": "GET"}, {"path": "/there"}):
        assert ask(**other)[0] == "400 BAD REQUEST"

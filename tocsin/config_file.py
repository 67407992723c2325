"""Reads `tocsin.yml` and the `TOCSIN_` variables into settings; every error of both is found in one run.

A variable stands for the top-level key of the same name and wins over the file. Relative paths are taken from the
directory of the file, those of variables from the working directory.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from rules.loading.fields import Fields
from rules.loading.mends import did_you_mean
from rules.loading.nodes import Kind, Node, Problem
from rules.loading.yaml import MAX_BYTES, read_yaml
from tocsin.config_parts import read_alertmanagers, read_api_tokens, read_listen, read_prometheus, read_sources
from tocsin.config_reading import Reading
from tocsin.config_secrets import read_secret
from tocsin.config_sign_in import read_sign_in
from tocsin.secret import Secret
from tocsin.settings import STALE_AFTER, ConfigurationError, Durability, Listen, Retention, Settings

DEFAULT_FILE = "tocsin.yml"
DEFAULT_RULES = "rules.d"
PACK = "pack:"
STORE_SCHEMES = ("redis", "rediss", "unix")

KEYS = (
    "listen", "external_url", "data_dir", "redis_url", "redis_url_file", "rules", "durability", "sources", "api_tokens",
    "sign_in", "prometheus", "alertmanagers", "stale_after", "retention", "heartbeat_url", "heartbeat_url_file",
    "allow_volatile", "deny_private_urls",
)  # fmt: skip

# Variables that stand for a key of the file.
VARIABLES = {
    "TOCSIN_LISTEN": "listen",
    "TOCSIN_EXTERNAL_URL": "external_url",
    "TOCSIN_DATA_DIR": "data_dir",
    "TOCSIN_REDIS_URL": "redis_url",
    "TOCSIN_REDIS_URL_FILE": "redis_url_file",
    "TOCSIN_RULES": "rules",
    "TOCSIN_DURABILITY": "durability",
}
# Known, but read elsewhere: where the file is, and the token of the command line.
_OTHER_VARIABLES = ("TOCSIN_CONFIG", "TOCSIN_TOKEN")
# Kubernetes sets these in every container of a namespace that has a service named "tocsin".
_SERVICE_LINKS = re.compile(r"TOCSIN_([A-Z0-9_]+_)?(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT(_\d+_[A-Z0-9_]+)?)")


def load_settings(config_path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the configuration; raises ConfigurationError with every problem of the file and the variables at once.

    The file is `config_path`, else `TOCSIN_CONFIG`, else `./tocsin.yml` if there is one.
    """
    problems: list[Problem] = []
    path = find_file(config_path, environ)
    root = _read_file(path, problems) if path else Node(kind=Kind.NULL, file=DEFAULT_FILE, line=0, column=0)
    _apply_variables(root, environ, problems)
    fields = Fields(root, problems, what=DEFAULT_FILE, known=KEYS)
    base = path.absolute().parent if path else Path.cwd()
    settings = _settings(Reading(fields, problems, base), path)
    errors = tuple(problem for problem in problems if problem.severity == "error")
    if errors:
        raise ConfigurationError(
            tuple(sorted(problems, key=lambda problem: (problem.line == 0, problem.line, problem.column)))
        )
    return settings


def find_file(config_path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the configuration file that is in force, or None when there is none."""
    if config_path is not None:
        return config_path
    if named := environ.get("TOCSIN_CONFIG"):
        return Path(named)
    default = Path(DEFAULT_FILE)
    return default if default.exists() else None


def _read_file(path: Path, problems: list[Problem]) -> Node:
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        hint = "write one with `tocsin init`" if isinstance(error, FileNotFoundError) else ""
        message = f"the configuration file cannot be read: {error.strerror}"
        problems.append(Problem(file=name, code="E301", message=message, hint=hint))
        return Node(kind=Kind.INVALID, file=name, line=1, column=1)
    return read_yaml(data, name, problems)


def _apply_variables(root: Node, environ: Mapping[str, str], problems: list[Problem]) -> None:
    """Put the variables in the place of the keys that they stand for; an empty variable counts as not set."""
    for name in sorted(environ):
        text = environ[name]
        if name in VARIABLES and text:
            key = VARIABLES[name]
            for twin in (key.removesuffix("_file"), f"{key.removesuffix('_file')}_file"):
                if (present := root.entries.get(twin)) is not None and present.line:
                    del root.entries[twin]
            root.entries[key] = _variable(name, text)
        elif _is_unknown(name):
            known = (*VARIABLES, *_OTHER_VARIABLES)
            hint = did_you_mean(name, known) or "known: " + ", ".join(sorted(known))
            problems.append(Problem(file=name, code="E302", message="there is no such variable", hint=hint))


def _is_unknown(name: str) -> bool:
    known = name in VARIABLES or name in _OTHER_VARIABLES
    return name.startswith("TOCSIN_") and not known and _SERVICE_LINKS.fullmatch(name) is None


def _variable(name: str, text: str) -> Node:
    if name == "TOCSIN_RULES":
        items = [_variable("", part) for part in split_rules(text)]
        return Node(kind=Kind.LIST, file=name, line=0, column=0, items=items)
    return Node(kind=Kind.STRING, file=name, line=0, column=0, text=text, value=text)


def split_rules(text: str) -> Iterator[str]:
    """Split a colon-separated list of paths; the colon of `pack:NAME` does not separate."""
    parts = iter(text.split(":"))
    for part in parts:
        if part == PACK.removesuffix(":"):
            yield PACK + next(parts, "")
        elif part:
            yield part


def _settings(reading: Reading, path: Path | None) -> Settings:
    fields = reading.fields
    listen = read_listen(fields) or Listen("127.0.0.1", 9095)
    sources = read_sources(reading)
    return Settings(
        listen=listen,
        external_url=_external_url(reading, listen),
        data_dir=reading.path("data_dir", "data"),
        redis_url=_redis_url(reading),
        rules=_rules(reading),
        durability=Durability(fields.choice("durability", tuple(Durability), Durability.EVERYSEC)),
        sources=sources,
        api_tokens=read_api_tokens(reading),
        sign_in=read_sign_in(reading),
        prometheus=read_prometheus(reading),
        alertmanagers=read_alertmanagers(reading, sources),
        stale_after=reading.positive_duration("stale_after", STALE_AFTER),
        retention=_retention(reading),
        heartbeat_url=_heartbeat_url(reading),
        allow_volatile=fields.boolean("allow_volatile", default=False),
        deny_private_urls=fields.boolean("deny_private_urls", default=False),
        config_path=path.absolute() if path else None,
        warnings=tuple(reading.problems),
    )


def _external_url(reading: Reading, listen: Listen) -> str:
    url = reading.url("external_url")
    if url is not None:
        return url
    host = "127.0.0.1" if listen.host in {"", "0.0.0.0", "::"} else listen.host  # noqa: S104 - compared, not bound
    if host != listen.host:
        message = "tocsin listens on every interface, but links in pages will point to 127.0.0.1"
        hint = "set external_url to the address by which people reach it"
        reading.fields.report("listen", "W301", message, hint, severity="warning")
    return f"http://{Listen(host, listen.port)}"


def _redis_url(reading: Reading) -> Secret | None:
    url = read_secret(reading, "redis_url")
    if url is None:
        return None
    scheme, separator, rest = url.reveal().partition("://")
    if scheme not in STORE_SCHEMES or not separator or not rest:
        message = "redis_url must begin with redis://, rediss:// or unix://"
        reading.fields.report("redis_url", "E307", message, "for example redis://127.0.0.1:6379/0")
        return None
    return url


def _heartbeat_url(reading: Reading) -> Secret | None:
    url = read_secret(reading, "heartbeat_url")
    if url is None or reading.is_web_address("heartbeat_url", url.reveal()):
        return url
    return None


def _retention(reading: Reading) -> Retention:
    fields = reading.fields.fields("retention", what="retention", known=("incidents", "archive", "journal"))
    part = Reading(fields, reading.problems, reading.base)
    standard = Retention()
    return Retention(
        incidents=part.positive_duration("incidents", standard.incidents),
        archive=part.positive_duration("archive", standard.archive),
        journal=part.positive_duration("journal", standard.journal),
    )


def _rules(reading: Reading) -> tuple[str, ...]:
    """Return files, directories and packs; without the key, `rules.d` if it is there (else the shipped pack alone)."""
    named = reading.fields.strings("rules", None)
    if named is None:
        standard = reading.base / DEFAULT_RULES
        return (str(standard),) if standard.is_dir() else ()
    node = reading.fields.get("rules")
    return tuple(text if text.startswith(PACK) else str(reading.absolute(node, text)) for text in named)

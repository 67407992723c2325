"""Asks a Redis or Valkey whether it would keep what it is given; refuses nothing itself."""

from typing import Any, NamedTuple

from redis import Redis
from redis.exceptions import RedisError, ResponseError

from incidents.errors import StoreUnavailable
from incidents.store.connection import client_for

OLDEST = (6, 2)


class Examination(NamedTuple):
    """What stands against the store, each with its mend, and what could not be found out."""

    problems: list[str]
    warnings: list[str]


def is_answering(url: str) -> bool:
    """Tell whether the store answers and has finished loading."""
    client = client_for(url)
    try:
        return bool(client.ping())
    except (RedisError, OSError):
        return False
    finally:
        client.close()


def examine(client: Redis, *, durability: str = "everysec") -> Examination:
    """Ask the store all that can be asked; raises StoreUnavailable when it does not answer.

    `durability` is `everysec` or `fsync`, as configured.
    """
    try:
        info: dict[str, Any] = {}
        for section in ("server", "persistence", "memory", "replication", "cluster"):
            info |= client.info(section)
        fsync = _appendfsync(client)
    except (RedisError, OSError) as error:
        raise StoreUnavailable(f"the store does not answer: {error}") from error
    problems = [*_unusable(info), *_forgetful(info), *_slow_to_disk(fsync, durability)]
    return Examination(problems, _unknown(info, fsync))


def _unusable(info: dict[str, Any]) -> list[str]:
    found = []
    version = str(info.get("redis_version", "0"))
    if _numbers(version) < OLDEST:
        found.append(f"Redis {version} is too old; use Redis 6.2 or later, or Valkey")
    if info.get("cluster_enabled"):
        found.append("it is a Redis Cluster, in which one commit cannot span keys; use a single primary")
    if info.get("role") not in {None, "master"}:
        found.append("it is a replica and takes no writes; point redis_url at the primary")
    return found


def _forgetful(info: dict[str, Any]) -> list[str]:
    found = []
    if info.get("aof_enabled") == 0:
        found.append("appendonly is off, so a restart forgets; set `appendonly yes` in its configuration")
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        found.append(f"maxmemory-policy {policy} deletes keys when memory is short; set `maxmemory-policy noeviction`")
    if info.get("aof_last_write_status", "ok") != "ok":
        found.append("its last write to the append-only file failed; look at its disk and its log")
    return found


def _slow_to_disk(fsync: str | None, durability: str) -> list[str]:
    if durability == "fsync" and fsync not in {None, "always"}:
        return [f"durability is fsync, but appendfsync is {fsync}; set `appendfsync always`, or `durability: everysec`"]
    if fsync == "no":
        return ["appendfsync is no, so that the kernel may keep half a minute in memory; set `appendfsync everysec`"]
    return []


def _unknown(info: dict[str, Any], fsync: str | None) -> list[str]:
    """Say what a managed Redis did not let us see."""
    found = [
        f"it does not tell {name}; make sure that {wanted}"
        for key, name, wanted in (
            ("aof_enabled", "whether its append-only file is on", "it is"),
            ("maxmemory_policy", "its maxmemory-policy", "it is noeviction"),
        )
        if key not in info
    ]
    if fsync is None:
        found.append("it does not let CONFIG be read; make sure that appendfsync is everysec (or always, for fsync)")
    return found


def _appendfsync(client: Redis) -> str | None:
    """Return the setting, or None where a managed Redis forbids to ask."""
    try:
        answer: dict[Any, Any] = client.config_get("appendfsync")
    except ResponseError:
        return None
    for value in answer.values():
        return value.decode() if isinstance(value, bytes) else str(value)
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())

"""What rules in shadow mode would have declared, kept by the decider's commit and read by the API.

Nothing is loaded for it: a script in the commit sees whether an event begins a would-be incident or belongs to one.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from incidents import keys
from incidents.clock import from_ms
from incidents.commit import FIRING_SCORE
from incidents.measures import Measures
from incidents.shadow import Shadowed, WouldBe
from incidents.snapshot import MEMBERS_LOADED
from incidents.store.bundle import with_data
from incidents.store.connection import Command, Links, checked

KEPT = 1000
KEPT_SECONDS = 90 * 86400

# KEYS none. ARGV in msgpack: now (ms), prefix of records, keys of the index and of the counters, name of the counter,
# how many are kept, for how many seconds, the events (id, member, rule, severity, criterion, identity, gap in ms,
# window), the score of what fires in a window, and how many of those are taken. The windows are written before.
SHADOW = """
local a = cmsgpack.unpack(ARGV[1])
local now, prefix, index = a[1], a[2], a[3]
local function take(record, member)
  if redis.call('SADD', record .. ':firing', member) == 1 then redis.call('HINCRBY', record, 'alerts', 1) end
end
for _, e in ipairs(a[8]) do
  local pointer = prefix .. e[1]
  local record = redis.call('GET', pointer)
  if e[3] == '' then
    if record and redis.call('SREM', record .. ':firing', e[2]) == 1 then redis.call('HSET', record, 'last_at', now) end
  elseif e[4] ~= '' or (record and redis.call('SCARD', record .. ':firing') > 0) then
    local last = record and redis.call('HGET', record, 'last_at')
    if not last or (redis.call('SCARD', record .. ':firing') == 0 and now - tonumber(last) > e[7]) then
      record = pointer .. ':' .. string.format('%.0f', now)
      redis.call('SET', pointer, record, 'EX', a[7])
      redis.call('HSET', record, 'rule', e[3], 'severity', e[4], 'criterion', e[5], 'identity', e[6], 'first_at', now)
      redis.call('ZADD', index, now, record)
      redis.call('HINCRBY', a[4], a[5] .. '|' .. e[3] .. '|' .. e[4], 1)
      local over = redis.call('ZRANGE', index, 0, -(a[6] + 1))
      if e[8] ~= '' then
        local counted = redis.call('ZRANGEBYSCORE', e[8], a[9], a[9], 'LIMIT', 0, a[10])
        for _, member in ipairs(counted) do take(record, member) end
      end
      for _, name in ipairs(over) do redis.call('DEL', name, name .. ':firing'); redis.call('ZREM', index, name) end
    end
    take(record, e[2])
    if e[4] ~= '' and e[4] < redis.call('HGET', record, 'severity') then
      redis.call('HSET', record, 'severity', e[4])
    end
    redis.call('HSET', record, 'last_at', now)
    redis.call('EXPIRE', pointer, a[7])
    redis.call('EXPIRE', record, a[7])
    redis.call('EXPIRE', record .. ':firing', a[7])
  end
end
"""


def shadow_commands(shadowed: Sequence[Shadowed], now_ms: int) -> list[Command]:
    """Return what notes events of rules in shadow mode, in their order."""
    if not shadowed:
        return []
    rows = [
        (each.id, each.member, each.rule, each.severity, each.criterion, _json(each.identity), each.gap_ms, each.window)
        for each in shadowed
    ]
    names = (keys.shadow(""), keys.shadows(), keys.counters(), Measures.SHADOW.value.name)
    return [with_data(SHADOW, (now_ms, *names, KEPT, KEPT_SECONDS, rows, FIRING_SCORE, MEMBERS_LOADED))]


def would_be(links: Links, since: datetime | None = None, limit: int = 50) -> list[WouldBe]:
    """Return what would have been declared, latest first; raises `StoreUnavailable`."""
    low = "-inf" if since is None else int(since.timestamp() * 1000)
    with links.borrow() as link:
        names = link.one("ZREVRANGEBYSCORE", keys.shadows(), "+inf", low, "LIMIT", 0, limit)
        asked: list[Command] = [("HGETALL", name) for name in names] + [("SCARD", name + b":firing") for name in names]
        replies = checked(link.ask(asked)) if asked else []
    found = []
    for flat, firing in zip(replies[: len(names)], replies[len(names) :], strict=True):
        fields = {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}
        if fields:
            found.append(_read(fields, int(firing)))
    return found


def _read(fields: dict[str, str], firing: int) -> WouldBe:
    return WouldBe(
        rule=fields["rule"],
        severity=fields["severity"],
        criterion=fields["criterion"],
        identity=msgspec.json.decode(fields["identity"], type=dict[str, str]),
        first_at=from_ms(float(fields["first_at"])),
        last_at=from_ms(float(fields["last_at"])),
        alerts=int(fields.get("alerts", 0)),
        firing=firing,
    )


def _json(identity: dict[str, str]) -> str:
    return msgspec.json.encode(identity).decode()

"""The Lua scripts of the store, each with what its KEYS and ARGV are; called by their SHA-1."""

import hashlib


def digest(script: str) -> str:
    """Return the name by which the store knows a loaded script."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


# KEYS lease, fence. ARGV owner, milliseconds. Answers the new fence, or -1 while somebody else decides.
ACQUIRE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return -1 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return redis.call('INCR', KEYS[2])
"""

# KEYS lease. ARGV owner, milliseconds. Answers 1 when it is still ours.
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""

# KEYS lease. ARGV the beginning of an owner's name. Answers 1 when the lease was theirs and is gone now.
RELEASE = """
local holder = redis.call('GET', KEYS[1])
if holder and string.sub(holder, 1, #ARGV[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""

# KEYS none. ARGV prefix of identity keys, prefix of incident keys, suffix of tallies, then groups of:
# `identity` or `id`, the name, how many fields of the tally follow, those fields.
# Answers for each group: the incident, then the fields; empty strings where there is none.
LOAD = """
local out, i = {}, 4
while i <= #ARGV do
  local kind, name, n = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  local id = name
  if kind == 'identity' then
    local pointer = redis.call('GET', ARGV[1] .. name)
    id = pointer and string.match(pointer, '^(.*):%d+$')
  end
  local group = {''}
  if id then
    group[1] = redis.call('GET', ARGV[2] .. id) or ''
    -- In slices: Lua's stack holds no more than some thousands of values at once.
    for from = 1, n, 1000 do
      local last = math.min(from + 999, n)
      local values = redis.call('HMGET', ARGV[2] .. id .. ARGV[3], unpack(ARGV, i + 2 + from, i + 2 + last))
      for j = from, last do group[j + 1] = values[j - from + 1] or '' end
    end
  end
  out[#out + 1] = group
  i = i + 3 + n
end
return out
"""

# KEYS pages due, owners. ARGV now, milliseconds of the claim, limit, prefix of page keys, owner, prefix of incident
# keys, what follows it for the tally, fields of the tally.
# Answers for each page claimed: page, attempt, whether the attempt before was never answered, index of the channel,
# attempts on it, its incident, tally of that. From here on this attempt counts as unanswered, until its result is
# recorded.
CLAIM = """
local out = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])) do
  local key = ARGV[4] .. id
  local page = redis.call('HMGET', key, 'page', 'unanswered', 'channel_index', 'channel_attempts')
  if page[1] then
    redis.call('ZADD', KEYS[1], tonumber(ARGV[1]) + tonumber(ARGV[2]), id)
    redis.call('HSET', KEYS[2], id, ARGV[5])
    local attempt = redis.call('HINCRBY', key, 'attempt', 1)
    redis.call('HSET', key, 'unanswered', '1')
    local incident = ARGV[6] .. cjson.decode(page[1]).incident_id
    local found, tally = redis.call('GET', incident), redis.call('HMGET', incident .. ARGV[7], unpack(ARGV, 8))
    out[#out + 1] = {page[1], attempt, page[2] or '0', page[3] or '0', page[4] or '0', found, tally}
  else
    redis.call('ZREM', KEYS[1], id)
    redis.call('HDEL', KEYS[2], id)
    redis.call('DEL', key)
  end
end
return out
"""

# KEYS pages due, owners. ARGV now, the beginning of a dead owner's name. Answers how many pages are due again.
UNCLAIM = """
local freed = 0
local owners = redis.call('HGETALL', KEYS[2])
for i = 1, #owners, 2 do
  if string.sub(owners[i + 1], 1, #ARGV[2]) == ARGV[2] then
    if redis.call('ZSCORE', KEYS[1], owners[i]) then redis.call('ZADD', KEYS[1], ARGV[1], owners[i]) end
    redis.call('HDEL', KEYS[2], owners[i])
    freed = freed + 1
  end
end
return freed
"""

# From here on they are sent as text: were one only named, a store that has forgotten it would refuse it alone in EXEC.

# KEYS none. ARGV groups of: how many words a command has, and its words. Answers the reply to each, refusals included.
# Within a transaction it must stand beside a plain command that a full store refuses: that refuses the whole.
BUNDLE = """
local out, i = {}, 1
while i <= #ARGV do
  local n = tonumber(ARGV[i])
  out[#out + 1] = redis.pcall(unpack(ARGV, i + 1, i + n))
  i = i + n + 1
end
return out
"""

# KEYS none. ARGV in msgpack: hash -> field -> by how much it grows.
GROW = """
for key, fields in pairs(cmsgpack.unpack(ARGV[1])) do
  for field, by in pairs(fields) do redis.call('HINCRBY', key, field, by) end
end
"""

# KEYS none. ARGV in msgpack: window -> scores of its members, the score up to which members leave it, and the
# milliseconds it is kept, 0 for ever.
MOVE = """
for key, window in pairs(cmsgpack.unpack(ARGV[1])) do
  for member, score in pairs(window[1]) do redis.call('ZADD', key, score, member) end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', window[2])
  if window[3] > 0 then redis.call('PEXPIRE', key, window[3]) else redis.call('PERSIST', key) end
end
"""

# KEYS none. ARGV in msgpack a list of: window, scores from which members count, members. Answers for each with the
# counts, then the score of each member or an empty string.
COUNT = """
local out = {}
for i, window in ipairs(cmsgpack.unpack(ARGV[1])) do
  local row = {}
  for j, since in ipairs(window[2]) do row[j] = redis.call('ZCOUNT', window[1], since, '+inf') end
  for _, member in ipairs(window[3]) do row[#row + 1] = redis.call('ZSCORE', window[1], member) or '' end
  out[i] = row
end
return out
"""

# KEYS none. ARGV in msgpack: pointers, the id of a closed incident, what they name from now on, and for how many
# milliseconds, 0 not at all. A pointer that names a later incident is left as it is.
LEAVE = """
local asked = cmsgpack.unpack(ARGV[1])
for _, key in ipairs(asked[1]) do
  local target = redis.call('GET', key)
  if target and string.match(target, '^(.*):%d+$') == asked[2] then
    if asked[4] > 0 then redis.call('SET', key, asked[3], 'PX', asked[4]) else redis.call('DEL', key) end
  end
end
"""

# KEYS none. ARGV in msgpack: pointers of merged incidents, their ids and that of the open incident that goes on in
# their place, and what they name from now on. A pointer that names a later incident is left as it is.
FOLLOW = """
local asked = cmsgpack.unpack(ARGV[1])
local ours = {}
for _, id in ipairs(asked[2]) do ours[id] = true end
for _, key in ipairs(asked[1]) do
  local target = redis.call('GET', key)
  if not target or ours[string.match(target, '^(.*):%d+$')] then redis.call('SET', key, asked[3]) end
end
"""

# KEYS none. ARGV in msgpack: timeline, tally, alerts and corrections of a merged incident, the same of the one that
# goes on, and the hash of alerts. Entries keep their ids, but for those of the same millisecond: these come after, and
# what both have stands there once. An alert of both is counted once. Nothing is taken away from the one that is merged.
JOIN = """
local asked = cmsgpack.unpack(ARGV[1])
local from, into, states = asked[1], asked[2], asked[3]
local function split(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return ms, tonumber(seq)
end
local theirs, here, moved, renamed = redis.call('XRANGE', into[1], '-', '+'), {}, {}, {}
for _, entry in ipairs(theirs) do
  local ms, seq = split(entry[1])
  local at = here[ms] or {seq, {}}
  at[1] = seq
  at[2][table.concat(entry[2], ' ')] = true
  here[ms] = at
end
for _, entry in ipairs(redis.call('XRANGE', from[1], '-', '+')) do
  local ms, seq = split(entry[1])
  local at = here[ms]
  if not at then
    moved[#moved + 1] = entry
  elseif not at[2][table.concat(entry[2], ' ')] then
    at[1] = at[1] + 1
    renamed[entry[1]] = ms .. '-' .. string.format('%d', at[1])
    moved[#moved + 1] = {renamed[entry[1]], entry[2]}
  end
end
local function before(one, other)
  local ms, seq = split(one[1])
  local other_ms, other_seq = split(other[1])
  if ms ~= other_ms then return tonumber(ms) < tonumber(other_ms) end
  return seq < other_seq
end
if #moved > 0 then
  redis.call('DEL', into[1])
  local i, j = 1, 1
  while i <= #theirs or j <= #moved do
    local entry
    if j > #moved or (i <= #theirs and before(theirs[i], moved[j])) then
      entry, i = theirs[i], i + 1
    else
      entry, j = moved[j], j + 1
    end
    redis.call('XADD', into[1], entry[1], unpack(entry[2]))
  end
end
local flat = redis.call('HGETALL', from[2])
for i = 1, #flat, 2 do
  if string.sub(flat[i], 1, 5) == 'fold:' then
    local known = tonumber(redis.call('HGET', into[2], flat[i]) or 0)
    if known < tonumber(flat[i + 1]) then redis.call('HSET', into[2], flat[i], flat[i + 1]) end
  end
end
local counts = {firing = 0, resolved = 0}
for _, name in ipairs(redis.call('SINTER', from[3], into[3])) do
  local state = redis.call('HGET', states, name)
  local status = state and cjson.decode(state).status or 'resolved'
  counts[status] = counts[status] - 1
end
for status, both in pairs(counts) do
  local sum = both + tonumber(redis.call('HGET', from[2], status) or 0)
  counts[status] = redis.call('HINCRBY', into[2], status, string.format('%d', sum))
end
local since = redis.call('HGET', from[2], 'clear_since')
local known = redis.call('HGET', into[2], 'clear_since')
if counts.firing > 0 then
  redis.call('HDEL', into[2], 'clear_since')
elseif since and (not known or tonumber(known) < tonumber(since)) then
  redis.call('HSET', into[2], 'clear_since', since)
end
redis.call('SUNIONSTORE', into[3], into[3], from[3])
for _, value in ipairs(redis.call('LRANGE', from[4], 0, -1)) do
  local correction = cjson.decode(value)
  correction.corrects = renamed[correction.corrects] or correction.corrects
  redis.call('RPUSH', into[4], cjson.encode(correction))
end
"""

ALL = (ACQUIRE, RENEW, RELEASE, LOAD, CLAIM, UNCLAIM)

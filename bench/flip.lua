-- Posts prepared webhooks in turn: every alert firing, every alert resolved, every alert firing again, and so on.
-- Arguments: file of bodies (firing and resolved in turn, a line each), token, seconds since the epoch at which the alerts
-- begin. Each thread has its own share of the alerts, so that the two states of an alert come in order.

local TIMES = "@TIMES@"
local THREADS = 2
local started = 0

function setup(thread)
  thread:set("number", started)
  started = started + 1
end

local function pieces_of(body, token)
  -- The times are filled in at each request; their length never changes.
  local filled = 2 * #"2026-01-01T00:00:00Z" + #'"startsAt":"","endsAt":""'
  local count = select(2, body:gsub(TIMES, ""))
  local length = #body + count * (filled - #TIMES)
  local head = "POST /webhooks/alertmanager HTTP/1.1\r\nHost: tocsin\r\nContent-Type: application/json\r\nAuthorization: Bearer "
    .. token .. "\r\nContent-Length: " .. length .. "\r\n\r\n"
  local pieces, from = {}, 1
  while true do
    local first, last = body:find(TIMES, from, true)
    pieces[#pieces + 1] = body:sub(from, (first or 0) - 1)
    if not first then break end
    from = last + 1
  end
  pieces[1] = head .. pieces[1]
  return pieces
end

function init(args)
  firing, resolved, at, pass, base = {}, {}, 0, 0, tonumber(args[3])
  local index, both = 0, {}
  for line in io.lines(args[1]) do
    both[#both + 1] = line
    if #both == 2 then
      if index % THREADS == number then
        firing[#firing + 1] = pieces_of(both[1], args[2])
        resolved[#resolved + 1] = pieces_of(both[2], args[2])
      end
      index, both = index + 1, {}
    end
  end
end

local function stamp(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", seconds)
end

function request()
  at = at + 1
  if at > #firing then at, pass = 1, pass + 1 end
  if pass % 2 == 0 then
    if at == 1 then times = '"startsAt":"' .. stamp(base + pass) .. '","endsAt":"0001-01-01T00:00:00Z"' end
    return table.concat(firing[at], times)
  end
  if at == 1 then times = '"startsAt":"' .. stamp(base + pass - 1) .. '","endsAt":"' .. stamp(base + pass) .. '"' end
  return table.concat(resolved[at], times)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"status_errors":%d,"socket_errors":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end

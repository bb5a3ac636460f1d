"""The scripts that count a quota inside Redis, by the clock of its server."""

from __future__ import annotations

from rmz_async._pacing.quota import MARGIN, MAX_CLOSURE, SPAN

__all__ = (
    "ANNOUNCE",
    "CHANGES",
    "FORGET",
    "LEARN",
    "LOOK",
    "PUT",
    "RELEASE",
    "RENEW",
    "RESERVE",
    "TAKE",
)

# Seconds until a process asks again, while others have not reported to a restarted server yet.
HEARING = 1.0

# KEYS: the times of the requests, and RMZ's figures. The time of a test replaces the server's.
_BEGIN = f"""
local sent, state, now = KEYS[1], KEYS[2], tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local function get(field, default)
  return tonumber(redis.call('HGET', state, field) or '') or default
end
local function put(...)
  redis.call('HSET', state, ...)
  redis.call('EXPIRE', state, {int(MAX_CLOSURE + 2 * SPAN)})
end
local function last(member)
  local number = 0
  while redis.call('ZSCORE', sent, member .. ':' .. number) do number = number + 1 end
  return number
end
local function add(at, member)
  redis.call('ZADD', sent, 'NX', string.format('%.6f', at), member)
  redis.call('EXPIRE', sent, {int(2 * SPAN)})
end
redis.call('ZREMRANGEBYSCORE', sent, '-inf', string.format('%.6f', now - {SPAN}))
"""

# ARGV: the time, the limit, how many go first, the member, the generation and the time of the last
# answer that the process has, the number of processes, the process, whether it names requests, and
# pairs of age and member of those that a restarted server may have lost.
RESERVE = (
    _BEGIN
    + f"""
local ahead, processes = tonumber(ARGV[3]), tonumber(ARGV[7])
local generation = redis.call('HGET', state, 'generation')
if not generation then
  local time = redis.call('TIME')
  generation = ARGV[4] .. ':' .. time[1] .. '.' .. time[2]
  put('generation', generation, 'born', string.format('%.6f', now))
end
redis.call('EXPIRE', state, {int(MAX_CLOSURE + 2 * SPAN)})
if ARGV[5] ~= '' and ARGV[5] ~= generation then
  if ARGV[9] == '' then return {{'', '', generation, '', {{}}}} end
  put('heals', 1)
end
for place = 10, #ARGV, 2 do add(now - tonumber(ARGV[place]), ARGV[place + 1]) end
local missing = 0
if now < get('born', -math.huge) + {SPAN} then
  if redis.call('HSETNX', state, 'heard:' .. ARGV[8], 1) == 1 then
    redis.call('HINCRBY', state, 'heard', 1)
  end
  if get('heals', 0) == 1 then missing = math.max(0, processes - get('heard', 0)) end
end
local left = get('left', math.huge)
local function wait_with(limit)
  local spans = math.floor(ahead / limit)
  local place = ahead % limit
  local wait = math.max(0, get('closed', -math.huge) - now)
  local oldest = redis.call('ZCARD', sent) + place - limit
  if oldest >= 0 then
    local entry = redis.call('ZRANGE', sent, oldest, oldest, 'WITHSCORES')
    if entry[2] then wait = math.max(wait, tonumber(entry[2]) + {SPAN} - now) end
  end
  if place >= left then wait = math.max(wait, get('left_until', now) - now) end
  return wait + spans * {SPAN}
end
local limit = math.min(tonumber(ARGV[2]), get('limit', math.huge))
local wait = wait_with(limit)
if missing > 0 then
  -- Each process that has not reported yet may have used its share.
  local rest = math.max(1, limit - math.floor(limit / processes) * missing)
  wait = math.max(wait, math.min({HEARING}, wait_with(rest)))
end
wait = math.ceil(wait * 1000000) / 1000000
local member = ''
if wait <= 0 and ahead == 0 then
  member = ARGV[4] .. ':' .. last(ARGV[4])
  add(now, member)
  if left < math.huge then put('left', left - 1) end
end
local seen = redis.call('ZRANGEBYSCORE', sent, ARGV[6], '+inf', 'WITHSCORES')
for place = 2, #seen, 2 do
  seen[place] = string.format('%.6f', now - tonumber(seen[place]))
end
return {{string.format('%.6f', wait), member, generation, string.format('%.6f', now), seen}}
"""
)

# ARGV: the time, the member.
FORGET = (
    _BEGIN
    + """
local number = last(ARGV[2])
if number == 0 then return 0 end
redis.call('ZREM', sent, ARGV[2] .. ':' .. (number - 1))
local left = get('left', math.huge)
if left < math.huge then put('left', math.min(left + 1, get('last', left + 1))) end
return 1
"""
)

# ARGV: the time, the limit, and RMZ's limit, remaining and seconds of closure; each may be empty.
LEARN = (
    _BEGIN
    + f"""
local mine = tonumber(ARGV[2])
local function figures()
  return math.min(mine, get('limit', math.huge)) .. ' ' .. get('left', 'none') .. ' '
    .. get('closed', 'none')
end
local function forget_window() redis.call('HDEL', state, 'first', 'last', 'left', 'left_until') end
local before = figures()
local limit, remaining, closed = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if limit and limit >= 1 then put('limit', limit) end
if closed then
  local ends = now + math.min(closed, {MAX_CLOSURE}) + {MARGIN}
  put('closed', string.format('%.6f', math.max(ends, get('closed', ends))))
  forget_window()
elseif remaining then
  if remaining <= get('first', -1) and now < get('left_until', -math.huge) then
    put('last', math.min(get('last', remaining), remaining))
    put('left', math.min(get('left', remaining), remaining))
  else
    forget_window()
    if remaining < math.min(mine, get('limit', math.huge)) - redis.call('ZCARD', sent) then
      put('first', remaining, 'last', remaining, 'left', remaining,
        'left_until', string.format('%.6f', now + {SPAN}))
    end
  end
end
return before ~= figures() and 1 or 0
"""
)

# KEYS: the fact. ARGV: the fact, milliseconds until it ends, and the moment at which RMZ was asked.
PUT = """
local known = redis.call('GET', KEYS[1])
if known then
  local ok, row = pcall(cjson.decode, known)
  if ok and type(row) == 'table' and (tonumber(row.at) or 0) > tonumber(ARGV[3]) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""

# KEYS: the changes. ARGV: a change, how many are kept, and seconds until they end.
ANNOUNCE = """
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'change', ARGV[1])
return redis.call('EXPIRE', KEYS[1], ARGV[3])
"""

# KEYS: the changes. ARGV: the mark. The answer is the next mark, and the changes.
CHANGES = """
local answer = {ARGV[1]}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+')) do
  answer[1] = entry[1]
  answer[#answer + 1] = entry[2][2]
end
return answer
"""

# Returns the number of subscribers of a channel; nil if the server refuses to say.
_LISTENERS = """
local function listeners(channel)
  local answer = redis.pcall('PUBSUB', 'NUMSUB', channel)
  return type(answer) == 'table' and answer[2] or nil
end
"""

# The value of a lease: its token, and the channel to which its process listens.
_LEASE = (
    _LISTENERS
    + """
local seen = ARGV[3] ~= '' and (listeners(ARGV[3]) or 0) > 0
local lease = ARGV[1] .. (seen and ARGV[3] or '')
"""
)

# A lease belongs to its token: the lease of a slow process may be another's by now.
_MINE = """
local value = redis.call('GET', KEYS[1]) or ''
if string.sub(value, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
"""

# KEYS: the lease. ARGV: the token, milliseconds, and the channel or nothing.
TAKE = (
    _LEASE
    + """
return redis.call('SET', KEYS[1], lease, 'NX', 'PX', ARGV[2]) and 1 or 0
"""
)

# Renews a lease. The answer is 0 if the lease is lost, 1 if it goes on, and 2 if the server also
# sees the process listen.
RENEW = (
    _MINE
    + _LEASE
    + """
redis.call('SET', KEYS[1], lease, 'PX', ARGV[2])
return seen and 2 or 1
"""
)

RELEASE = _MINE + "return redis.call('DEL', KEYS[1])"

# KEYS: the lease, the fact, and when it was doubted. ARGV: how long a token is. The answer: the
# milliseconds that are left of the lease, 0 if there is none; the fact, and its doubt.
LOOK = (
    _LISTENERS
    + """
local value, rest = redis.call('GET', KEYS[1]), 0
if value then
  local channel = string.sub(value, ARGV[1] + 1)
  if channel ~= '' and listeners(channel) == 0 then
    redis.call('DEL', KEYS[1])
  else
    rest = math.max(1, redis.call('PTTL', KEYS[1]))
  end
end
local known = redis.call('MGET', KEYS[2], KEYS[3])
return {rest, known[1], known[2]}
"""
)

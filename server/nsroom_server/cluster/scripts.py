"""The scripts that run inside Redis: each is one step, whatever fails before or after it.

| key | type | what |
|---|---|---|
| `nsroom:bus` | stream | the entries that all servers read |
| `nsroom:seq` | number | counts them |
| `nsroom:written` | number | the bytes of all that there ever were |
| `nsroom:marks` | list | the last entry of each mebibyte |
| `nsroom:servers` | sorted set | the servers, by the end of their leases |
| `nsroom:beat` | number | when somebody renewed a lease the last time |
| `nsroom:members:SERVER` | hash | a server's members, each with its nick |
| `nsroom:server:SERVER` | hash | the number of its last entry, and the results of its last call |
| `nsroom:ids` | hash | the last id in each room |
| `nsroom:floor` | number | the highest id of the forgotten rooms: new ones begin behind it |
| `nsroom:room:ROOM` | stream | its messages, by their ids |
| `nsroom:oldest` | sorted set | the rooms, by the time of the oldest message kept; -1 where none is |
| `nsroom:size` | number | about how many bytes messages and ids take |
| `nsroom:epoch` | text | changes when something was lost |
"""

BUS = "nsroom:bus"
SEPARATOR = "\x1e"
"""Between entries that are pushed together: neither printable names nor JSON hold it."""
ROOM = "nsroom:room:"
IDS = "nsroom:ids"
FLOOR = "nsroom:floor"

_FORGET = """
-- About what Redis takes for a message besides its body, for a room besides its name, and for a stream.
local MESSAGE, ROOM, STREAM, PIECE = 30, 200, 4000, 8
local grown = 0

-- Forget a room's messages, a few at most and none that is younger; tell how many. What takes no memory is
-- written first: it is allowed where Redis is full, and so is what comes after it.
local function forget(key, most, until_time)
    local stream = 'nsroom:room:' .. key
    local count = math.min(most, PIECE)
    local messages = redis.call('XRANGE', stream, '-', '+', 'COUNT', count + 1)
    local gone = 0
    while gone < count and messages[gone + 1] and tonumber(messages[gone + 1][2][4]) <= until_time do
        gone = gone + 1
        grown = grown - #messages[gone][2][2] - MESSAGE
    end
    local next = messages[gone + 1]
    if next then
        redis.call('XTRIM', stream, 'MINID', next[1])
    else
        grown = grown - redis.call('DEL', stream) * STREAM
    end
    redis.call('ZADD', 'nsroom:oldest', next and next[2][4] or -1, key)
    return gone
end
"""

SUBMIT = (
    _FORGET
    + """
local origin, fresh, confirmed, leaving = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == 'leaving'
local deadline, lease, grace = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local bus_length, bus_marks, room_length = ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10])
local channel = ARGV[11]
local MARK, LONGEST_PUSH = 1048576, 8192
local own = 'nsroom:server:' .. origin
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Redis came back without what it had confirmed: no number says anything any more.
local last = tonumber(redis.call('HGET', own, 'n') or 0)
if last < confirmed then
    redis.call('SET', 'nsroom:epoch', fresh)
    redis.call('HSET', own, 'n', confirmed)
    last = confirmed
end
redis.call('SET', 'nsroom:epoch', fresh, 'NX')

local written, last_entry, told = 0, nil, {}

local function tell(from, n, id, op, key, sid, data)
    local row = table.concat({redis.call('INCR', 'nsroom:seq'), from, n, id, op, key, sid, data}, '\\n')
    last_entry = redis.call('XADD', 'nsroom:bus', 'MAXLEN', '~', bus_length, '*', 'row', row)
    written = written + #row + MESSAGE
    told[#told + 1] = last_entry .. '\\n' .. row
end

-- A hundred thousand entries may be small or large: of the bus, no more is kept than so many mebibytes.
local function bound_bus()
    local total = redis.call('INCRBY', 'nsroom:written', written)
    if math.floor(total / MARK) > math.floor((total - written) / MARK) then
        redis.call('RPUSH', 'nsroom:marks', last_entry)
        if redis.call('LLEN', 'nsroom:marks') > bus_marks then
            redis.call('XTRIM', 'nsroom:bus', 'MINID', redis.call('LPOP', 'nsroom:marks'))
        end
    end
end

local function bury(server)
    redis.call('ZREM', 'nsroom:servers', server)
    redis.call('DEL', 'nsroom:members:' .. server)
    tell(server, 0, 0, 'g', '\\n', '', '')
end

-- When nobody could renew a lease, none has run out.
local before = tonumber(redis.call('GET', 'nsroom:beat') or now)
if now - before > grace then
    for _, server in ipairs(redis.call('ZRANGE', 'nsroom:servers', 0, -1)) do
        redis.call('ZADD', 'nsroom:servers', now + lease, server)
    end
end
redis.call('SET', 'nsroom:beat', now)
redis.call('ZADD', 'nsroom:servers', now + lease, origin)
for _, server in ipairs(redis.call('ZRANGEBYSCORE', 'nsroom:servers', '-inf', '(' .. now)) do
    bury(server)
end

local function keep(key, id, data)
    local stream = 'nsroom:room:' .. key
    redis.call('XADD', stream, id .. '-0', 'body', data, 'at', now)
    grown = grown + #data + MESSAGE
    local length = redis.call('XLEN', stream)
    if length == 1 then
        grown = grown + STREAM
        redis.call('ZADD', 'nsroom:oldest', now, key)
    elseif length > room_length then
        forget(key, length - room_length, math.huge)
    end
end

local act = {
    m = function(key, sid, data)
        local id = redis.call('HINCRBY', 'nsroom:ids', key, 1)
        if id == 1 then
            id = redis.call('HINCRBY', 'nsroom:ids', key, redis.call('GET', 'nsroom:floor') or 0)
            redis.call('ZADD', 'nsroom:oldest', -1, key)
            grown = grown + #key + ROOM
        end
        if room_length > 0 then
            keep(key, id, data)
        end
        return id
    end,
    e = function() return 0 end,
    q = function() return 0 end,
    r = function() return 0 end,
    w = function() return 0 end,
    j = function(key, sid, data)
        redis.call('HSET', 'nsroom:members:' .. origin, key .. '\\n' .. sid, data)
        return 0
    end,
    l = function(key, sid)
        redis.call('HDEL', 'nsroom:members:' .. origin, key .. '\\n' .. sid)
        return 0
    end,
}

-- A call whose answer was lost is made again: what it did is not done again.
local known = cjson.decode(redis.call('HGET', own, 'results') or '{}')
local results, answers = {}, {}
for at = 12, #ARGV, 6 do
    local n, lasting, op = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    local key, sid, data = ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
    local result
    if tonumber(n) <= last then
        result = known[n] or 'late'
    elseif lasting == '' and deadline > 0 and now > deadline then
        result = 'late'
    else
        result = tostring(act[op](key, sid, data))
        tell(origin, n, result, op, key, sid, data)
    end
    results[n] = result
    answers[#answers + 1] = result
    last = math.max(last, tonumber(n))
end
if #answers > 0 then
    redis.call('HSET', own, 'n', last, 'results', cjson.encode(results))
end
if grown ~= 0 then
    redis.call('INCRBY', 'nsroom:size', grown)
end
redis.call('EXPIRE', own, 86400)
if leaving then
    bury(origin)
    redis.call('DEL', own)
end
if written > 0 then
    bound_bus()
    -- What is pushed waits in Redis for each server that is slow: they are to come for what is long.
    local short = written <= LONGEST_PUSH
    redis.call('PUBLISH', channel, short and table.concat(told, '\\30') or last_entry .. '\\n')
end
local epoch, sequence = redis.call('GET', 'nsroom:epoch'), redis.call('GET', 'nsroom:seq') or '0'
return table.concat({epoch, now, sequence, redis.call('ZCARD', 'nsroom:servers'), unpack(answers)}, ' ')
"""
)
"""Do what is submitted, each entry once; renew the server's lease, and bury those whose lease has run out."""

TRIM = (
    _FORGET
    + """
local age, size, left = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local too_old = time[1] * 1000 + math.floor(time[2] / 1000) - age
local before = tonumber(redis.call('GET', 'nsroom:size') or 0)

while left > 0 do
    local key = redis.call('ZRANGEBYSCORE', 'nsroom:oldest', 0, too_old, 'LIMIT', 0, 1)[1]
    if not key then
        break
    end
    left = left - forget(key, left, too_old)
end

local function forget_room(key)
    local last = tonumber(redis.call('HGET', 'nsroom:ids', key) or 0)
    redis.call('HDEL', 'nsroom:ids', key)
    redis.call('ZREM', 'nsroom:oldest', key)
    redis.call('SET', 'nsroom:floor', math.max(last, tonumber(redis.call('GET', 'nsroom:floor') or 0)))
    grown = grown - #key - ROOM
    return 1
end

while left > 0 and before + grown > size do
    local oldest = redis.call('ZRANGE', 'nsroom:oldest', 0, 1, 'WITHSCORES')
    if not oldest[1] then
        break
    end
    local forgotten = tonumber(oldest[2]) < 0 and forget_room(oldest[1])
        or forget(oldest[1], left, tonumber(oldest[4] or math.huge))
    left = left - forgotten
end

if grown ~= 0 then
    redis.call('INCRBY', 'nsroom:size', grown)
end
return left <= 0 and 1 or 0
"""
)
"""Forget some of what is too old or too much; tell whether there may be more of it."""

SNAPSHOT = """
local last = redis.call('XREVRANGE', 'nsroom:bus', '+', '-', 'COUNT', 1)[1]
local reply = {last and last[1] or '0-0', redis.call('GET', 'nsroom:seq') or '0'}
for _, server in ipairs(redis.call('ZRANGE', 'nsroom:servers', 0, -1)) do
    local members = redis.call('HGETALL', 'nsroom:members:' .. server)
    for at = 1, #members, 2 do
        reply[#reply + 1] = server
        reply[#reply + 1] = members[at]
        reply[#reply + 1] = members[at + 1]
    end
end
return reply
"""
"""Give who is where, and the moment of the bus at which that is so."""

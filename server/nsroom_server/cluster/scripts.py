"""The Lua scripts that run inside Redis, each as one atomic step.

| key | type | contents |
|---|---|---|
| `nsroom:bus` | stream | the entries that all servers read, one field `row` each |
| `nsroom:seq` | number | the number of the last entry |
| `nsroom:written` | number | the bytes of all entries so far |
| `nsroom:marks` | list | the position of the last entry of each mebibyte |
| `nsroom:servers` | sorted set | the servers, by the ends of their leases |
| `nsroom:beat` | number | when any server last renewed its lease |
| `nsroom:members:SERVER` | hash | the members of a server's rooms, with their nicks |
| `nsroom:server:SERVER` | hash | the number of its last submission, and the results of its last call |
| `nsroom:ids` | hash | the id of each room's last message |
| `nsroom:floor` | number | the highest id of the deleted rooms: the ids of new rooms start after it |
| `nsroom:room:ROOM` | stream | a room's stored messages, by id |
| `nsroom:oldest` | sorted set | the rooms, by the time of the oldest stored message, or -1 |
| `nsroom:age-clock` | number | the time by which messages age: it follows Redis' clock at a bounded speed |
| `nsroom:size` | number | the approximate number of bytes of messages and ids |
| `nsroom:epoch` | text | changes when data was lost |
"""

BUS = "nsroom:bus"
SEPARATOR = "\x1e"
"""Separates entries that are pushed together; neither printable names nor JSON contain it."""
ROOM = "nsroom:room:"
SEQUENCE = "nsroom:seq"
SERVER = "nsroom:server:"
IDS = "nsroom:ids"
FLOOR = "nsroom:floor"

_DELETE_MESSAGES = """
-- The approximate overhead in bytes of a message, of a room and of a stream.
local MESSAGE, ROOM, STREAM = 30, 200, 4000
local MAX_DELETED = 8
local growth = 0

-- Delete a room's oldest messages, up to `most` and up to a time, and return their number. Commands that need
-- no memory come first: a full Redis allows them, and then all others of the same script.
local function delete_messages(key, most, until_time)
    local stream = 'nsroom:room:' .. key
    local count = math.min(most, MAX_DELETED)
    local messages = redis.call('XRANGE', stream, '-', '+', 'COUNT', count + 1)
    local deleted = 0
    while deleted < count and messages[deleted + 1] and tonumber(messages[deleted + 1][2][4]) <= until_time do
        deleted = deleted + 1
        growth = growth - #messages[deleted][2][2] - MESSAGE
    end
    local next = messages[deleted + 1]
    if next then
        redis.call('XTRIM', stream, 'MINID', next[1])
    else
        growth = growth - redis.call('DEL', stream) * STREAM
    end
    redis.call('ZADD', 'nsroom:oldest', next and next[2][4] or -1, key)
    return deleted
end
"""

SUBMIT = (
    _DELETE_MESSAGES
    + """
local origin, new_epoch, published, leaving = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == 'leaving'
local deadline, lease, grace = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local bus_length, bus_marks, room_length = ARGV[8], tonumber(ARGV[9]), tonumber(ARGV[10])
local channel = ARGV[11]
local MEBIBYTE, MAX_PUSH = 1048576, 8192
local own = 'nsroom:server:' .. origin
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Redis has lost entries whose results it had returned: ids of the old epoch are no longer valid.
local last = tonumber(redis.call('HGET', own, 'n') or 0)
if last < published then
    redis.call('SET', 'nsroom:epoch', new_epoch)
    redis.call('HSET', own, 'n', published)
    last = published
end
redis.call('SET', 'nsroom:epoch', new_epoch, 'NX')

local written, last_position, pushed = 0, nil, {}

local function append(from, n, id, op, key, sid, data)
    local row = table.concat({redis.call('INCR', 'nsroom:seq'), from, n, id, op, key, sid, data}, '\\n')
    last_position = redis.call('XADD', 'nsroom:bus', 'MAXLEN', '~', bus_length, '*', 'row', row)
    written = written + #row + MESSAGE
    pushed[#pushed + 1] = last_position .. '\\n' .. row
end

-- MAXLEN bounds the number of entries, not their size: keep only the last `bus_marks` mebibytes, too.
local function trim_bus()
    local total = redis.call('INCRBY', 'nsroom:written', written)
    if math.floor(total / MEBIBYTE) > math.floor((total - written) / MEBIBYTE) then
        redis.call('RPUSH', 'nsroom:marks', last_position)
        if redis.call('LLEN', 'nsroom:marks') > bus_marks then
            redis.call('XTRIM', 'nsroom:bus', 'MINID', redis.call('LPOP', 'nsroom:marks'))
        end
    end
end

local function remove_server(server)
    redis.call('ZREM', 'nsroom:servers', server)
    redis.call('EXPIRE', 'nsroom:server:' .. server, 86400)
    redis.call('DEL', 'nsroom:members:' .. server)
    append(server, 0, 0, 'g', '\\n', '', '')
end

-- If no server could renew its lease, Redis was away or its clock has jumped: no lease has expired.
local before = tonumber(redis.call('GET', 'nsroom:beat') or now)
if math.abs(now - before) > grace then
    for _, server in ipairs(redis.call('ZRANGE', 'nsroom:servers', 0, -1)) do
        redis.call('ZADD', 'nsroom:servers', now + lease, server)
    end
end
redis.call('SET', 'nsroom:beat', now)
redis.call('ZADD', 'nsroom:servers', now + lease, origin)
for _, server in ipairs(redis.call('ZRANGEBYSCORE', 'nsroom:servers', '-inf', '(' .. now)) do
    remove_server(server)
end

-- The servers set the clock once a second: between that, it goes on with Redis' own.
local age_clock = tonumber(redis.call('GET', 'nsroom:age-clock') or now)
age_clock = string.format('%.0f', age_clock + math.min(math.max(now - age_clock, 0), 1000))

local function store(key, id, data)
    local stream = 'nsroom:room:' .. key
    redis.call('XADD', stream, id .. '-0', 'body', data, 'at', age_clock)
    growth = growth + #data + MESSAGE
    local length = redis.call('XLEN', stream)
    if length == 1 then
        growth = growth + STREAM
        redis.call('ZADD', 'nsroom:oldest', age_clock, key)
    elseif length > room_length then
        delete_messages(key, length - room_length, math.huge)
    end
end

-- By kind of entry: change the keys, and return the id of a message, else 0.
local handlers = {
    m = function(key, sid, data)
        local id = redis.call('HINCRBY', 'nsroom:ids', key, 1)
        if id == 1 then
            id = redis.call('HINCRBY', 'nsroom:ids', key, redis.call('GET', 'nsroom:floor') or 0)
            redis.call('ZADD', 'nsroom:oldest', -1, key)
            growth = growth + #key + ROOM
        end
        if room_length > 0 then
            store(key, id, data)
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

-- A call whose answer was lost is repeated: return the results again for what it has done.
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
        result = tostring(handlers[op](key, sid, data))
        append(origin, n, result, op, key, sid, data)
    end
    results[n] = result
    answers[#answers + 1] = result
    last = math.max(last, tonumber(n))
end
if #answers > 0 then
    redis.call('HSET', own, 'n', last, 'results', cjson.encode(results))
end
if growth ~= 0 then
    redis.call('INCRBY', 'nsroom:size', growth)
end
-- It expires only once the server is gone: a clock that jumps must not delete what a running server needs.
redis.call('PERSIST', own)
if leaving then
    remove_server(origin)
    redis.call('DEL', own)
end
if written > 0 then
    trim_bus()
    -- Pushes wait in Redis' memory for each slow server. Of large entries push only the position: the servers
    -- read those from the stream.
    local small = written <= MAX_PUSH
    redis.call('PUBLISH', channel, small and table.concat(pushed, '\\30') or last_position .. '\\n')
end
local epoch, sequence = redis.call('GET', 'nsroom:epoch'), redis.call('GET', 'nsroom:seq') or '0'
return table.concat({epoch, now, sequence, redis.call('ZCARD', 'nsroom:servers'), unpack(answers)}, ' ')
"""
)
"""Apply each submission once, renew the server's lease, and remove the servers whose leases have expired.

Arguments: the server, a new epoch, the server's last published number, "leaving" or "", the deadline, the
lease and the grace in milliseconds, the bounds of the bus in entries and mebibytes, of a room in messages,
and the channel. Then for each submission: number, "1" if it is persistent, op, room key, sid, data.
Returns: epoch, milliseconds, number of the last entry, number of servers, and the result of each submission.
"""

TRIM = (
    _DELETE_MESSAGES
    + """
local age, size, left, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- All servers move the clock.
most = most / math.max(redis.call('ZCARD', 'nsroom:servers'), 1)
local age_clock = tonumber(redis.call('GET', 'nsroom:age-clock') or now)
age_clock = age_clock + math.min(math.max(now - age_clock, -most), most)
local too_old = age_clock - age
local before = tonumber(redis.call('GET', 'nsroom:size') or 0)

while left > 0 do
    local key = redis.call('ZRANGEBYSCORE', 'nsroom:oldest', 0, too_old, 'LIMIT', 0, 1)[1]
    if not key then
        break
    end
    left = left - delete_messages(key, left, too_old)
end

local function delete_room(key)
    local last = tonumber(redis.call('HGET', 'nsroom:ids', key) or 0)
    redis.call('HDEL', 'nsroom:ids', key)
    redis.call('ZREM', 'nsroom:oldest', key)
    redis.call('SET', 'nsroom:floor', math.max(last, tonumber(redis.call('GET', 'nsroom:floor') or 0)))
    growth = growth - #key - ROOM
    return 1
end

while left > 0 and before + growth > size do
    local oldest = redis.call('ZRANGE', 'nsroom:oldest', 0, 1, 'WITHSCORES')
    if not oldest[1] then
        break
    end
    local deleted = tonumber(oldest[2]) < 0 and delete_room(oldest[1])
        or delete_messages(oldest[1], left, tonumber(oldest[4] or math.huge))
    left = left - deleted
end

if growth ~= 0 then
    redis.call('INCRBY', 'nsroom:size', growth)
end
-- A full Redis refuses this unless something was deleted; then the next round may move the clock further.
redis.call('SET', 'nsroom:age-clock', string.format('%.0f', age_clock))
return {left <= 0 and 1 or 0, now}
"""
)
"""Delete some messages beyond the limits on age and size; return 1 if there may be more of them, else 0, and
the time on Redis' clock in milliseconds.

Arguments: the age in milliseconds, the size in bytes, the most messages to delete, the most milliseconds by
which to move the clock of the ages.
"""

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
"""Return the position and the number of the last entry, then server, member and nick for each member."""

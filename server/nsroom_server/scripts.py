"""The scripts that run inside Redis: each is one step, whatever fails before or after it.

| key | type | what |
|---|---|---|
| `nsroom:bus` | stream | the entries that all servers read |
| `nsroom:seq` | number | counts them |
| `nsroom:servers` | sorted set | the servers, by the end of their leases |
| `nsroom:beat` | number | when somebody renewed a lease the last time |
| `nsroom:members:SERVER` | hash | a server's members, each with its nick |
| `nsroom:server:SERVER` | hash | the number of its last entry, and the results of its last call |
| `nsroom:ids` | hash | the last id in each room |
| `nsroom:room:ROOM` | stream | its messages, by their ids |
| `nsroom:epoch` | text | changes when something was lost |
"""

BUS = "nsroom:bus"
ROOM = "nsroom:room:"
IDS = "nsroom:ids"

SUBMIT = """
local origin, fresh, confirmed, leaving = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == 'leaving'
local deadline, lease, grace = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local bus_length, room_length = ARGV[8], tonumber(ARGV[9])
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

local function tell(from, n, id, op, key, sid, data)
    local cells = {redis.call('INCR', 'nsroom:seq'), from, n, id, op, key, sid, data}
    redis.call('XADD', 'nsroom:bus', 'MAXLEN', '~', bus_length, '*', 'row', table.concat(cells, '\\n'))
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

local act = {
    m = function(key, sid, data)
        local id = redis.call('HINCRBY', 'nsroom:ids', key, 1)
        if room_length > 0 then
            redis.call('XADD', 'nsroom:room:' .. key, 'MAXLEN', '~', room_length, id .. '-0', 'body', data)
        end
        return id
    end,
    e = function() return 0 end,
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
for at = 10, #ARGV, 6 do
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
redis.call('EXPIRE', own, 86400)
if leaving then
    bury(origin)
    redis.call('DEL', own)
end
return {redis.call('GET', 'nsroom:epoch'), tostring(now), unpack(answers)}
"""
"""Do what is submitted, each entry once; renew the server's lease, and bury those whose lease has run out."""

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

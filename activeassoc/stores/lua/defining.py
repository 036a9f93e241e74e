"""The scripts that make tables and indexes, and take them away.

Map: `DEFINE` makes a table, `CLEAR` empties or drops one; `INDEX` begins an index or its removal, `REINDEX` goes on with it.
"""

from __future__ import annotations

from activeassoc.stores.lua.common import COMMON, TABLE, THERE

__all__ = ["CLEAR", "DEFINE", "INDEX", "REINDEX"]

#: Told: the key's columns (JSON), whether it is automatic, and the indexes, each as name and columns (JSON). Answers 'made', or the state
#: of the table that is there already.
DEFINE = (
    COMMON
    + """
local state = redis.call('HGET', base .. 'table', 'state')
if state then return state end
local key, auto = next_one(), next_one()
redis.call('HSET', base .. 'table', 'key', key, 'auto', auto, 'state', 'ready')
while told < #ARGV do
  local name = next_one()
  redis.call('HSET', base .. 'table', name, '{"columns": ' .. next_one() .. ', "state": "ready"}')
end
return 'made'
"""
)

#: Told: an index, its columns (JSON), and the state that it gets. Answers the state that it has: one that is there is left as it is, unless
#: it is to be dropped.
INDEX = (
    TABLE
    + THERE
    + """
local name, columns, wanted = next_one(), next_one(), next_one()
local found = redis.call('HGET', base .. 'table', name)
if wanted == 'dropping' then
  if not found then return 'absent' end
elseif found then
  return cjson.decode(found).state
end
redis.call('HSET', base .. 'table', name, '{"columns": ' .. columns .. ', "state": "' .. wanted .. '"}')
return wanted
"""
)

#: Told: an index, how many records, and after which insertion number. Makes (or takes away, where it is being dropped) the entries of the
#: next records. Answers the last insertion number, '' at the end: then it is ready, or gone.
REINDEX = (
    TABLE
    + THERE
    + """
local name, room, after = next_one(), next_one(), next_one()
local index = nil
for _, each in ipairs(indexes) do
  if each.at == base .. name then index = each end
end
if not index or index.state == 'ready' then return '' end
local found = redis.call('ZRANGEBYSCORE', base .. 'ids', after == '' and '-inf' or '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, room)
for n = 1, #found, 2 do
  local value = entry(index.columns, read(found[n], index.columns))
  if value then
    local other = index.unique and index.state == 'building' and redis.call('HGET', index.at, value)
    if other and other ~= found[n] then return redis.error_reply('DUPLICATE 0 ' .. index.name) end
    if index.state == 'building' then claim(index, value, found[n], found[n + 1]) else release(index, value, found[n]) end
  end
end
if #found / 2 == tonumber(room) then return found[#found] end
if index.state == 'building' then
  redis.call('HSET', base .. 'table', name, cjson.encode({columns = index.columns, state = 'ready'}))
else
  redis.call('HDEL', base .. 'table', name)
  if index.unique then redis.call('DEL', index.at) end
end
return ''
"""
)

#: Told: 'drop' or 'empty', how many records, and up to which insertion number ('' for all). Takes the next records away, and a dropped
#: table's definition with the last. Answers how many it has taken; -1 where there is no table.
CLEAR = (
    TABLE
    + """
local action, room, upto = next_one(), next_one(), next_one()
if not state then return -1 end
if action == 'drop' then redis.call('HSET', base .. 'table', 'state', 'dropping') end
local ids = redis.call('ZRANGEBYSCORE', base .. 'ids', '-inf', upto == '' and '+inf' or upto, 'LIMIT', 0, room)
for _, id in ipairs(ids) do take_away(id, look_at_entries(id)) end
if action == 'drop' and redis.call('ZCARD', base .. 'ids') == 0 then
  for _, index in ipairs(indexes) do
    if index.unique then redis.call('DEL', index.at) end
  end
  redis.call('DEL', base .. 'ids', base .. 'seq', base .. 'key', base .. 'table')
end
return #ids
"""
)

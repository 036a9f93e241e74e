"""The scripts that read records, by their ids, by an index, or all of them batch by batch; none of them writes.

Map: `READING` begins them; `ROWS`, `WALK`, `SIZES`; `VERIFY` and `ORPHANS` look whether a table is whole.
"""

from __future__ import annotations

from activeassoc.stores.lua.common import COMMON, TABLE, THERE

__all__ = ["ORPHANS", "ROWS", "SIZES", "VERIFY", "WALK"]

#: What reading scripts need of the definition, without decoding all of it.
READING = (
    COMMON
    + """
local head = redis.call('HMGET', base .. 'table', 'state', 'key')
if head[1] ~= 'ready' then return redis.error_reply('NOTABLE') end
local mark = cjson.decode(head[2])[1] or ''
local columns

local function add(rows, id)
  local row = redis.call('HMGET', base .. 'r:' .. id, mark, unpack(columns))
  if row[1] then
    row[1] = id
    rows[#rows + 1] = row
  end
end

-- Whether the index may be read.
local function ready(name)
  local found = redis.call('HGET', base .. 'table', name)
  return found and cjson.decode(found).state == 'ready'
end
"""
)

#: Told: the columns, and the ids. Answers the rows that are there: the id, then the columns.
ROWS = (
    READING
    + """
columns = next_list()
local rows = {}
for n = told + 1, #ARGV do add(rows, ARGV[n]) end
return rows
"""
)

#: Told: the columns, an index ('' for the whole table), how many rows, after which insertion number, and the values. Answers how many of
#: the values are done, the last insertion number of the next one, and the rows; 'NOTREADY' where the index may not be read.
WALK = (
    READING
    + """
columns = next_list()
local name, room, after = next_one(), tonumber(next_one()), next_one()
local rows, first = {}, told + 1
if name ~= '' and not ready(name) then return redis.error_reply('NOTREADY') end
if string.sub(name, 1, 2) == 'u:' then
  for n = first, #ARGV do
    local id = redis.call('HGET', base .. name, ARGV[n])
    if id then add(rows, id) end
  end
  return {#ARGV - first + 1, '', rows}
end
for n = first, #ARGV do
  local at = name == '' and (base .. 'ids') or (base .. name .. ':' .. ARGV[n])
  local found = redis.call('ZRANGEBYSCORE', at, after == '' and '-inf' or '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, room)
  for each = 1, #found, 2 do add(rows, found[each]) end
  room = room - #found / 2
  if room <= 0 then return {n - first, found[#found], rows} end
  after = ''
end
return {#ARGV - first + 1, '', rows}
"""
)

#: Told: for each look-up an index ('' for the whole table) and its values. Answers how many records each finds, -1 where it may not be
#: read.
SIZES = (
    READING
    + """
local sizes = {}
while told < #ARGV do
  local name, values, size = next_one(), next_list(), 0
  if name == '' then
    size = redis.call('ZCARD', base .. 'ids')
  elseif not ready(name) then
    size = -1
  else
    for _, value in ipairs(values) do
      if string.sub(name, 1, 2) == 'u:' then
        size = size + redis.call('HEXISTS', base .. name, value)
      else
        size = size + redis.call('ZCARD', base .. name .. ':' .. value)
      end
    end
  end
  sizes[#sizes + 1] = size
end
return sizes
"""
)

#: Told: how many records, and after which insertion number. Answers the last insertion number ('' at the end), how many records it has
#: looked at, and what is wrong with them, as id and name of the index that lacks them ('record' where the record itself is gone).
VERIFY = (
    TABLE
    + THERE
    + """
local room, after = next_one(), next_one()
local found = redis.call('ZRANGEBYSCORE', base .. 'ids', after == '' and '-inf' or '(' .. after, '+inf', 'WITHSCORES', 'LIMIT', 0, room)
local wrong, columns = {}, columns_of(indexes, {mark})
for n = 1, #found, 2 do
  local id, row = found[n], read(found[n], columns)
  if not row[mark] then
    wrong[#wrong + 1], wrong[#wrong + 2] = id, 'record'
  else
    for _, index in ipairs(indexes) do
      local value = index.state == 'ready' and entry(index.columns, row)
      local there = true
      if value and index.unique then there = redis.call('HGET', index.at, value) == id
      elseif value then there = redis.call('ZSCORE', index.at .. ':' .. value, id) == found[n + 1] end
      if not there then wrong[#wrong + 1], wrong[#wrong + 2] = id, string.sub(index.at, #base + 1) end
    end
  end
end
return {#found / 2 == tonumber(room) and found[#found] or '', #found / 2, wrong}
"""
)

#: Told: the name of an index, and pairs of value and id that it has. Answers those ids whose record has not (or no longer) that value.
#: With the name 'r', the ids whose records are not in the walk of the table.
ORPHANS = (
    TABLE
    + THERE
    + """
local name, orphans = next_one(), {}
local index = nil
for _, each in ipairs(indexes) do
  if each.at == base .. name then index = each end
end
while told < #ARGV do
  local value, id = next_one(), next_one()
  if name == 'r' then
    local there = redis.call('EXISTS', base .. 'r:' .. id) == 0 or redis.call('ZSCORE', base .. 'ids', id)
    if not there then orphans[#orphans + 1] = id end
  else
    local listed
    if index and index.unique then listed = redis.call('HGET', index.at, value) == id
    else listed = redis.call('ZSCORE', base .. name .. ':' .. value, id) end
    local meant = index and entry(index.columns, read(id, index.columns)) == value
    if listed and not meant then orphans[#orphans + 1] = id end
  end
end
return orphans
"""
)

"""What the scripts that write begin with: what they are told, the table's definition, and what follows from it.

Map: `COMMON` reads ARGV; `TABLE` the definition, and has what puts a record and its entries there and takes them away; `THERE` refuses a
table that is not there.
"""

from __future__ import annotations

__all__ = ["COMMON", "TABLE", "THERE"]

#: Reading ARGV.
COMMON = """
local base = KEYS[1]
local told = 0
local function next_one()
  told = told + 1
  return ARGV[told]
end
local function next_list()
  local list = {}
  for n = 1, tonumber(next_one()) do list[n] = next_one() end
  return list
end
local function next_values(columns)
  local mask, values = next_one(), {}
  for n, column in ipairs(columns) do
    if string.byte(mask, n) == 49 then values[column] = next_one() end
  end
  return values
end
local function text_of(number)
  return string.format('%.0f', number)
end
"""

#: The definition, and what follows from it: entries of indexes, putting a record, taking one away.
TABLE = (
    COMMON
    + """
local key_columns, auto, indexes = {}, false, {}
local definition = redis.call('HGETALL', base .. 'table')
local state = nil
for n = 1, #definition, 2 do
  local name, value = definition[n], definition[n + 1]
  if name == 'key' then key_columns = cjson.decode(value)
  elseif name == 'auto' then auto = value == '1'
  elseif name == 'state' then state = value
  else
    local index = cjson.decode(value)
    index.unique, index.name = string.sub(name, 1, 2) == 'u:', string.sub(name, 3)
    index.at = base .. name
    indexes[#indexes + 1] = index
  end
end
-- The column by which a record is there: a key is never NULL; a record without a key has a column without a name.
local mark = key_columns[1] or ''

local function entry(columns, row)
  if #columns == 1 then return row[columns[1]] end
  local parts = {}
  for n, column in ipairs(columns) do
    local value = row[column]
    if not value then return nil end
    parts[n] = #value .. ':' .. value
  end
  return table.concat(parts)
end

local function read(id, columns)
  local row = {}
  if #columns == 0 then return row end
  for start = 1, #columns, 1000 do
    local stop = math.min(start + 999, #columns)
    local found = redis.call('HMGET', base .. 'r:' .. id, unpack(columns, start, stop))
    for n, value in ipairs(found) do
      if value then row[columns[start + n - 1]] = value end
    end
  end
  return row
end

-- The columns that the indexes need, each once; `extra` comes first.
local function columns_of(these, extra)
  local seen, columns = {}, {}
  local function add(list)
    for _, column in ipairs(list) do
      if not seen[column] then
        seen[column] = true
        columns[#columns + 1] = column
      end
    end
  end
  add(extra)
  for _, index in ipairs(these) do add(index.columns) end
  return columns
end

-- A key of another type, which some other program wrote, must show before anything is written: each of these commands fails on it.
local looked = {}
local function look(index, value)
  local at = index.unique and index.at or (index.at .. ':' .. value)
  if not looked[at] then
    looked[at] = true
    redis.call(index.unique and 'HLEN' or 'ZCARD', at)
  end
end

local function claim(index, value, id, score)
  if index.unique then
    redis.call('HSET', index.at, value, id)
  else
    redis.call('ZADD', index.at .. ':' .. value, score, id)
  end
end

local function release(index, value, id)
  if not index.unique then
    redis.call('ZREM', index.at .. ':' .. value, id)
  elseif redis.call('HGET', index.at, value) == id then
    redis.call('HDEL', index.at, value)
  end
end

local function store(at, row)
  local pairs_of = {}
  for column, value in pairs(row) do
    pairs_of[#pairs_of + 1] = column
    pairs_of[#pairs_of + 1] = value
    if #pairs_of >= 2000 then
      redis.call('HSET', at, unpack(pairs_of))
      pairs_of = {}
    end
  end
  if #pairs_of > 0 then redis.call('HSET', at, unpack(pairs_of)) end
end

-- The entries of one record are taken away with it.
local every_column = nil
local function look_at_entries(id)
  every_column = every_column or columns_of(indexes, {mark})
  local row = read(id, every_column)
  for _, index in ipairs(indexes) do
    local value = entry(index.columns, row)
    if value then look(index, value) end
  end
  return row
end

local function take_away(id, row)
  for _, index in ipairs(indexes) do
    local value = entry(index.columns, row)
    if value then release(index, value, id) end
  end
  redis.call('DEL', base .. 'r:' .. id)
  redis.call('ZREM', base .. 'ids', id)
end
"""
)

#: A table that is not there, or is being dropped, is written and read by nobody.
THERE = "\nif state ~= 'ready' then return redis.error_reply('NOTABLE') end\n"

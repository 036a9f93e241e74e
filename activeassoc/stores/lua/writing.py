"""The scripts of INSERT, UPDATE and DELETE: all is looked at first, and then all is written.

Map: `INSERT`, `CHANGE`.
"""

from __future__ import annotations

from activeassoc.stores.lua.common import TABLE, THERE

__all__ = ["CHANGE", "INSERT"]

#: Told: what to do with a row that clashes (error, ignore, replace), the columns, and the rows. Answers the ids, '' where ignored.
INSERT = (
    TABLE
    + THERE
    + """
local clashing, columns, count = next_one(), next_list(), tonumber(next_one())
local seq, ids, rows, claimed = base .. 'seq', {}, {}, {}
redis.call('ZCARD', base .. 'ids')

for n = 1, count do rows[n] = next_values(columns) end
local scored = redis.call('INCRBY', seq, count) - count

-- Keys for all rows at once, where none has one, and numbers of Lua are exact: from 2^53 on they are not, and text is counted by Redis.
local keyed = nil
if auto and #(redis.call('GET', base .. 'key') or '') < 16 then
  local missing = 0
  for n = 1, count do
    if not rows[n][mark] then missing = missing + 1 end
  end
  if missing == count then keyed = redis.call('INCRBY', base .. 'key', count) - count end
end

local function next_key(n)
  if keyed then return text_of(keyed + n) end
  local number = redis.call('INCR', base .. 'key')
  if number > 9007199254740991 then return redis.call('GET', base .. 'key') end
  return text_of(number)
end

local function raise_key(given)
  if string.sub(given, 1, 1) == '-' then return end
  local last = redis.call('GET', base .. 'key') or '0'
  if #given > #last or (#given == #last and given > last) then redis.call('SET', base .. 'key', given) end
end

-- Gives the row its id; the key counter may move though nothing is inserted then, as sequences do.
local function identify(n, row)
  if #key_columns == 0 then
    row[''] = text_of(scored + n)
    return row['']
  end
  if auto then
    if row[mark] then raise_key(row[mark]) else row[mark] = next_key(n) end
  end
  return entry(key_columns, row)
end

-- Which record holds the id or a unique value that this row wants: its id, by what, and the entry that says so.
local function holder(id, row)
  if redis.call('HEXISTS', base .. 'r:' .. id, mark) == 1 then return id, 'key' end
  for _, index in ipairs(indexes) do
    local value = index.state ~= 'dropping' and entry(index.columns, row)
    if value then
      look(index, value)
      local other = index.unique and redis.call('HGET', index.at, value)
      if other then return other, index.name, index, value end
    end
  end
end

local function put(n, id, row)
  local score = text_of(scored + n)
  store(base .. 'r:' .. id, row)
  redis.call('ZADD', base .. 'ids', score, id)
  for _, index in ipairs(indexes) do
    local value = index.state ~= 'dropping' and entry(index.columns, row)
    if value then claim(index, value, id, score) end
  end
end

-- Two rows of one statement clash as well; what each claims is noted.
local function clash_within(id, row)
  local wanted = {['key\\0' .. id] = 'key'}
  for _, index in ipairs(indexes) do
    local value = index.unique and index.state ~= 'dropping' and entry(index.columns, row)
    if value then wanted[index.name .. '\\0' .. value] = index.name end
  end
  for what, name in pairs(wanted) do
    if claimed[what] then return name end
    claimed[what] = true
  end
end

for n = 1, count do
  local row = rows[n]
  local id = identify(n, row)
  if not id then return redis.error_reply('NOKEY') end
  if clashing == 'error' then
    local other, by = holder(id, row)
    by = other and by or clash_within(id, row)
    if by then return redis.error_reply('DUPLICATE ' .. n .. ' ' .. by) end
    ids[n] = id
  elseif clashing == 'ignore' then
    if holder(id, row) then
      ids[n] = ''
    else
      put(n, id, row)
      ids[n] = id
    end
  else
    local other, _, index, value = holder(id, row)
    while other do
      take_away(other, look_at_entries(other))
      if index then release(index, value, other) end
      other, _, index, value = holder(id, row)
    end
    put(n, id, row)
    ids[n] = id
  end
end
if clashing == 'error' then
  for n = 1, count do put(n, ids[n], rows[n]) end
end
return ids
"""
)

#: Told: update or delete; the columns that the statement has read; those that it sets; and for each row its id, what was read, and (for an
#: update) what is set. Answers how many rows changed; or, where what was read is no longer so, changes nothing and answers 0 and their ids.
CHANGE = (
    TABLE
    + THERE
    + """
local action, guarded, assigned, same = next_one(), next_list(), next_list(), next_one() == '1'
local shared = same and next_values(assigned) or nil
local ids, stale, changes = {}, {}, {}
redis.call('ZCARD', base .. 'ids')

local touched, names = {}, {}
for _, column in ipairs(assigned) do names[column] = true end
for _, index in ipairs(indexes) do
  for _, column in ipairs(index.columns) do
    if names[column] then
      touched[#touched + 1] = index
      break
    end
  end
end

local deletes = action == 'delete'
local needed = columns_of(deletes and indexes or touched, {mark, unpack(guarded)})
local before, seen = {}, {}
for _ = 1, tonumber(next_one()) do
  local id, read_then = next_one(), next_values(guarded)
  local change = deletes and {} or shared or next_values(assigned)
  local now = read(id, needed)
  if now[mark] and not seen[id] then
    seen[id] = true
    local fresh = true
    for _, column in ipairs(guarded) do
      if now[column] ~= read_then[column] then fresh = false end
    end
    if fresh then
      ids[#ids + 1], before[#before + 1], changes[#changes + 1] = id, now, change
    else
      stale[#stale + 1] = id
    end
  end
end
if #stale > 0 then return {0, stale} end

if deletes then
  for n in ipairs(ids) do
    for _, index in ipairs(indexes) do
      local value = entry(index.columns, before[n])
      if value then look(index, value) end
    end
  end
  for n, id in ipairs(ids) do take_away(id, before[n]) end
  return {#ids, stale}
end

local moves = {}
for _, index in ipairs(touched) do
  local released, claimed = {}, {}
  for n, id in ipairs(ids) do
    local after = {}
    for _, column in ipairs(index.columns) do
      if names[column] then after[column] = changes[n][column] else after[column] = before[n][column] end
    end
    local old, new = entry(index.columns, before[n]), entry(index.columns, after)
    if index.state == 'dropping' then new = nil end
    if old ~= new then
      if old then
        look(index, old)
        released[old] = true
      end
      if new then look(index, new) end
      moves[#moves + 1] = {index, id, old, new}
    elseif new and index.unique then
      claimed[new] = true
    end
  end
  if index.unique then
    for _, move in ipairs(moves) do
      local new = move[1] == index and move[4]
      if new then
        local owner = redis.call('HGET', index.at, new)
        if claimed[new] or (owner and owner ~= move[2] and not released[new]) then
          return redis.error_reply('DUPLICATE 0 ' .. index.name)
        end
        claimed[new] = true
      end
    end
  end
end

for _, move in ipairs(moves) do
  if move[3] then release(move[1], move[3], move[2]) end
end
for _, move in ipairs(moves) do
  if move[4] then
    local score = not move[1].unique and redis.call('ZSCORE', base .. 'ids', move[2])
    claim(move[1], move[4], move[2], score)
  end
end
for n, id in ipairs(ids) do
  local at, cleared = base .. 'r:' .. id, {}
  store(at, changes[n])
  for _, column in ipairs(assigned) do
    if not changes[n][column] then redis.call('HDEL', at, column) end
  end
end
return {#ids, stale}
"""
)

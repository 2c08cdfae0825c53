-- How many recipients each login, or trusted host, may write to in any hour, over all its messages, connections and
-- ports. Whoever has stolen a password gets no further, and the owner is told.
local rspamd_logger = require 'rspamd_logger'
local lua_redis = require 'lua_redis'
local lua_smtp = require 'lua_smtp'
local rspamd_util = require 'rspamd_util'

-- Of each mailbox; 0 is without a limit. Trusted hosts may have their own (trusted-hosts.lua).
local LIMIT = {{limit}}
local HOUR = 3600
local DAY = 86400
local HOST = '{{hostname}}'

local redis_params = lua_redis.parse_redis_server('outgoing_limit')

-- Counts and decides in one step, so that a hundred connections at once get no more than one by one. Each recipient is
-- a member of the login's set, with the time as its score.
-- KEYS: the set, when the owner was last told. ARGV: now, recipients, limit, the message's own name.
-- Gives what to do: {1} let through; {0, seconds until there is room, 1 if the owner is to be told}
-- What expires soonest Redis throws out first when it is full (redis.conf): these outlive all of rspamd's other keys.
local COUNT = [[
local now, new, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ]] .. HOUR .. [[)
local used = redis.call('ZCARD', KEYS[1])
if used + new <= limit then
  for i = 1, new do
    redis.call('ZADD', KEYS[1], now, ARGV[4] .. '/' .. i)
  end
  redis.call('EXPIRE', KEYS[1], 17280000)
  return {1}
end
local freed = redis.call('ZRANGE', KEYS[1], used + new - limit - 1, used + new - limit - 1, 'WITHSCORES')[2]
local wait = ]] .. HOUR .. [[ - (now - tonumber(freed or now))
local told = tonumber(redis.call('GET', KEYS[2]) or 0)
if now - told < ]] .. DAY .. [[ then
  return {0, math.ceil(wait), 0}
end
redis.call('SET', KEYS[2], now, 'EX', 17280000)
return {0, math.ceil(wait), 1}
]]
local count = lua_redis.add_redis_script(COUNT, redis_params)

-- Whose message it is, and what its owner is to be told about them.
local function sender_of(task)
  local host = task:cache_get('trusted_host')
  if host then
    return {
      kind = 'trusted host',
      name = host.name,
      limit = host.limit,
      trace = host.trace,
      advice = {
        'If it has to, raise its limit under mailhost:trustedHosts in the stack file.',
        'Else somebody else sends in its place: take it out of the stack file, and look at what went out:',
      },
    }
  end
  -- By a login, or by a filter of the mailbox's own.
  local mailbox = task:cache_get('mailbox')
  return mailbox and {
    kind = 'mailbox',
    name = mailbox,
    limit = LIMIT,
    unit = not task:get_user() and 'dovecot' or nil,
    trace = (task:get_user() and 'sasl_username=' or '') .. mailbox,
    advice = {
      'If its user did that and may do it again, raise mailhost:outgoingLimit in the stack file.',
      'Else somebody has the password: give the mailbox a new one, and look at what went out:',
    },
  }
end

-- Over port 25 of this host, where root is the owner's alias.
local function tell_owner(task, who, told)
  local address = 'mailhost@' .. HOST
  local text = table.concat({
    'From: mailhost <' .. address .. '>',
    'To: root@' .. HOST,
    'Subject: ' .. who.name .. ' has reached its limit of ' .. who.limit .. ' recipients an hour',
    'Date: ' .. rspamd_util.time_to_string(rspamd_util.get_time()),
    'Message-ID: <' .. rspamd_util.random_hex(24) .. '@' .. HOST .. '>',
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    'The ' .. who.kind .. ' ' .. who.name .. ' wanted to write to more than ' .. who.limit .. ' recipients within an hour.',
    'What goes beyond is put off; mail of others goes out as always.',
    '',
    who.advice[1],
    who.advice[2],
    '',
    "    journalctl -u '" .. (who.unit or 'postfix*') .. "' -g " .. who.trace,
    '',
    'This message comes once a day for each of them.',
    '',
  }, '\r\n')
  lua_smtp.sendmail({
    ev_base = task:get_ev_base(),
    session = task:get_session(),
    config = rspamd_config,
    resolver = task:get_resolver(),
    host = '127.0.0.1',
    port = 25,
    helo = HOST,
    from = address,
    recipients = { 'root@' .. HOST },
  }, text, function(sent, err)
    if not sent then
      rspamd_logger.errx(task, 'the owner could not be told of the limit of %s: %s', who.name, err)
      -- The next message that is put off tries again.
      lua_redis.redis_make_request(task, redis_params, told, true, function() end, 'DEL', { told })
    end
  end)
end

rspamd_config:register_symbol({
  name = 'OUTGOING_LIMIT',
  type = 'prefilter',
  -- After OUTGOING_FROM: what is refused does not count.
  priority = -1,
  callback = function(task)
    local who = sender_of(task)
    local recipients = #(task:get_recipients('smtp') or {})
    if not who or who.limit == 0 or recipients == 0 or task:has_pre_result() then
      return
    end
    local key = 'mailhost_outgoing_' .. who.name
    local function decided(err, data)
      -- Without Redis mail flows on, as everywhere here.
      if err then
        rspamd_logger.errx(task, 'cannot count the recipients of %s: %s', who.name, err)
      elseif data[1] == 0 then
        if recipients > who.limit then
          task:set_pre_result('reject', string.format('%s may write to %d recipients an hour, not to %d at once',
              who.name, who.limit, recipients), 'mailhost')
        else
          task:set_pre_result('soft reject', string.format(
              '%s may write to %d recipients an hour; there is room for this message in %d minutes',
              who.name, who.limit, math.ceil(data[2] / 60)), 'mailhost')
        end
        rspamd_logger.warnx(task, '%s is over its limit of %s recipients an hour', who.name, who.limit)
        if data[3] == 1 then
          tell_owner(task, who, key .. '_told')
        end
      end
    end
    lua_redis.exec_redis_script(count, { task = task, is_write = true, key = key }, decided,
        { key, key .. '_told' },
        { string.format('%.3f', rspamd_util.get_time()), recipients, who.limit, rspamd_util.random_hex(16) })
  end,
})

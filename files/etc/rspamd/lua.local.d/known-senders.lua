-- Remembers whom the users of this host write to: their answers are not greylisted (local.d/greylist.conf).
local rspamd_logger = require 'rspamd_logger'
local lua_redis = require 'lua_redis'
local hash = require 'rspamd_cryptobox_hash'

-- Seconds: 200 days after the last message to them.
local REMEMBERED = 17280000

local redis_params = lua_redis.parse_redis_server('known_senders')

-- Redis keeps no list of correspondents that could be read.
local function key_of(address)
  return 'mailhost_known_' .. hash.create(address:lower()):base32():sub(1, 32)
end

rspamd_config:register_symbol({
  name = 'KNOWN_SENDER_LEARN',
  type = 'idempotent',
  callback = function(task)
    if not task:get_user() or task:get_metric_action() ~= 'no action' then
      return
    end
    for _, recipient in ipairs(task:get_recipients('smtp') or {}) do
      local key = key_of(recipient.addr)
      lua_redis.redis_make_request(task, redis_params, key, true, function(err)
        if err then
          rspamd_logger.errx(task, 'cannot remember a recipient: %s', err)
        end
      end, 'SETEX', { key, tostring(REMEMBERED), '1' })
    end
  end,
})

rspamd_config:register_symbol({
  name = 'KNOWN_SENDER',
  score = 0.0,
  group = 'policies',
  description = 'Somebody here has written to this sender, and it is that sender',
  callback = function(task)
    local author = (task:get_from('mime') or {})[1]
    if task:get_user() or not author or not author.addr or not task:has_symbol('DMARC_POLICY_ALLOW') then
      return
    end
    local key = key_of(author.addr)
    lua_redis.redis_make_request(task, redis_params, key, false, function(err, data)
      if not err and data == '1' then
        task:insert_result('KNOWN_SENDER', 1.0)
      end
    end, 'GET', { key })
  end,
})
rspamd_config:register_dependency('KNOWN_SENDER', 'DMARC_CHECK')

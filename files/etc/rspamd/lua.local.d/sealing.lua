-- What is passed on is sealed (local.d/arc.conf), and what stays in a mailbox here is not: nobody would look at the seal, and
-- it takes as long as half of all the rules together.
local rspamd_logger = require 'rspamd_logger'
local lua_redis = require 'lua_redis'

-- Seconds: a year after a mailbox's own filter has last passed something on.
local REMEMBERED = 31536000

local redis_params = lua_redis.parse_redis_server('sealing')

-- Any other address is an alias, or a domain that this host is a backup of: it may lead elsewhere.
local mailboxes = rspamd_config:add_map({
  type = 'hash',
  url = '/etc/postfix/mailboxes',
  description = 'addresses of mailboxes',
})

local function key_of(mailbox)
  return 'mailhost_passes_on_' .. mailbox
end

-- Which filters pass mail on, their owners know alone; it shows when one does.
rspamd_config:register_symbol({
  name = 'PASSED_ON_LEARN',
  type = 'idempotent',
  callback = function(task)
    local mailbox = task:cache_get('passed_on_by')
    if not mailbox then
      return
    end
    local key = key_of(mailbox)
    lua_redis.redis_make_request(task, redis_params, key, true, function(err)
      if err then
        rspamd_logger.errx(task, 'cannot remember that a filter passes mail on: %s', err)
      end
    end, 'SETEX', { key, tostring(REMEMBERED), '1' })
  end,
})

rspamd_config:register_symbol({
  name = 'STAYS_HERE',
  type = 'prefilter',
  callback = function(task)
    local keys = {}
    for _, recipient in ipairs(task:get_recipients('smtp') or {}) do
      local mailbox = recipient.addr:lower():gsub('%+[^@]*@', '@')
      if not mailboxes:get_key(mailbox) then
        return
      end
      table.insert(keys, key_of(mailbox))
    end
    if #keys == 0 then
      return
    end
    -- Without an answer it is sealed.
    lua_redis.redis_make_request(task, redis_params, keys[1], false, function(err, count)
      if not err and tonumber(count) == 0 then
        task:disable_symbol('ARC_SIGNED')
      end
    end, 'EXISTS', keys)
  end,
})

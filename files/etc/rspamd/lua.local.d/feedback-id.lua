-- Says in each message of a login whose it is, where it does not say so itself: `Feedback-ID: name:domain:kind:sender`. Gmail
-- counts by each of the four (https://support.google.com/mail/answer/6254652), and believes it where the signature covers it
-- (sign_headers in local.d/dkim_signing.conf): so it comes before the signatures, into the message that they are made of.
local lua_mime = require 'lua_mime'

local SENDER = '{{sender}}'

-- Whose mail this host signs.
local DOMAINS = {
{{#each domains}}
  ['{{this}}'] = true,
{{/each}}
}

rspamd_config:register_symbol({
  name = 'FEEDBACK_ID',
  type = 'prefilter',
  -- After OUTGOING_FROM: what is refused needs none.
  priority = -1,
  callback = function(task)
    if task:has_pre_result() or not task:get_user() or task:get_header('Feedback-ID') then
      return
    end
    -- What everybody sees in From, and not which login it was.
    local author = (task:get_from('mime') or {})[1] or {}
    local domain = (author.domain or ''):lower()
    if not DOMAINS[domain] then
      return
    end
    local name = (author.user or ''):lower():gsub('%+.*', ''):gsub('[^%w._-]', '_')
    local kind = task:cache_get('trusted_host') and 'machine' or 'mailbox'
    lua_mime.modify_headers(task, {
      add = { ['Feedback-ID'] = { value = table.concat({ name, domain, kind, SENDER }, ':'), order = 1 } },
    })
  end,
})

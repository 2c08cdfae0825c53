-- Says in each message of a login whose it is, where it does not say so itself: `Feedback-ID: name:domain:kind:sender`. Gmail
-- counts by each of the four (https://support.google.com/mail/answer/6254652), and believes it where the signature covers it
-- (sign_headers in local.d/dkim_signing.conf). rspamd signs what it has changed of a header, and none that it has added: so Postfix
-- puts an empty one into each message (submission-headers), and here that is filled in, or taken out.
local SENDER = '{{sender}}'
-- As Postfix writes it.
local EMPTY = '-'

-- Whose mail this host signs.
local DOMAINS = {
{{#each domains}}
  ['{{this}}'] = true,
{{/each}}
}

rspamd_config:register_symbol({
  name = 'FEEDBACK_ID',
  type = 'prefilter',
  -- After OUTGOING_FROM and TRUSTED_HOST, which say who it is.
  priority = -1,
  callback = function(task)
    local fields = task:get_header_full('Feedback-ID') or {}
    table.sort(fields, function(one, other)
      return one.order < other.order
    end)
    local empty, own = {}, nil
    for index, field in ipairs(fields) do
      if field.decoded == EMPTY then
        table.insert(empty, index)
      else
        own = own or field.decoded
      end
    end
    if #empty == 0 then
      return
    end
    -- One alone goes by its place; where somebody has written several From, all go, and one comes.
    local gone = #empty == 1 and empty[1] or 0
    local value = gone == 0 and own or nil
    -- What everybody sees in From, and not which login it was.
    local author = (task:get_from('mime') or {})[1] or {}
    local domain = (author.domain or ''):lower()
    if not own and DOMAINS[domain] then
      local name = (author.user or ''):lower():gsub('%+.*', ''):gsub('[^%w._-]', '_')
      local kind = task:cache_get('trusted_host') and 'machine' or 'mailbox'
      value = table.concat({ name, domain, kind, SENDER }, ':')
    end
    -- What is signed, and what Postfix is told; the milter protocol knows no list of places.
    task:modify_header('Feedback-ID', { remove = { gone }, add = value and { { 1, value } } or nil })
    task:set_milter_reply({
      remove_headers = { ['Feedback-ID'] = gone },
      add_headers = value and { ['Feedback-ID'] = { value = value, order = 1 } } or nil,
    })
  end,
})

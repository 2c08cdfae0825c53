-- What would go to Junk here is not passed on elsewhere. It is refused while its sender is there to hear of it: passed on,
-- it would cost the host its good name, and where the next host refuses it, a bounce would go to whoever the spammer
-- pretended to be.

-- Addresses that lead elsewhere; where everything else in a domain does (@domain), also those that do not.
local PASSED_ON = {
{{#each forwards}}
  ['{{address}}'] = {{isPassedOn}},
{{/each}}
}

local function is_passed_on(address)
  local plain = address:lower():gsub('%+[^@]*@', '@')
  local found = PASSED_ON[plain]
  if found == nil then
    found = PASSED_ON[plain:gsub('^.*@', '@')]
  end
  return found
end

rspamd_config:register_symbol({
  name = 'FORWARDED_SPAM',
  type = 'postfilter',
  callback = function(task)
    -- By its score, or because its sender's DMARC asks for it.
    local action = task:get_metric_action()
    if action ~= 'add header' and action ~= 'rewrite subject' then
      return
    end
    for _, recipient in ipairs(task:get_recipients('smtp') or {}) do
      if is_passed_on(recipient.addr) then
        task:set_pre_result({
          action = 'reject',
          message = string.format('This looks like spam, and <%s> passes its mail on', recipient.addr),
          module = 'mailhost',
          -- Over what DMARC has set.
          priority = 3,
        })
        return
      end
    end
  end,
})

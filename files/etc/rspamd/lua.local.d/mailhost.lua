-- Rules of this host (https://docs.rspamd.com/developers/writing_rules).

-- alias address -> logins that may send as it; Postfix's smtpd_sender_login_maps reads the same file.
local alias_logins = rspamd_config:add_map({
  type = 'hash',
  url = '/etc/postfix/alias-logins',
  description = 'logins that may send as an alias',
})

-- The domains that this host has keys for.
local signing = rspamd_config:get_all_opt('dkim_signing') or {}
local own_domains = signing.domain or {}

local function is_outgoing(task)
  local ip = task:get_from_ip()
  return task:get_user() ~= nil or (ip ~= nil and ip:is_local())
end

-- The mailbox whose own filter sends this (sieve-sendmail puts it into the first line), and whether it only passes on
-- what somebody else has written: then Dovecot says so before anything that came with the message.
local function of_filter(task)
  local ip = task:get_from_ip()
  local line = not task:get_user() and ip ~= nil and ip:is_local() and (task:get_header_full('X-Sieve-Mailbox') or {})[1]
  if not line or line.order ~= 0 then
    return nil
  end
  local passed_on = (task:get_header_full('X-Sieve-Redirected-From') or {})[1]
  local author = (task:get_header_full('From') or {})[1]
  return line.decoded:lower(), passed_on ~= nil and author ~= nil and passed_on.order < author.order
end

local function may_send_as(login, address)
  if address == login then
    return true
  end
  for owner in string.gmatch(alias_logins:get_key(address) or '', '[^%s,]+') do
    if owner == login then
      return true
    end
  end
  return false
end

-- Postfix has checked the envelope's sender against the login; people see the From header. It has to be the
-- envelope's sender, or another address of the same login.
rspamd_config:register_symbol({
  name = 'OUTGOING_FROM',
  type = 'prefilter',
  callback = function(task)
    local login = task:get_user()
    local mailbox, is_passed_on = of_filter(task)
    -- What a trusted host sends as has been looked at (trusted-hosts.lua).
    if not (login or mailbox) or task:cache_get('trusted_host') then
      return
    end
    login = (login or mailbox):lower()
    -- For its limit (outgoing-limit.lua).
    task:cache_set('mailbox', login)
    if mailbox then
      task:set_milter_reply({ remove_headers = { ['X-Sieve-Mailbox'] = 1 } })
    end
    if is_passed_on then
      -- For the seal of what comes next (sealing.lua).
      task:cache_set('passed_on_by', login)
      return
    end
    local envelope = ((task:get_from('smtp') or {})[1] or {}).addr or ''
    for _, author in ipairs(task:get_from('mime') or {}) do
      local address = (author.addr or ''):lower()
      local plain = address:gsub('%+[^@]*@', '@')
      if address ~= envelope:lower() and not may_send_as(login, plain) then
        task:set_pre_result('reject',
            string.format('The From header has <%s>, which is no address of %s', address, login), 'mailhost')
        return
      end
    end
  end,
})

-- A message from a domain of ours that could not be signed with each of its keys waits until it can be.
rspamd_config:register_symbol({
  name = 'OUTGOING_SIGNED',
  type = 'postfilter',
  callback = function(task)
    local domain = ((task:get_from('mime') or {})[1] or {}).domain
    local own = domain and own_domains[domain:lower()]
    if task:has_pre_result() or not is_outgoing(task) or not own then
      return
    end
    local signed = (task:get_symbol('DKIM_SIGNED') or {})[1]
    -- One option for each signature.
    if not signed or #(signed.options or {}) < #own.selectors then
      task:set_pre_result('soft reject', 'This message could not be signed, try again later', 'mailhost')
    end
  end,
})

-- Mail from outside in the name of a domain of ours that this domain's own records do not vouch for, whatever they
-- ask others to do about it. Alone it is enough for Junk.
rspamd_config:register_symbol({
  name = 'FORGED_OWN_DOMAIN',
  score = 6.0,
  group = 'policies',
  description = 'From a domain of this host, but not from this host',
  callback = function(task)
    local domain = ((task:get_from('mime') or {})[1] or {}).domain
    return not is_outgoing(task) and domain ~= nil and own_domains[domain:lower()] ~= nil
        and not task:has_symbol('DMARC_POLICY_ALLOW')
  end,
})
rspamd_config:register_dependency('FORGED_OWN_DOMAIN', 'DMARC_CHECK')

-- Where DNS says nothing about the sender's domain, the message is neither accepted nor refused.
rspamd_config:register_symbol({
  name = 'SENDER_DNS_FAILED',
  type = 'postfilter',
  callback = function(task)
    if task:has_pre_result() or is_outgoing(task) then
      return
    end
    if task:has_symbol('DMARC_DNSFAIL') or (task:has_symbol('R_SPF_DNSFAIL') and not task:has_symbol('R_DKIM_ALLOW')) then
      task:set_pre_result('soft reject', 'DNS of the sender does not answer, try again later', 'mailhost')
    end
  end,
})

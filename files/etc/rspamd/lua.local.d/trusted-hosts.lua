-- Machines that send through this host: which one it is, and that the From header has one of its senders. Postfix has
-- let it in, and has checked the envelope's sender.
local lua_maps = require 'lua_maps'

-- What Postfix says where others have logged in (milter_macro_defaults in master.cf).
local MARKER = '{{marker}}'

local hosts = {
{{#each hosts}}
  {
    name = '{{name}}',
    login = {{#if login}}'{{login}}'{{else}}nil{{/if}},
    networks = {
{{#each networks}}
      '{{this}}',
{{/each}}
    },
    has_certificate = {{hasCertificate}},
    senders = {
{{#each senders}}
      ['{{this}}'] = true,
{{/each}}
    },
    limit = {{limit}},
  },
{{/each}}
}
for _, host in ipairs(hosts) do
  if #host.networks > 0 then
    host.at = lua_maps.map_add_from_ucl(host.networks, 'radix', 'networks of the trusted host ' .. host.name)
  end
end

local function may_send_as(host, address)
  local plain = address:lower():gsub('%+[^@]*@', '@')
  return host.senders[address:lower()] or host.senders[plain] or host.senders[plain:match('@.*$') or '']
end

-- In Postfix's order: the network first.
local function find(task, login)
  local ip = task:get_from_ip()
  local envelope = ((task:get_from('smtp') or {})[1] or {}).addr or ''
  for _, host in ipairs(hosts) do
    if login ~= MARKER and host.login == login or login == MARKER and host.at and host.at:get_key(ip) then
      return host
    end
  end
  for _, host in ipairs(hosts) do
    if login == MARKER and host.has_certificate and may_send_as(host, envelope) then
      return host
    end
  end
end

rspamd_config:register_symbol({
  name = 'TRUSTED_HOST',
  type = 'prefilter',
  -- Before OUTGOING_FROM and OUTGOING_LIMIT, which ask who it is.
  priority = 1,
  callback = function(task)
    local login = (task:get_user() or ''):lower()
    local host = find(task, login)
    if not host then
      if login == MARKER then
        task:set_pre_result('reject', 'No trusted host sends this', 'mailhost')
      end
      return
    end
    for _, author in ipairs(task:get_from('mime') or {}) do
      if not may_send_as(host, author.addr or '') then
        task:set_pre_result('reject', string.format('The From header has <%s>, which is no sender of %s',
            author.addr or '', host.name), 'mailhost')
        return
      end
    end
    local trace = login == MARKER and task:get_from_ip():to_string() or 'sasl_username=' .. login
    task:cache_set('trusted_host', { name = host.name, limit = host.limit, trace = trace })
  end,
})

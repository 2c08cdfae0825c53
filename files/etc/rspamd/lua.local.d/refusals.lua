-- A refusal says which list it is for, and how to get off it: whoever was listed by mistake can do something about it.

-- What the symbols of a list look like, its name, and where who is on it finds help.
local LISTS = {
{{#each lists}}
  { '^{{symbol}}$', '{{zone}}', {{#if remove}}'{{remove}}'{{else}}nil{{/if}} },
{{/each}}
  { '^RBL_SPAMHAUS_', 'zen.spamhaus.org', 'https://check.spamhaus.org/' },
  { '^DBL_', 'dbl.spamhaus.org', 'https://check.spamhaus.org/' },
  { '^RBL_MAILSPIKE_', 'rep.mailspike.net', 'https://mailspike.io/ip_verify' },
  { '^RBL_SEM', 'bl.spameatingmonkey.net', 'https://spameatingmonkey.com/lookup' },
  { '^SEM_URIBL', 'uribl.spameatingmonkey.net', 'https://spameatingmonkey.com/lookup' },
  { 'BLOCKLISTDE$', 'bl.blocklist.de', 'https://www.blocklist.de/en/delist.html' },
  { '^RBL_VIRUSFREE_', 'bip.virusfree.cz', 'https://bip.virusfree.cz/' },
  { '^MSBL_EBL', 'ebl.msbl.org', 'https://msbl.org/ebl-removal.html' },
  { 'SURBL', 'multi.surbl.org', 'https://surbl.org/surbl-analysis' },
  { '^URIBL_', 'multi.uribl.com', 'https://admin.uribl.com/' },
}

-- The list that a symbol stands for.
local function list_of(symbol)
  for _, list in ipairs(LISTS) do
    if symbol:find(list[1]) then
      return list
    end
  end
end

rspamd_config:register_symbol({
  name = 'REFUSAL_TEXT',
  type = 'postfilter',
  callback = function(task)
    if task:has_pre_result() or task:get_metric_action() ~= 'reject' then
      return
    end
    local worst, points
    for _, symbol in ipairs(task:get_symbols_all()) do
      local list = symbol.score > (points or 0) and list_of(symbol.name)
      if list then
        worst, points = { list = list, what = (symbol.options or {})[1] }, symbol.score
      end
    end
    if not worst then
      return
    end
    local what = (worst.what or 'its sender'):gsub(':[^:]*$', '')
    local help = worst.list[3] and ('; to be taken off it see ' .. worst.list[3]) or '; ask its keeper to be taken off it'
    -- The words alone: a result of ours would keep Bayes from learning of it.
    task:append_message(
        string.format('This looks like spam, and %s is on the list %s%s', what, worst.list[2], help), 'smtp_message')
  end,
})

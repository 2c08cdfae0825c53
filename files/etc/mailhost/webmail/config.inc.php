<?php
// Roundcube's settings for this host. /etc/roundcube/defaults.inc.php explains each and has those that are not here.
// The package's own /etc/roundcube/config.inc.php is not read: its updates write there.
$config = [];

// What it keeps: addresses, identities, settings, sessions. On the data volume.
$config['db_dsnw'] = 'sqlite:////srv/webmail/roundcube.db?mode=0600';
$config['temp_dir'] = '/srv/webmail/temp';
// $config['des_key']: sessions hold the password, encrypted by it.
require '/etc/mailhost/webmail/key.inc.php';
$config['cipher_method'] = 'AES-256-GCM';

// Mail: this host's own ports, as any mail program would use them. Whoever answers there must show the certificate that
// lies here; that says more than a name, and is as true of one that no authority has signed yet.
$own = ['ssl' => [
    'verify_peer' => false,
    'verify_peer_name' => false,
    'peer_fingerprint' => ['sha256' => openssl_x509_fingerprint(file_get_contents('/srv/tls/fullchain.pem'), 'sha256')],
]];
$config['imap_host'] = 'ssl://127.0.0.1:993';
$config['imap_conn_options'] = $own;
$config['imap_vendor'] = 'dovecot';
$config['imap_timeout'] = 60;
$config['smtp_host'] = 'ssl://127.0.0.1:465';
$config['smtp_conn_options'] = $own;
$config['smtp_helo_host'] = '{{hostname}}';
// As sent; Postfix takes as much (main.cf).
$config['max_message_size'] = '50M';

// Who comes in: anybody with a mailbox, by the whole address.
$config['trusted_host_patterns'] = [{{#each patterns}}'{{this}}'{{#unless @last}}, {{/unless}}{{/each}}];
$config['login_username_filter'] = 'email';
$config['login_rate_limit'] = 5;
$config['use_https'] = true;
$config['session_samesite'] = 'Lax';
// Minutes without a sign of the browser.
$config['session_lifetime'] = 30;

$config['log_driver'] = 'syslog';
$config['syslog_facility'] = LOG_MAIL;
$config['log_logins'] = true;

$config['product_name'] = '{{hostname}}';
$config['display_product_info'] = 0;
$config['support_url'] = '';
$config['skin'] = 'elastic';

// Mail: deleted goes to Trash, as from any other program here; these folders Dovecot makes.
$config['create_default_folders'] = false;
$config['show_real_foldernames'] = false;
$config['draft_autosave'] = 60;
$config['refresh_interval'] = 60;
$config['archive_mbox'] = 'Archive';
$config['mime_param_folding'] = 0;

// Spelling is looked at here (enchant, hunspell), and no word of a letter leaves for it.
$config['enable_spellcheck'] = true;
$config['spellcheck_engine'] = 'enchant';
$config['spellcheck_languages'] = [{{#each dictionaries}}'{{code}}' => '{{name}}'{{#unless @last}}, {{/unless}}{{/each}}];

$config['plugins'] = [
    'mailhost',
    'archive',
    'attachment_reminder',
    'managesieve',
    'markasjunk',
    'vcard_attachments',
{{#if folders}}
    'acl',
{{/if}}
{{#if passwords}}
    'password',
{{/if}}
];

// Rules and absence notes. Dovecot runs the script that is active; this is its name where Roundcube makes it.
$config['managesieve_host'] = 'tls://127.0.0.1:4190';
$config['managesieve_conn_options'] = $own;
$config['managesieve_script_name'] = 'roundcube';
$config['managesieve_default'] = '';
$config['managesieve_vacation'] = 1;
$config['managesieve_vacation_interval'] = 1;
$config['managesieve_vacation_addresses_init'] = true;
{{#if folders}}

// Folders that users share: no rights that nobody understands, and no names of others to pick from.
$config['acl_advanced_mode'] = false;
$config['acl_users_source'] = '';
{{/if}}
{{#if passwords}}

$config['password_driver'] = 'mailhost';
$config['password_confirm_current'] = true;
$config['password_minimum_length'] = {{passwords.shortest}};
{{/if}}

// Junk is what Dovecot learns from where a message is moved; Roundcube only moves it.
$config['markasjunk_spam_mbox'] = 'Junk';
$config['markasjunk_ham_mbox'] = 'INBOX';
$config['markasjunk_read_spam'] = true;

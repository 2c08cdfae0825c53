<?php

/**
 * Tells Dovecot whose browser it is that logs in (https://doc.dovecot.org/2.4/core/config/auth/proxy.html, ID parameters
 * of IMAP; login_trusted_networks in webmail.conf). So its log has the address that a guess comes from, its waits after a
 * wrong password fall on that address, and the host's bans see it as they see any mail program's.
 */
class mailhost extends rcube_plugin
{
    public function init()
    {
        $this->add_hook('storage_connect', [$this, 'introduce']);
    }

    public function introduce($connection)
    {
        $connection['preauth_ident'] = [
            'x-originating-ip' => $_SERVER['REMOTE_ADDR'],
            'x-originating-port' => $_SERVER['REMOTE_PORT'],
        ];

        return $connection;
    }
}

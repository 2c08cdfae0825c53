<?php

/**
 * Hands a change of password to the one program of this host that may make it (/usr/local/lib/mailhost/passwords).
 */
class rcube_mailhost_password
{
    public function save($current, $new, $user)
    {
        $connection = @stream_socket_client('unix:///run/mailhost-passwords', $code, $message, 5);
        if ($connection === false) {
            return PASSWORD_CONNECT_ERROR;
        }
        stream_set_timeout($connection, 60);
        $question = ['user' => $user, 'old' => $current, 'new' => $new, 'client' => $_SERVER['REMOTE_ADDR']];
        fwrite($connection, json_encode($question) . "\n");
        $answer = json_decode((string) fgets($connection), true);
        fclose($connection);

        if (!is_array($answer)) {
            return PASSWORD_CONNECT_ERROR;
        }

        return $answer['done'] ? PASSWORD_SUCCESS : ['code' => PASSWORD_ERROR, 'message' => $answer['why']];
    }
}

<?php
// Written by smarthost.mail (smtp_config). Changes made here are overwritten.
?>
<?php
add_action('phpmailer_init', function ($given) {
    $given->Mailer = 'smtp';
    $given->Host = '127.0.0.1';
    $given->Port = 25;
    $given->SMTPSecure = '';
    $given->SMTPAutoTLS = false;
    $given->SMTPAuth = false;
    $given->Username = '';
    $given->Password = '';
    $given->SMTPOptions = array (
      'ssl' => array (
        'verify_peer' => true,
        'verify_peer_name' => true,
        'allow_self_signed' => false,
      ),
    );
    $given->From = 'noreply@example.com';
    $given->Sender = 'noreply@example.com';
}, PHP_INT_MAX);

<?php
// Written by smarthost.mail (smtp_config). Changes made here are overwritten.
?>
<?php
add_action('phpmailer_init', function ($given) {
    $given->Mailer = 'smtp';
    $given->Host = 'smtp.example.com';
    $given->Port = 465;
    $given->SMTPSecure = 'ssl';
    $given->SMTPAutoTLS = false;
    $given->SMTPAuth = true;
    $given->AuthType = '';
    $given->Username = 'apps@example.com';
    $given->Password = 'dummy-secret-current';
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

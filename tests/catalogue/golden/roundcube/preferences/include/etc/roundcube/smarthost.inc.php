<?php
// Written by smarthost.mail (smtp_config). Changes made here are overwritten.
?>
<?php
$config['smtp_host'] = 'ssl://smtp.example.com:465';
$config['smtp_user'] = 'apps@example.com';
$config['smtp_pass'] = 'dummy-secret-current';
$config['smtp_auth_type'] = 'PLAIN';
$config['smtp_helo_host'] = 'apps.example.com';
$config['smtp_timeout'] = 15;
$config['smtp_conn_options'] = array (
  'ssl' => array (
    'verify_peer' => true,
    'verify_peer_name' => true,
    'allow_self_signed' => false,
  ),
);

<?php
// Written by smarthost.mail (smtp_config). Changes made here are overwritten.
?>
<?php
$config['smtp_host'] = 'smtp://[2001:db8::25]:25';
$config['smtp_user'] = '';
$config['smtp_pass'] = '';
$config['smtp_conn_options'] = array (
  'ssl' => array (
    'verify_peer' => true,
    'verify_peer_name' => true,
    'allow_self_signed' => false,
  ),
);

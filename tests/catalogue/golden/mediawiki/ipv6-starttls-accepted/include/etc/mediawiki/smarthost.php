<?php
// Written by smarthost.mail (smtp_config). Changes made here are overwritten.
?>
<?php
$wgEnableEmail = true;
$wgSMTP = array (
  'host' => '[2001:db8::25]',
  'port' => 587,
  'auth' => true,
  'username' => 'apps@example.com',
  'password' => 'dummy-secret-current',
  'socket_options' => array (
    'ssl' => array (
      'verify_peer' => true,
      'verify_peer_name' => true,
      'allow_self_signed' => false,
    ),
  ),
);
$wgPasswordSender = 'noreply@example.com';
$wgEmergencyContact = 'noreply@example.com';

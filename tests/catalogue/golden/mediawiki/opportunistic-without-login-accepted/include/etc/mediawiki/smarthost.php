<?php
// Written by smarthost.mail (smtp_config). Changes made here are overwritten.
?>
<?php
$wgEnableEmail = true;
$wgSMTP = array (
  'host' => 'smtp.example.com',
  'port' => 25,
  'auth' => false,
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

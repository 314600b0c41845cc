<?php
// Written by smarthost.mail (smtp_config). Changes made here are overwritten.
?>
<?php
$wgEnableEmail = true;
$wgSMTP = array (
  'host' => 'smtp.example.com',
  'port' => 465,
  'auth' => false,
  'socket_options' => array (
    'ssl' => array (
      'verify_peer' => false,
      'verify_peer_name' => false,
      'allow_self_signed' => true,
    ),
  ),
);
$wgPasswordSender = 'noreply@example.com';
$wgEmergencyContact = 'noreply@example.com';

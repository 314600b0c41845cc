<?php
// Written by smarthost.mail (smtp_config). Changes made here are overwritten.
?>
<?php
$CONFIG = array (
  'mail_smtpmode' => 'smtp',
  'mail_smtphost' => 'smtp.example.com',
  'mail_smtpport' => 465,
  'mail_smtpsecure' => 'ssl',
  'mail_smtpauth' => true,
  'mail_smtpname' => 'apps@example.com',
  'mail_smtppassword' => 'dummy-secret-current',
  'mail_from_address' => 'noreply',
  'mail_domain' => 'example.com',
  'mail_smtpstreamoptions' => array (
    'ssl' => array (
      'verify_peer' => true,
      'verify_peer_name' => true,
      'allow_self_signed' => false,
    ),
  ),
);

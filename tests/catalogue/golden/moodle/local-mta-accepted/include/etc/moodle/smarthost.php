<?php
// Written by smarthost.mail (smtp_config). Changes made here are overwritten.
?>
<?php
$CFG->noemailever = false;
$CFG->smtphosts = '127.0.0.1:25';
$CFG->smtpsecure = '';
$CFG->smtpuser = '';
$CFG->smtppass = '';
$CFG->noreplyaddress = 'noreply@example.com';

<?php
// Written by smarthost.mail (smtp_config). Changes made here are overwritten.
?>
<?php
$CFG->noemailever = false;
$CFG->smtphosts = 'smtp.example.com:465';
$CFG->smtpsecure = 'ssl';
$CFG->smtpuser = 'apps@example.com';
$CFG->smtppass = 'dummy-secret-current';

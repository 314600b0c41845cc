<?php
// Written by smarthost.mail (smtp_config). Changes made here are overwritten.
?>
<?php
$CFG->noemailever = true;

<?php
// Written by smarthost.mail (smtp_config). Changes made here are overwritten.
?>
<?php
add_filter('pre_wp_mail', function () {
    return false;
}, PHP_INT_MAX);

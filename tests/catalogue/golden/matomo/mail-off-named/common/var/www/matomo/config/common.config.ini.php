; Written by smarthost.mail (smtp_config). Changes made here are overwritten.
; <?php exit; ?> DO NOT REMOVE THIS LINE

[General]
emails_enabled = 0

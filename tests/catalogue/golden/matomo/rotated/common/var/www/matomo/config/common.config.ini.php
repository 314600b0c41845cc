; Written by smarthost.mail (smtp_config). Changes made here are overwritten.
; <?php exit; ?> DO NOT REMOVE THIS LINE

[General]
emails_enabled = 1
noreply_email_address = "noreply@example.com"

[mail]
transport = "smtp"
host = "smtp.example.com"
port = 465
type = "LOGIN"
username = "apps@example.com"
password = "dummy-secret-next"
encryption = "ssl"
ssl_verify_peer = 1
ssl_verify_peer_name = 1
ssl_disallow_self_signed = 1

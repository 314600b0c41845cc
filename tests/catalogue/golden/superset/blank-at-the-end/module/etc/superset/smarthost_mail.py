# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
SMTP_HOST = 'smtp.example.com'
SMTP_PORT = 465
SMTP_STARTTLS = False
SMTP_SSL = True
SMTP_SSL_SERVER_AUTH = True
SMTP_USER = 'apps@example.com'
SMTP_PASSWORD = 'dummy-secret '
SMTP_MAIL_FROM = 'noreply@example.com'

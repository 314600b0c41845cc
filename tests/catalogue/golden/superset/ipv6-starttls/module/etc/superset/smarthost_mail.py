# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
SMTP_HOST = '2001:db8::25'
SMTP_PORT = 587
SMTP_STARTTLS = True
SMTP_SSL = False
SMTP_SSL_SERVER_AUTH = True
SMTP_USER = 'apps@example.com'
SMTP_PASSWORD = 'dummy-secret-current'
SMTP_MAIL_FROM = 'noreply@example.com'

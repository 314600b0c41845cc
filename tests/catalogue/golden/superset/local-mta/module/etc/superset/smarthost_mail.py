# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
SMTP_HOST = '127.0.0.1'
SMTP_PORT = 25
SMTP_STARTTLS = False
SMTP_SSL = False
SMTP_SSL_SERVER_AUTH = True
SMTP_USER = ''
SMTP_PASSWORD = ''
SMTP_MAIL_FROM = 'noreply@example.com'

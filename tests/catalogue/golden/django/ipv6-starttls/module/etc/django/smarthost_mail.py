# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
EMAIL_BACKEND = 'django.core.mail.backends.smtp.EmailBackend'
EMAIL_HOST = '2001:db8::25'
EMAIL_PORT = 587
EMAIL_HOST_USER = 'apps@example.com'
EMAIL_HOST_PASSWORD = 'dummy-secret-current'
EMAIL_USE_TLS = True
EMAIL_USE_SSL = False
DEFAULT_FROM_EMAIL = 'noreply@example.com'
SERVER_EMAIL = 'noreply@example.com'

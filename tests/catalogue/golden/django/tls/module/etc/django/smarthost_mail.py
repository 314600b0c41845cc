# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
EMAIL_BACKEND = 'django.core.mail.backends.smtp.EmailBackend'
EMAIL_HOST = 'smtp.example.com'
EMAIL_PORT = 465
EMAIL_HOST_USER = 'apps@example.com'
EMAIL_HOST_PASSWORD = 'dummy-secret-current'
EMAIL_USE_TLS = False
EMAIL_USE_SSL = True
DEFAULT_FROM_EMAIL = 'noreply@example.com'
SERVER_EMAIL = 'noreply@example.com'

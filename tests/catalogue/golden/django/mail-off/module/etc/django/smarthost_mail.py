# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
EMAIL_BACKEND = 'django.core.mail.backends.dummy.EmailBackend'

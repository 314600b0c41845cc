# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
EMAIL = {'SERVER': '127.0.0.1', 'PORT': 25, 'USERNAME': '', 'PASSWORD': '', 'USE_TLS': False, 'USE_SSL': False, 'FROM_EMAIL': 'noreply@example.com'}

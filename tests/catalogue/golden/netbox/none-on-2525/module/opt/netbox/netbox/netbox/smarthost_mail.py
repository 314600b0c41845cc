# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
EMAIL = {'SERVER': 'smtp.example.com', 'PORT': 2525, 'USERNAME': '', 'PASSWORD': '', 'USE_TLS': False, 'USE_SSL': False, 'FROM_EMAIL': 'noreply@example.com'}

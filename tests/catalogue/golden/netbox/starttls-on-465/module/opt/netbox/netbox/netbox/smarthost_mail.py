# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
EMAIL = {'SERVER': 'smtp.example.com', 'PORT': 465, 'USERNAME': 'apps@example.com', 'PASSWORD': 'dummy-secret-current', 'USE_TLS': True, 'USE_SSL': False, 'FROM_EMAIL': 'noreply@example.com'}

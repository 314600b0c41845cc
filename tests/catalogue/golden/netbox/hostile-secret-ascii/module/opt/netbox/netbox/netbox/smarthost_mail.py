# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
EMAIL = {'SERVER': 'smtp.example.com', 'PORT': 465, 'USERNAME': 'apps@example.com', 'PASSWORD': 'p@ss w"o\'r\\d $HOME #;%s`{{x}} u', 'USE_TLS': False, 'USE_SSL': True, 'FROM_EMAIL': 'noreply@example.com'}

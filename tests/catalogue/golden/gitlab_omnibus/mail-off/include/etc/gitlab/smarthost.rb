# frozen_string_literal: true
# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
gitlab_rails['gitlab_email_enabled'] = false

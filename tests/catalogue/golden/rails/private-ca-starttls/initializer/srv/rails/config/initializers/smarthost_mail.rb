# frozen_string_literal: true
# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
ActionMailer::Base.delivery_method = :smtp
ActionMailer::Base.perform_deliveries = true
ActionMailer::Base.smtp_settings = {
  address: 'smtp.example.com',
  port: 587,
  user_name: 'apps@example.com',
  password: 'dummy-secret-current',
  authentication: 'plain',
  enable_starttls: true,
  enable_starttls_auto: false,
  openssl_verify_mode: 'peer',
  ca_file: '/etc/ssl/private-ca.pem',
}
ActionMailer::Base.default_options = {
  from: 'noreply@example.com',
}

# frozen_string_literal: true
# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
ActionMailer::Base.delivery_method = :smtp
ActionMailer::Base.perform_deliveries = true
ActionMailer::Base.smtp_settings = {
  address: 'smtp.example.com',
  port: 465,
  user_name: 'apps@example.com',
  password: 'dummy-secret-current',
  authentication: 'plain',
  enable_starttls_auto: false,
  tls: true,
  openssl_verify_mode: 'peer',
}
ActionMailer::Base.default_options = {
  from: 'noreply@example.com',
}

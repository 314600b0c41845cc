# frozen_string_literal: true
# Written by smarthost.mail (smtp_config). Changes made here are overwritten.
ActionMailer::Base.perform_deliveries = false

#!/usr/bin/python
# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module smtp_probe: proves from this host that an SMTP relay does what was declared, or says why not."""

from __future__ import annotations

DOCUMENTATION = r"""
module: smtp_probe
short_description: Prove that an SMTP relay answers, is secure, takes the login and accepts the sender
version_added: 0.1.0
description:
  - Holds one conversation with an SMTP relay from the host on which the module runs, and reports every step of it with the
    server's reply in plain words.
  - What goes wrong is named by one category of a closed list, with the remedies that are likely to help.
  - Nothing is changed on the host or at the relay, and no message is sent, unless O(send) asks for one.
  - A login is tried once at most. A rejected login is never tried again with another mechanism, so the module locks no account.
author:
  - Smarthost Maintainers (@smarthost)
requirements:
  - Python 3.8 or later on the target, and nothing else
options:
  host:
    description: Name or address of the relay, or the path of its unix socket. Needed unless O(relays) is given.
    type: str
  port:
    description:
      - Port of the relay.
      - From O(security) when left out, V(25) for V(none) and V(opportunistic), V(587) for V(starttls), V(465) for V(tls).
    type: int
  security:
    description:
      - How the connection is secured. V(starttls) requires STARTTLS; V(tls) is TLS from the first byte;
        V(opportunistic) uses STARTTLS where it is offered, and clear text elsewhere.
      - From O(port) when left out, V(tls) for 465 and 2465, V(starttls) for 25, 587, 2525 and 2587. With any other port it must be said.
      - V(tls) when neither is given. V(none) for a unix socket, and for LMTP on port 24.
    type: str
    choices: [none, opportunistic, starttls, tls]
  protocol:
    description: V(lmtp) speaks RFC 2033 instead of SMTP. Its port is V(24) when left out, and each recipient has an answer of its own.
    type: str
    choices: [smtp, lmtp]
    default: smtp
  addresses:
    description:
      - Which addresses of O(host) to use. V(first) is the first one that answers, V(ipv4) and V(ipv6) the first one of that family.
      - V(all) also looks at each of the others alone, without the login, as far as TLS. RV(addresses) then tells what each one came to,
        and RV(notices) how they differ.
    type: str
    choices: [first, all, ipv4, ipv6]
    default: first
  source_address:
    description: Address of this host to connect from.
    type: str
  resolve:
    description:
      - What to look O(host) up as. V(mx) goes to the best mail exchanger of that domain, on port 25 unless O(port) says otherwise;
        V(srv) to the submission service that the domain announces (RFC 6186), at its port.
      - Needs the Python library C(dnspython) on the host for V(mx) and V(srv).
      - With a login, O(tls_server_name) or O(tls_fingerprints) must say whom to trust, since DNS proves nothing.
    type: str
    choices: [host, mx, srv]
    default: host
  proxy:
    description:
      - Proxy to go through, as V(socks5://user:password@host:1080) or V(http://host:3128). In name and password, special characters
        are written as in every URL, such as C(%40) for C(@).
      - The proxy looks O(host) up. What fails there has RV(stage=proxy).
    type: str
  proxy_protocol:
    description:
      - Begin the connection with a header of HAProxy's PROXY protocol, for a relay that stands behind a load balancer and accepts nothing
        else. It tells this host's own address; through O(proxy), none.
    type: str
    choices: ['off', v1, v2]
    default: 'off'
  dns_servers:
    description: Servers to ask for the records of O(resolve), O(dane) and O(mta_sts), each an address, or an address and a port. Those of the
      system when left out.
    type: list
    elements: str
  dane:
    description:
      - V(report) tells in RV(dane) whether the relay's certificate is the one that its TLSA records name (RFC 7672). It never fails
        the probe.
      - Needs the Python library C(dnspython) on the host, and a resolver that validates DNSSEC.
    type: str
    choices: ['off', report]
    default: 'off'
  mta_sts:
    description:
      - V(report) tells in RV(mta_sts) what the domain O(host) publishes for MTA-STS (RFC 8461), whether its policy names the relay, or
        with O(resolve=mx) every mail exchanger, and whether the relay keeps to it. It never fails the probe.
      - The record is looked up and the policy fetched anew, within O(timeout), over HTTPS whose certificate is always verified.
      - Needs the Python library C(dnspython) on the host.
    type: str
    choices: ['off', report]
    default: 'off'
  mta_sts_url:
    description: Where the policy is, if not at C(https://mta-sts.DOMAIN/.well-known/mta-sts.txt). For tests, and before it is published.
    type: str
  mta_sts_ca_path:
    description: File or folder with the CAs to trust there, in PEM, in the place of those of the system.
    type: path
  validate_certs:
    description: Whether the relay's certificate must be valid, meaning chain, dates and name.
    type: bool
    default: true
  ca_path:
    description: File or folder with the CAs to trust, in PEM. See O(ca_mode).
    type: path
  ca_mode:
    description: Whether the CAs in O(ca_path) replace those of the system or are trusted beside them.
    type: str
    choices: [replace, add]
    default: replace
  client_cert:
    description: File with the certificate that this host shows to the relay, in PEM.
    type: path
  client_key:
    description: File with the key of O(client_cert), in PEM. That file itself when left out.
    type: path
  client_key_password:
    description: What O(client_key) is encrypted with.
    type: str
  tls_server_name:
    description: Name that the certificate must carry, when O(host) is an address or an alias.
    type: str
  tls_min_version:
    description: Lowest TLS version to accept.
    type: str
    choices: ['1.0', '1.1', '1.2', '1.3']
    default: '1.2'
  tls_ciphers:
    description: Ciphers to offer for TLS 1.2 and older, as OpenSSL writes a list of them. Those of Python 3.10 and later when left out.
    type: str
  tls_x509_strict:
    description:
      - Whether the certificate chain must also pass OpenSSL's strict checks (X509_STRICT), which Python 3.13 and later switch on by
        default. What breaks one is V(cert_strict).
      - With V(false), RV(notices) tells where they would fail, as far as the chain can be seen.
    type: bool
    default: false
  tls_fingerprints:
    description:
      - SHA-256 fingerprints, such as V(sha256:ab01...) of the relay's certificate or V(spki-sha256:ab01...) of its public key. One of
        them must match. A public key can stay the same when the certificate is renewed.
      - Holds also where O(validate_certs) is V(false).
    type: list
    elements: str
  min_cert_days:
    description: Days that the relay's certificate must still be valid. Without TLS there is nothing to check.
    type: int
  username:
    description: Login name. Needs O(password) or O(oauth2).
    type: str
  password:
    description: Password or API key of the login. It is in no result, not even where the relay says it back.
    type: str
  type:
    description:
      - What takes the mail. V(smtp) is an SMTP relay.
      - V(ms_graph) is Microsoft Graph, which sends for the mailbox O(from) without SMTP. It needs O(oauth2) and the permission Mail.Send.
      - With V(ms_graph), O(level=auth) has the token looked at and taken by Graph. That is as far as one can see without sending;
        O(level=envelope) also wants the mailbox to answer where the application may read users, and RV(blind_spots) says where not.
        O(send) posts the message.
    type: str
    choices: [smtp, ms_graph]
    default: smtp
  oauth2:
    description:
      - Log in with an OAuth2 access token instead of O(password), by XOAUTH2 or OAUTHBEARER, for the mailbox O(username), or O(from)
        when that is left out.
      - The token is fetched by client credentials, a refresh token or a signed JWT, and looked at before the relay is asked. One that
        has ended is V(token_error), one for another audience, role or scope is V(token_wrong_scope). An opaque token is tried as it is.
    type: dict
    suboptions:
      tenant_id:
        description: Microsoft Entra tenant, as an id or a domain. Short form for Microsoft's token address and scope.
        type: str
      client_id:
        description: Id of the registered application; for a Google service account, its address.
        type: str
      client_secret:
        description: Secret of the registered application.
        type: str
      token:
        description: An access token that is already there. Nothing is fetched then.
        type: str
      token_url:
        description:
          - Where tokens are given out. From O(oauth2.tenant_id) when left out, and Google's for a host of Gmail.
          - Must be https, except on this host itself. No redirect is followed.
        type: str
      scope:
        description: Scope to ask for. When left out, what the relay of the provider needs.
        type: str
      refresh_token:
        description: Refresh token of the account, for a grant that a person has given once.
        type: str
      jwt_key:
        description:
          - Private RSA key in PEM, without a passphrase. It signs with RS256.
          - With O(oauth2.tenant_id) it proves the application in the place of a secret; elsewhere it signs a JWT bearer grant (RFC
            7523) for O(username), as Google's service accounts do.
        type: str
      jwt_thumbprint:
        description: SHA-1 or SHA-256 of the certificate that belongs to O(oauth2.jwt_key), in hexadecimal. Microsoft needs it.
        type: str
      client_assertion:
        description: A signed assertion that is already there, in the place of O(oauth2.client_secret).
        type: str
      grant:
        description: How to ask for the token. When left out, what the given secrets are good for.
        type: str
        choices: [client_credentials, refresh_token, jwt_bearer]
      ca_path:
        description:
          - File or folder with the CAs to trust at O(oauth2.token_url), in PEM, in the place of those of the system.
          - The certificate is always verified there.
        type: path
  graph_url:
    description: Where Microsoft Graph is. For a sovereign cloud, such as V(https://graph.microsoft.us), or for tests.
    type: str
    default: https://graph.microsoft.com
  auth_mechanisms:
    description:
      - Login mechanisms that may be used, in this order. Any of SCRAM-SHA-256-PLUS, SCRAM-SHA-256, SCRAM-SHA-1-PLUS, SCRAM-SHA-1,
        CRAM-MD5, PLAIN, LOGIN, NTLM (called SPA by some), XOAUTH2, OAUTHBEARER and EXTERNAL.
      - When left out, with O(password) the strongest one that the relay offers, in the order above, and NTLM only where it offers no other;
        with an OAuth2 token XOAUTH2 or OAUTHBEARER; with a client certificate and no password EXTERNAL.
      - The next one is tried only where the relay does not have the one before, never after a rejected login.
      - With SCRAM the relay must prove that it knows the password too. The mechanisms in C(-PLUS) tie the login to the relay's certificate,
        so that nobody in between can pass it on.
    type: list
    elements: str
  auth_domain:
    description: Domain of the login, for NTLM. May also be written in O(username), as domain, backslash, name.
    type: str
  allow_plaintext_auth:
    description: Send a login also over a connection without TLS. Connections to the host itself are always allowed.
    type: bool
    default: false
  helo:
    description: Name to greet the relay with. When left out, this host's full name, or its address if it has no such name.
    type: str
  timeout:
    description: Seconds for the whole probe, looking up the name and O(diagnose) included. No server can stretch it.
    type: float
    default: 30
  step_timeout:
    description:
      - Seconds for each step of the conversation, which are connecting to one address, the greeting, the TLS handshake and the answer to one
        command. What a step takes counts towards O(timeout) all the same. As long as O(timeout) allows when left out.
    type: float
  from:
    description: Address of the sender, as V(user@example.com), or with the name that the test message carries, as
      V(Example <user@example.com>). The envelope has the address alone.
    type: str
  also_from:
    description:
      - Addresses of further senders. With O(level=envelope) each has an envelope of its own in the same conversation, after the same login.
      - Excludes O(send).
    type: list
    elements: str
  to:
    description:
      - Addresses of the recipients.
      - Left out with O(level=envelope), the sender's own address stands in for them. What the relay says of it counts only where it speaks
        of the sender or the login. If it is refused or put off (greylisting), RV(recipient) is V(not_tested).
    type: list
    elements: str
  level:
    description:
      - How far to go. V(connect) is answered by name; V(tls) also has the connection that was declared; V(auth) also logs in;
        V(envelope) also has sender and recipients accepted, and takes them back.
      - When left out, V(envelope) with O(from), else V(auth) with O(username), else V(tls). With O(send), V(envelope).
        With O(type=ms_graph), V(auth), as far as one can see without sending.
    type: str
    choices: [connect, tls, auth, envelope]
  send:
    description:
      - Whether to send a test message. V(on_change) sends one for each distinct set of settings, remembered in O(state_dir).
      - Relay, TLS, O(helo), O(username), O(credential_id), O(auth_mechanisms), sender, recipients and the options of the message are
        such settings. The password is not, since no trace of it is kept; a new one under the same name is proved by logging in.
    type: str
    choices: [never, on_change, always]
    default: never
  subject:
    description: Subject of the test message.
    type: str
  reply_to:
    description: Address for answers to the test message, as V(help@example.com) or V(Help <help@example.com>).
    type: str
  message_options:
    description: How the test message is to look.
    type: dict
    suboptions:
      signature:
        description: Line under the text.
        type: str
      charset:
        description: Character set, V(utf-8) when left out and where the text needs more than the one that was given.
        type: str
      plain_text:
        description: V(true) for plain text only, V(false) for HTML beside it. V(true) when left out.
        type: bool
  credential_id:
    description: Label of the login, never secret. With O(send=on_change) a new label makes a new message due.
    type: str
  expect:
    description:
      - What the probe must find in order to succeed. Everything that it does not find is named in RV(expect_unmet).
    type: dict
    suboptions:
      category:
        description:
          - The category that is wanted, which may be a refusal, such as V(auth_failed) for a revoked password.
          - V(auth_failed) is met by nothing less than a refusal of the login itself with 535. A refusal for now (4xx), a timeout
            or a TLS error proves nothing about the password.
        type: str
      min_cert_days:
        description: Days that the relay's certificate must still be valid.
        type: int
      starttls:
        description: Whether STARTTLS must be offered, V(true), or must not be, V(false).
        type: bool
      auth:
        description: Login mechanisms that must be offered, where the login takes place.
        type: list
        elements: str
      no_plain_before_tls:
        description: When V(true), neither PLAIN nor LOGIN may be offered before TLS.
        type: bool
      tls_version:
        description: TLS version that must be agreed, as V(1.3), or V(>=1.2) for that one or later.
        type: str
      features:
        description: EHLO keywords that must be offered once TLS is there, such as V(PIPELINING) and V(SMTPUTF8).
        type: list
        elements: str
  diagnose:
    description: On failure, make further connections, without the login, to confirm the cause. All end within O(timeout).
    type: bool
    default: true
  state_dir:
    description: Folder for the receipts of O(send=on_change). They hold no secret.
    type: path
    default: /var/lib/smarthost
  fail:
    description:
      - Whether the task fails when a relay does not do what was asked. V(false) reports over many relays and leaves the verdict to
        RV(ok). Wrong options fail all the same.
    type: bool
    default: true
  relays:
    description:
      - Several relays, probed at the same time. Each takes the same options as the module, and from the module those that it leaves out.
    type: list
    elements: dict
    suboptions:
      name:
        description: Label in the result.
        type: str
      host:
        description: As O(host). Needed here.
        type: str
      port:
        description: As O(port).
        type: int
      security:
        description: As O(security).
        type: str
        choices: [none, opportunistic, starttls, tls]
      protocol:
        description: As O(protocol).
        type: str
        choices: [smtp, lmtp]
      addresses:
        description: As O(addresses).
        type: str
        choices: [first, all, ipv4, ipv6]
      source_address:
        description: As O(source_address).
        type: str
      resolve:
        description: As O(resolve).
        type: str
        choices: [host, mx, srv]
      proxy:
        description: As O(proxy).
        type: str
      proxy_protocol:
        description: As O(proxy_protocol).
        type: str
        choices: ['off', v1, v2]
      dns_servers:
        description: As O(dns_servers).
        type: list
        elements: str
      dane:
        description: As O(dane).
        type: str
        choices: ['off', report]
      mta_sts:
        description: As O(mta_sts).
        type: str
        choices: ['off', report]
      mta_sts_url:
        description: As O(mta_sts_url).
        type: str
      mta_sts_ca_path:
        description: As O(mta_sts_ca_path).
        type: path
      validate_certs:
        description: As O(validate_certs).
        type: bool
      ca_path:
        description: As O(ca_path).
        type: path
      ca_mode:
        description: As O(ca_mode).
        type: str
        choices: [replace, add]
      client_cert:
        description: As O(client_cert).
        type: path
      client_key:
        description: As O(client_key).
        type: path
      client_key_password:
        description: As O(client_key_password).
        type: str
      tls_server_name:
        description: As O(tls_server_name).
        type: str
      tls_min_version:
        description: As O(tls_min_version).
        type: str
        choices: ['1.0', '1.1', '1.2', '1.3']
      tls_ciphers:
        description: As O(tls_ciphers).
        type: str
      tls_x509_strict:
        description: As O(tls_x509_strict).
        type: bool
      tls_fingerprints:
        description: As O(tls_fingerprints).
        type: list
        elements: str
      min_cert_days:
        description: As O(min_cert_days).
        type: int
      username:
        description: As O(username).
        type: str
      password:
        description: As O(password).
        type: str
      type:
        description: As O(type).
        type: str
        choices: [smtp, ms_graph]
      oauth2:
        description: As O(oauth2).
        type: dict
        suboptions:
          tenant_id:
            description: As O(oauth2.tenant_id).
            type: str
          client_id:
            description: As O(oauth2.client_id).
            type: str
          client_secret:
            description: As O(oauth2.client_secret).
            type: str
          token:
            description: As O(oauth2.token).
            type: str
          token_url:
            description: As O(oauth2.token_url).
            type: str
          scope:
            description: As O(oauth2.scope).
            type: str
          refresh_token:
            description: As O(oauth2.refresh_token).
            type: str
          jwt_key:
            description: As O(oauth2.jwt_key).
            type: str
          jwt_thumbprint:
            description: As O(oauth2.jwt_thumbprint).
            type: str
          client_assertion:
            description: As O(oauth2.client_assertion).
            type: str
          grant:
            description: As O(oauth2.grant).
            type: str
            choices: [client_credentials, refresh_token, jwt_bearer]
          ca_path:
            description: As O(oauth2.ca_path).
            type: path
      graph_url:
        description: As O(graph_url).
        type: str
      auth_mechanisms:
        description: As O(auth_mechanisms).
        type: list
        elements: str
      auth_domain:
        description: As O(auth_domain).
        type: str
      allow_plaintext_auth:
        description: As O(allow_plaintext_auth).
        type: bool
      helo:
        description: As O(helo).
        type: str
      timeout:
        description: As O(timeout).
        type: float
      step_timeout:
        description: As O(step_timeout).
        type: float
      from:
        description: As O(from).
        type: str
      also_from:
        description: As O(also_from).
        type: list
        elements: str
      to:
        description: As O(to).
        type: list
        elements: str
      level:
        description: As O(level).
        type: str
        choices: [connect, tls, auth, envelope]
      send:
        description: As O(send).
        type: str
        choices: [never, on_change, always]
      subject:
        description: As O(subject).
        type: str
      reply_to:
        description: As O(reply_to).
        type: str
      message_options:
        description: As O(message_options).
        type: dict
        suboptions:
          signature:
            description: As O(message_options.signature).
            type: str
          charset:
            description: As O(message_options.charset).
            type: str
          plain_text:
            description: As O(message_options.plain_text).
            type: bool
      credential_id:
        description: As O(credential_id).
        type: str
      expect:
        description: As O(expect).
        type: dict
        suboptions:
          category:
            description: As O(expect.category).
            type: str
          min_cert_days:
            description: As O(expect.min_cert_days).
            type: int
          starttls:
            description: As O(expect.starttls).
            type: bool
          auth:
            description: As O(expect.auth).
            type: list
            elements: str
          no_plain_before_tls:
            description: As O(expect.no_plain_before_tls).
            type: bool
          tls_version:
            description: As O(expect.tls_version).
            type: str
          features:
            description: As O(expect.features).
            type: list
            elements: str
      diagnose:
        description: As O(diagnose).
        type: bool
      state_dir:
        description: As O(state_dir).
        type: path
  seal_key:
    description:
      - For the action plugin of this name only, which seals every secret among the options on the controller, so that none is in what
        Ansible keeps on the target with C(ANSIBLE_KEEP_REMOTE_FILES).
    type: str
notes:
  - Give several relays in O(relays), not in a C(loop). For each item of a loop Ansible prints a label of its own, which is the whole item, password
    included, and nothing in a module can change that. Where it must be a loop, set C(loop_control.label) to something without secrets, such as
    C({{ item.name }}).
attributes:
  check_mode:
    support: full
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    details: Everything but sending the message is done, and whether a message would be sent is predicted.
  diff_mode:
    support: full
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
    details: With O(send=on_change), what has changed at the relay since the message was sent, such as a renewed certificate.
  action:
    support: full
    description: Runs an action plugin on the controller.
  async:
    support: full
    description: Can be run with async.
"""

EXAMPLES = r"""
- name: Prove that this host can log in at the relay
  smarthost.mail.smtp_probe:
    host: smtp.example.com
    username: apps@example.com
    password: "{{ vault_smtp_password }}"

- name: Have sender and recipient accepted too, at a relay with its own CA
  smarthost.mail.smtp_probe:
    host: smtp.example.com
    port: 587
    ca_path: /etc/ssl/private-ca.pem
    username: apps@example.com
    password: "{{ vault_smtp_password }}"
    from: noreply@example.com
    to: [postmaster@example.com]
    level: envelope

- name: Prove that the old password is dead
  smarthost.mail.smtp_probe:
    host: smtp.example.com
    username: apps@example.com
    password: "{{ vault_smtp_password_old }}"
    expect:
      category: auth_failed

- name: Send one message whenever the settings have changed
  smarthost.mail.smtp_probe:
    host: smtp.example.com
    username: apps@example.com
    password: "{{ vault_smtp_password }}"
    from: noreply@example.com
    to: [postmaster@example.com]
    send: on_change

- name: Log in at Microsoft 365 as an application, with a token instead of a password
  smarthost.mail.smtp_probe:
    host: smtp.office365.com
    port: 587
    from: noreply@example.com
    oauth2:
      tenant_id: 00000000-0000-0000-0000-000000000000
      client_id: 11111111-1111-1111-1111-111111111111
      client_secret: "{{ vault_entra_secret }}"

- name: Prove that Microsoft Graph sends for this mailbox
  smarthost.mail.smtp_probe:
    type: ms_graph
    from: noreply@example.com
    to: [postmaster@example.com]
    send: on_change
    oauth2:
      tenant_id: 00000000-0000-0000-0000-000000000000
      client_id: 11111111-1111-1111-1111-111111111111
      jwt_key: "{{ vault_entra_key }}"
      jwt_thumbprint: 84e05c1d98bce3a5421d225b140b36e86a3d5534

- name: Log in at Gmail as a service account with domain-wide delegation
  smarthost.mail.smtp_probe:
    host: smtp.gmail.com
    username: noreply@example.com
    oauth2:
      client_id: mailer@project.iam.gserviceaccount.com
      jwt_key: "{{ vault_google_service_account.private_key }}"

- name: See what a domain promises to those who send it mail, and whether its exchangers keep to it
  smarthost.mail.smtp_probe:
    host: example.com
    resolve: mx
    port: 25
    security: starttls
    dane: report
    mta_sts: report

- name: Look at two relays at once, and at how long their certificates last
  smarthost.mail.smtp_probe:
    expect:
      min_cert_days: 14
    relays:
      - name: main
        host: smtp.example.com
      - name: fallback
        host: smtp.example.org
        port: 587
"""

RETURN = r"""
ok:
  description: Whether the level was reached and everything expected was found. With several relays, whether that holds for all.
  returned: always
  type: bool
  sample: false
name:
  description: What the relay was called; its host and port where it has no name.
  returned: when probing one relay
  type: str
  sample: main
host: {description: The host that was probed., returned: when probing one relay, type: str, sample: smtp.example.com}
port: {description: Its port., returned: when probing one relay, type: int, sample: 587}
security: {description: How the connection was to be secured., returned: when probing one relay, type: str, sample: starttls}
category:
  description: What happened, as one word of a closed list. V(ok) if the level was reached.
  returned: when probing one relay
  type: str
  sample: auth_failed
observed:
  description: What was seen, also where RV(category) is V(expect_unmet).
  returned: when probing one relay
  type: str
  sample: auth_failed
confidence:
  description:
    - How sure RV(category) is. V(certain) was seen, confirmed by a further connection, or said by a relay that is known to mean that;
      V(likely) was concluded from words or registered codes; V(guess) from the step at which it happened, as where there are several
      usual causes.
  returned: when probing one relay
  type: str
  sample: certain
stage:
  description: The step at which it happened. Empty if all went well.
  returned: when probing one relay
  type: str
  sample: auth
level:
  description: The level that was asked for.
  returned: when probing one relay
  type: str
  sample: auth
level_reached:
  description: The last level that was reached. V(message) if a message was accepted, empty if none was reached.
  returned: when probing one relay
  type: str
  sample: tls
reply:
  description: The decisive reply, with its meaning.
  returned: when probing one relay
  type: dict
  sample: {code: 535, enhanced: 5.7.8, text: "Error: authentication failed", meaning: user name or password not valid}
diagnosis:
  description: What is wrong, in one sentence.
  returned: when probing one relay
  type: str
  sample: smtp.example.com:587 rejected the login of "apps@example.com" (PLAIN).
remedies:
  description: What to do, most likely first.
  returned: when probing one relay
  type: list
  elements: str
  sample: [Correct the username or the password; the connection itself is fine.]
confirmed_by:
  description: What further connections, without the login, showed. Empty if there were none or they told nothing.
  returned: when probing one relay
  type: str
  sample: a second connection began with TLS and was greeted
provider:
  description: The provider that was recognised. Empty if none was.
  returned: when probing one relay
  type: str
  sample: m365
expect_unmet:
  description: What was expected and not found.
  returned: when probing one relay
  type: list
  elements: str
  sample: []
notices:
  description: What did not fail the probe and may fail another client, or this one soon. Shown as warnings, too.
  returned: when probing one relay
  type: list
  elements: str
  sample: ["not every address offers what 192.0.2.1 does: AUTH"]
blind_spots:
  description: What this level cannot see.
  returned: when probing one relay
  type: list
  elements: str
  sample: [whether this login may use the sender]
steps:
  description: Every step with its reply and how long it took, in milliseconds.
  returned: when probing one relay
  type: list
  elements: dict
  sample: [{name: greeting, ok: true, ms: 12.1, code: 220, enhanced: "", text: smtp.example.com ESMTP, meaning: ready}]
tls:
  description: What was agreed, and the relay's certificate, also where it was not accepted. Empty without TLS.
  returned: when probing one relay
  type: dict
  sample: {version: TLSv1.3, cipher: TLS_AES_256_GCM_SHA384, verified: true, subject: CN=smtp.example.com, names: [smtp.example.com],
    issuer: CN=Example CA, not_before: "2026-09-01T00:00:00Z", not_after: "2026-12-01T00:00:00Z", days_left: 10, sha256: ab01,
    spki_sha256: cd23, would_pass_strict: true, strict_problem: ""}
capabilities:
  description: What the relay offered before and after TLS, keyword to parameters.
  returned: when probing one relay
  type: dict
  sample: {before_tls: {STARTTLS: ""}, after_tls: {AUTH: PLAIN LOGIN, SIZE: "10240000"}}
auth:
  description:
    - The login mechanisms that were offered, those tried and the one that worked.
    - With O(oauth2), C(token) is what the access token says of itself. Of an opaque one only what its endpoint said is known.
  returned: when probing one relay
  type: dict
  sample: {offered: [PLAIN, LOGIN], tried: [PLAIN], used: PLAIN, token: {}}
addresses:
  description: Every address of the host that was tried, and what came of it.
  returned: when probing one relay
  type: list
  elements: dict
  sample: [{ip: 192.0.2.1, port: 587, family: ipv4, ok: true, error: "", ms: 3.2, category: ok, cert_sha256: ab01}]
senders:
  description: What the relay said of each sender whose envelope was tried; what it said to a recipient of our own choice does not count.
  returned: when probing one relay
  type: list
  elements: dict
  sample: [{address: noreply@example.com, ok: false, category: send_as_denied, code: 553, enhanced: 5.7.1, text: not owned, meaning: it may not}]
recipients:
  description: What the relay said of each recipient that was tried.
  returned: when probing one relay
  type: list
  elements: dict
  sample: [{address: ops@example.com, ok: true, code: 250, enhanced: 2.1.5, text: Ok, meaning: done}]
recipient:
  description:
    - V(tested) where recipients were tried and what was said of them counts. V(not_tested) where none was named in O(to), and the sender's own
      address was not accepted as one. Empty where none was tried.
  returned: when probing one relay
  type: str
  sample: tested
dane:
  description: What the TLSA records say of the certificate. Empty unless O(dane=report).
  returned: when probing one relay
  type: dict
  sample: {name: _25._tcp.mail.example.com, status: match, secure: true, records: [3 1 1 ab01], detail: the certificate is the one in DNS}
mta_sts:
  description:
    - What the domain publishes for MTA-STS, and whether the relay keeps to it. Empty unless O(mta_sts=report).
    - C(status) is V(match), V(mismatch), V(none) (there is no policy), V(invalid) (there is one that cannot be used, so that senders do as
      if there were none) or V(error) (it could not be looked at). C(unmatched) are the mail exchangers that the policy does not name.
  returned: when probing one relay
  type: dict
  sample: {domain: example.com, url: "https://mta-sts.example.com/.well-known/mta-sts.txt", id: "20261101", mode: enforce, max_age: 604800,
    mx: ["*.example.com"], unmatched: [], status: match, problems: [], detail: the policy names this relay and the relay keeps to it}
message:
  description: Whether a message was sent, and its id.
  returned: when probing one relay
  type: dict
  sample: {sent: false, message_id: ""}
receipt:
  description: With O(send=on_change), when these settings were proved by a message, and by which. Empty otherwise.
  returned: when probing one relay
  type: dict
  sample: {sent: "2026-11-01T08:00:00+00:00", message_id: <1@example.com>}
changes_since:
  description: What has changed at the relay since RV(receipt). V(null) stands for what was, or is, not there.
  returned: when probing one relay
  type: list
  elements: dict
  sample: [{what: tls.not_after, before: "2026-12-01T00:00:00Z", after: "2027-03-01T00:00:00Z"}]
timings_ms:
  description: Milliseconds by step, and in total.
  returned: when probing one relay
  type: dict
  sample: {connect: 3.2, greeting: 12.1, total: 80.4}
transcript:
  description:
    - The conversation. What was sent while logging in is shown as stars. Of a very long one the beginning and the end, with a line that says
      how many are left out between.
    - Here and everywhere in the result, characters that cannot be seen (of control, of format and of writing direction) are escaped, as C(\\x1b)
      and C(\\u202e).
  returned: when probing one relay
  type: list
  elements: str
  sample: ["S: 220 smtp.example.com ESMTP", "C: EHLO web1.example.com"]
truncated:
  description:
    - What of this result was left out, because a relay, a DNS server, a token endpoint or a certificate said more than a result holds. Empty
      if nothing was.
    - A text holds at most 1,000 characters, a list or a mapping at most 100 entries, RV(transcript) at most 300 lines.
  returned: when probing one relay
  type: list
  elements: str
  sample: ["capabilities.before_tls: the first 100 of 7500 entries"]
relays:
  description: One result for each relay, with the keys above.
  returned: when O(relays) was given
  type: list
  elements: dict
summary:
  description: How many relays are well.
  returned: when O(relays) was given
  type: str
  sample: 3 ok, 1 failed
problems:
  description: Why nothing was probed, as C(where), C(what), C(hint) and C(code).
  returned: failure before anything was probed
  type: list
  elements: dict
msg:
  description: The same for people, where, what, what they said, and what to do.
  returned: always
  type: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.smarthost.mail.plugins.module_utils._shared.internal_error import guard
from ansible_collections.smarthost.mail.plugins.module_utils._shared.problem import Problem, ProblemsError
from ansible_collections.smarthost.mail.plugins.module_utils._shared.seal import SealError, unseal_options, with_secrets
from ansible_collections.smarthost.mail.plugins.module_utils._shared.secret import FEW, HIDDEN
from ansible_collections.smarthost.mail.plugins.module_utils._shared.visible import visible
from ansible_collections.smarthost.mail.plugins.module_utils._smtp import changes
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.options.arguments import argument_spec
from ansible_collections.smarthost.mail.plugins.module_utils._smtp.probe import probe_all


def opened(module: AnsibleModule) -> dict[str, t.Any]:
    """The options with their secrets in clear: as they came, or as they were before the action plugin sealed them."""
    options = {key: value for key, value in module.params.items() if key != "seal_key"}
    if not module.params["seal_key"]:
        return options
    try:
        options, secrets = unseal_options(module.params["seal_key"], argument_spec(), options)
    except SealError as exc:
        raise ProblemsError([Problem("seal_key", f"the secrets cannot be opened: {exc}.", "bad-seal")]) from None
    module.no_log_values.update(secret for secret in secrets if len(secret) >= FEW)
    return options


def leave_short_ones_out(module: AnsibleModule) -> None:
    """Ansible replaces every secret that it knows of wherever it stands: one of few characters is everywhere, and stars in the middle of
    common words tell what it is. The probe's own redactor knows better; the options, which Ansible repeats, are made to hold none."""
    module.no_log_values = {value for value in module.no_log_values if len(value) >= FEW}
    module.params = with_secrets(
        argument_spec(), module.params, lambda _label, text: text if len(text) >= FEW else HIDDEN
    )


def main() -> None:
    """Read the options, probe, tell."""
    guard(
        AnsibleModule(
            argument_spec=dict(argument_spec(), seal_key={"type": "str", "no_log": True}),
            supports_check_mode=True,
            mutually_exclusive=[("host", "relays")],
        ),
        _probe,
    )


def _probe(module: AnsibleModule) -> None:
    try:
        options = opened(module)
        leave_short_ones_out(module)
        results = probe_all(_asked(options), module.check_mode)
    except ProblemsError as exc:
        module.fail_json(msg=str(exc), problems=[problem.as_dict() for problem in exc.problems])
    _tell(module, options["relays"] is None, results)


def _asked(options: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """The options of each relay: what it leaves out is the module's."""
    shared = {key: value for key, value in options.items() if key not in ("relays", "fail")}
    many = options["relays"]
    return (
        [shared]
        if many is None
        else [dict(shared, **{key: value for key, value in one.items() if value is not None}) for one in many]
    )


def _tell(module: AnsibleModule, one_relay: bool, results: list[dict[str, t.Any]]) -> None:
    if one_relay:
        result = results[0]
    else:
        failed = [one for one in results if not one["ok"]]
        summary = "%d ok, %d failed" % (len(results) - len(failed), len(failed))
        result = {
            "ok": not failed,
            "changed": any(one["changed"] for one in results),
            "relays": results,
            "summary": summary,
            "msg": "\n".join([summary + "."] + ["{}: {}".format(one["name"], one["msg"]) for one in failed]),
        }
    for one in results:
        for text in one["notices"]:
            module.warn(visible("{}: {}.".format(one["name"], text)))
    if module._diff:
        result["diff"] = list(filter(None, map(changes.diff, results)))
    module.exit_json(failed=module.params["fail"] and not result["ok"], **result)


if __name__ == "__main__":
    main()

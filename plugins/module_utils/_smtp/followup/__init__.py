# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is looked at beside the conversation: a second connection on failure, all addresses, DNS records, policies.

Imports: module_utils._shared, module_utils._smtp.conversation, module_utils._smtp.diagnosis,
  module_utils._smtp.network, module_utils._smtp.options, module_utils._smtp.protocol, module_utils._smtp.web,
  module_utils._smtp.x509.
In: a finished log.
Out: what confirms or explains it.
"""

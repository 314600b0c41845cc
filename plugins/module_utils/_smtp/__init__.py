# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe: one conversation with a relay, understood.

Imports: module_utils._shared, module_utils._smtp.conversation, module_utils._smtp.diagnosis,
  module_utils._smtp.followup, module_utils._smtp.network, module_utils._smtp.options, module_utils._smtp.protocol.
In: options of smtp_probe.
Out: a result whose keys are always the same.
"""

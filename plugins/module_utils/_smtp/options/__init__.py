# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options of the module to a target with everything decided; every problem at once.

Imports: module_utils._shared, module_utils._smtp.diagnosis, module_utils._smtp.network, module_utils._smtp.sasl,
  module_utils._smtp.web.
In: options.
Out: a relay to probe, or problems.
"""

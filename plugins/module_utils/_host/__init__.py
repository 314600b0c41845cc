# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to the files of one host: every change is examined, journalled, written as a set, and can be taken back.

Imports: module_utils._host.disk, module_utils._host.notes, module_utils._host.services, module_utils._host.tools,
  module_utils._shared.
In: a request, as options of smtp_deploy.
Out: what was, or would be, changed; every problem at once.
"""

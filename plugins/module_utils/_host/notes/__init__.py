# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own notes on a host, typed and with a version: ownership record, journal, manifests of generations.

Imports: module_utils._host.disk, module_utils._shared.
In: JSON that anybody may have damaged.
Out: typed records, or the problem state-damaged.
"""

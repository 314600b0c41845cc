# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user wrote: validated by JSON Schema, copies and defaults resolved, every problem at once.

Imports: module_utils._shared, plugin_utils.
In: smtp_relay and smtp_relay_apps.
Out: relays and requests, typed.
"""

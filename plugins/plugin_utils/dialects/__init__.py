# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file a syntax, as the application's own parser reads it: write, read, quote, merge, remove.

Imports: nothing of the others.
In: a tree of settings, or text.
Out: text, or a tree; what cannot be carried is refused.
"""

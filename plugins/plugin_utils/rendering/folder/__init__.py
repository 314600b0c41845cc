# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering to a folder of the controller: the caller's files, with owners in a manifest beside them.

Imports: module_utils._shared, plugin_utils, plugin_utils.declaration, plugin_utils.rendering.
In: rendered files.
Out: files below dest.
"""

# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates as bytes: DER, and what a certificate says.

Imports: module_utils._shared.
In: DER.
Out: names, dates, keys, fingerprints.
"""

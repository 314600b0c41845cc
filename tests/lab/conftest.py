# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own tests use its fixture."""

from __future__ import annotations

from lab.fixture import lab, whole_lab

__all__ = ["lab", "whole_lab"]

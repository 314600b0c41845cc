<?php
// Copyright (c) 2026, Smarthost Maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Includes a file that sets $CONFIG, as Nextcloud does, and prints $CONFIG as JSON. Anything the file prints breaks the JSON.
include $argv[1];
echo json_encode($CONFIG, JSON_THROW_ON_ERROR);

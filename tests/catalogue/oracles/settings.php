<?php
// Copyright (c) 2026, Smarthost Maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Includes a file of settings as Roundcube's, MediaWiki's and Moodle's own files do, and prints what it has set as JSON.
$config = [];
$CFG = new stdClass();
include $argv[1];
$set = ['config' => $config, 'CFG' => $CFG];
foreach (get_defined_vars() as $name => $value) {
    if (substr($name, 0, 2) === 'wg') {
        $set[$name] = $value;
    }
}
echo json_encode($set, JSON_THROW_ON_ERROR);

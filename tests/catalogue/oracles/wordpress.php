<?php
// Copyright (c) 2026, Smarthost Maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Includes a plugin as WordPress does, runs its actions on an empty object and its filters, and prints what came of it as JSON.
$done = new stdClass();

function add_action(string $hook, callable $callback, int $priority = 10, int $accepted = 1): bool
{
    global $done;
    $given = new stdClass();
    $callback($given);
    $done->$hook = $given;
    return true;
}

function add_filter(string $hook, callable $callback, int $priority = 10, int $accepted = 1): bool
{
    global $done;
    $done->$hook = $callback(null);
    return true;
}

include $argv[1];
echo json_encode($done, JSON_THROW_ON_ERROR);

<?php
// Copyright (c) 2026, Smarthost Maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// Loads a .env file as Laravel's LoadEnvironmentVariables does and prints what env() gives for each of its keys as JSON.
require '/usr/share/php/Dotenv/autoload.php';
require '/usr/share/php/Illuminate/Support/autoload.php';

$repository = Illuminate\Support\Env::getRepository();
$loaded = Dotenv\Dotenv::create($repository, dirname($argv[1]), basename($argv[1]))->load();
$read = [];
foreach (array_keys($loaded) as $key) {
    $read[$key] = Illuminate\Support\Env::get($key);
}
echo json_encode((object) $read, JSON_THROW_ON_ERROR);

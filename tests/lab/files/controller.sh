#!/bin/sh
# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs a command on this machine that knows the lab's names and trusts its CA, and nobody else does: in a mount namespace of its own.
# $1 the folder with hosts and ca-certificates.crt, then the command.
set -e
folder=$1
shift
mount --bind "$folder/hosts" /etc/hosts
bundle=/etc/ssl/certs/ca-certificates.crt
if [ -e "$bundle" ]; then mount --bind "$folder/ca-certificates.crt" "$bundle"; fi
export SSL_CERT_FILE="$folder/ca-certificates.crt" # for a Python with an OpenSSL of its own
exec "$@"

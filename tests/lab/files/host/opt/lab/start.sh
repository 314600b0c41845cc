#!/bin/sh
# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Process 1 of a host: starts what /opt/lab/services lists, says when that is done, and reaps whoever dies.
set -e
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
find /run /var/spool/postfix/pid -name '*.pid' -delete 2>/dev/null || :  # of the time before it was killed
/usr/sbin/sshd
while read -r service; do
  service "$service" start > "/var/log/lab-$service.log" 2>&1
done < /opt/lab/services
: > /run/lab-ready
trap 'exit 0' TERM
while :; do
  sleep 86400 &
  wait
done

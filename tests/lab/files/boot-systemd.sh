#!/bin/sh
# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Starts a host whose process 1 is systemd. $1 where its root is mounted, $2 its name, $3 options of its overlay, $4 its network namespace.
set -e
root=$1 name=$2 overlay=$3 network=$4
mount -t overlay overlay -o "$overlay" "$root"
mount --bind /usr "$root/usr"
mount -o remount,ro,bind "$root/usr"
if [ -d /run/systemd/system ]; then
  keep= # this machine's systemd gives the host a control group of its own
else
  keep=--keep-unit
  # Else the hosts' systemds would share one group and stop each other's services.
  for tree in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    if [ -e "$tree/cgroup.procs" ]; then
      mkdir -p "$tree/$network"
      echo $$ > "$tree/$network/cgroup.procs"
    fi
  done
fi
# shellcheck disable=SC2086
exec systemd-nspawn --quiet --boot --register=no $keep --directory="$root" --machine="$name" --hostname="$name" \
  --network-namespace-path="/run/netns/$network" --console=pipe --resolv-conf=off --link-journal=no --kill-signal=SIGKILL

#!/bin/sh
# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Becomes process 1 of a host, in namespaces of its own. $1 where its root is mounted, $2 its name, $3 options of its overlay, $4 its capabilities.
set -e
root=$1 name=$2 overlay=$3 capabilities=$4
mount -t overlay overlay -o "$overlay" "$root"
mount --bind /usr "$root/usr"
mount -o remount,ro,bind "$root/usr"

mount -t tmpfs -o mode=755 dev "$root/dev"
for node in null zero full random urandom tty; do
  : > "$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666,gid=5,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
# Not part of the host's disk: Ansible can start a module on a host whose disk is full.
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mkdir "$root/run/sshd" "$root/run/lock"

hostname "$name"
cd "$root"
mkdir -p .old
pivot_root . .old
umount -l .old
rmdir .old

exec setpriv --bounding-set="$capabilities" /bin/sh /opt/lab/start.sh

# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of SSH hosts and a real mail relay on one Linux machine, as root, without a container engine.

Every host has its own network, mount, process, UTS and IPC namespaces, its own root (an overlay over a small tree made for the lab;
/usr is this machine's, read-only), its own sshd and its own address. The relay is Postfix with Dovecot's SASL and TLS by a CA of the
lab's own; mail for any domain lands in one maildir there. Nothing in the lab has a route to the outside.

``python3 tests/lab up 3``; ``python3 tests/lab --help`` has the rest. In tests: the fixture ``lab`` of lab.fixtures.
"""

# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real ansible-playbook, unchanged, for suites that start it hundreds of times, without importing Ansible each time.

start.py    in pytest: starts one server for this pytest process, and names the program that tests start: start.ansible_playbook()
client.py   that program: hands its arguments, folder, environment and standard streams to the server, and ends as the run ends
rules.py    when a run has to be a real start instead, and which runs may share what Ansible has read while it was imported
server.py   the server; for each set of the variables that Ansible reads at import it forks a process that imports Ansible with just these
run.py      one run: a process of its own, forked from there, and one beside it that ends it when its client is gone
cache.py    the zip files that Ansible makes of modules, which are the same in every run and are kept for the next
wire.py     the messages between them

Whatever is not as it was when the server was started is no matter of guessing: the client then starts the real program (os.execve), and
says so in the file real-starts of the server's folder. SMARTHOST_REAL_START=1 makes every start a real one, to see that both give the same.
"""

# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test quick fleet faults first-hour kill fuzz fresh bench bench-fleet clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' Makefile

demo: .venv/ready ## set up, then declare one relay and send through it: nothing outside this folder is touched
	$(BIN)/python demo/demo.py

test: .venv/ready-tests ## set up, then run every suite; ONLY="unit lint" runs those
	$(BIN)/python tests/tools/run.py $(ONLY)

quick: .venv/ready-tests ## the unit tests only, in seconds
	$(BIN)/python tests/tools/run.py unit

fleet: .venv/ready-tests ## rotate a credential on a fleet of hosts on this machine, by molecule; needs root and Linux
	$(BIN)/python tests/tools/run.py lab fleet

faults: .venv/ready-tests ## break a rotation over SSH in every way, each time until every host can send; needs root and Linux: about half an hour
	SMARTHOST_FAULTS=all $(BIN)/python -m pytest -q -n 2 tests/faults tests/rotation

kill: .venv/ready-tests ## kill smtp_deploy at every system call that changes a file, and refuse it every one: some minutes
	SMARTHOST_KILL=all $(BIN)/python -m pytest -q -n 2 tests/kill

fuzz: .venv/ready-tests ## search for inputs that break the probe, for MINUTES=60 over all targets, two at a time; what is found is in build/fuzz/broken
	$(BIN)/python tests/fuzz/run.py --minutes $(or $(MINUTES),60) --parallel 2

fresh: ## both commands on a new Debian 12 that has python3, make and git alone, as a user and as root; needs root; ONLY="unit lint" runs those suites there
	$(PYTHON) tests/tools/fresh.py $(ONLY)

first-hour: .venv/ready-tests ## README's steps as a new user takes them, from the artefact, on SSH hosts of this machine, mistakes included; needs root and Linux
	$(BIN)/python tests/tools/run.py first_hour

bench: .venv/ready-tests ## measure smtp_config beside template tasks and smtp_probe beside smtplib, swaks and check_smtp, and what the controller has to do; writes build/bench*.json
	$(BIN)/python tests/bench/bench.py
	$(BIN)/python tests/bench/probe.py
	$(BIN)/python tests/bench/catalogue.py
	$(BIN)/python tests/bench/scale.py

bench-fleet: .venv/ready-tests ## measure a rotation of 5, 20 and 50 hosts over SSH beside a ping on them; needs root and Linux; writes build/bench-fleet.json
	$(BIN)/python tests/bench/fleet.py

clean: ## remove everything that these commands made
	rm -rf .venv .cache .pytest_cache .hypothesis build demo/out

.venv/ready: requirements-dev.txt
	$(PYTHON) tests/tools/setup.py requirements-dev.txt
	touch $@

.venv/ready-tests: .venv/ready tests/requirements.txt
	$(PYTHON) tests/tools/setup.py tests/requirements.txt
	touch $@

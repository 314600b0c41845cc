# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real browser for the report: headless Chromium, driven by its own driver, without any network."""

from __future__ import annotations

import os
import pathlib
import shutil
import typing as t

import pytest
from report.fleet import PASSWORD, EmbeddedRelay, Site
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

# Chromium's own connections are switched off: a test reaches nothing outside this machine.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def program(name: str, package: str) -> str:
    """The path of a program; without it the tests are left out, or fail where CI=true."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is missing: apt install {package}"
        pytest.fail(reason, pytrace=False) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return t.cast(str, path)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[webdriver.Chrome]:
    """Chromium with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, Service(program("chromedriver", "chromium-driver")))
    driver.set_page_load_timeout(60)
    yield driver
    driver.quit()


class Look(t.NamedTuple):
    """A page in the browser at a width."""

    driver: webdriver.Chrome

    def at(self, path: pathlib.Path, width: int, **features: str) -> webdriver.Chrome:
        """Open a page at a width in CSS pixels, with media features such as prefers_color_scheme."""
        t.cast(t.Any, self.driver).get_log("browser")  # what an earlier page said is not this page's
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        media = [
            {"name": name.replace("_", "-"), "value": value}
            for name, value in {"prefers_reduced_motion": "reduce", **features}.items()
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "screen", "features": media})
        self.driver.get(path.as_uri())
        return self.driver


@pytest.fixture
def look(browser: webdriver.Chrome) -> Look:
    """Opens pages at a width."""
    return Look(browser)


@pytest.fixture(scope="session")
def relay(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[EmbeddedRelay]:
    """A relay that knows one login."""
    with EmbeddedRelay(tmp_path_factory.mktemp("relay") / "pki", "apps@example.com", PASSWORD) as running:
        yield running


@pytest.fixture
def site(relay: EmbeddedRelay, tmp_path: pathlib.Path) -> Site:
    """A folder without anything yet."""
    return Site(tmp_path, relay)

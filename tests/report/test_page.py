# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page as people meet it: at phone width, by keyboard, in the dark, without colour or script, on paper, at a thousand hosts."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.smarthost.mail.plugins.plugin_utils.reporting.page import page
from report import samples
from report.conftest import Look
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

REPORTS = {
    "fleet": samples.fleet,
    "well": lambda: {"web1": samples.fleet()["app2.example.com"]},
    "thousand": samples.thousand,
}

# What sticks out to the right. The width is given: a phone's browser widens its window to what does not fit.
OVERFLOW = """
var width = arguments[0];
var out = Array.from(document.querySelectorAll('main *, header *')).filter(function (e) {
  var box = e.getBoundingClientRect();
  return box.width > 1 && box.right > width + 1;
});
return [document.documentElement.scrollWidth, out.map(function (e) { return e.tagName + ' ' + e.className; })];
"""
# WCAG 2.2 section 1.4.3: the contrast of every text that is shown with the nearest background behind it.
CONTRAST = """
function parts(colour) { return colour.match(/[\\d.]+/g).map(Number); }
function light(rgb) {
  var c = rgb.slice(0, 3).map(function (v) { v /= 255; return v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); });
  return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
}
function behind(e) {
  for (; e; e = e.parentElement) {
    var rgb = parts(getComputedStyle(e).backgroundColor);
    if (rgb.length < 4 || rgb[3] > 0) { return rgb; }
  }
}
var worst = 99, where = '', walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  var e = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !e.checkVisibility()) { continue; }
  var a = light(parts(getComputedStyle(e).color)), b = light(behind(e));
  var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < worst) { worst = ratio; where = e.tagName + ' ' + e.className; }
}
return [worst, where];
"""
# The words of all outcomes, without the symbols that only the eye gets.
WORDS = """
return Array.from(document.querySelectorAll('.mark')).map(function (e) {
  e = e.cloneNode(true);
  e.querySelector('[aria-hidden]').remove();
  return e.textContent.trim();
});
"""
FILTER = """
var start = performance.now(), box = document.getElementById('filter');
box.value = 'host0777';
box.dispatchEvent(new Event('input'));
document.body.offsetHeight;
return performance.now() - start;
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> t.Dict[str, pathlib.Path]:
    """The sample reports as files."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for name, facts in REPORTS.items():
        made[name] = folder / f"{name}.html"
        made[name].write_text(page(samples.report(facts())), encoding="utf-8")
    return made


def open_everything(driver: Chrome) -> None:
    driver.execute_script("document.querySelectorAll('details').forEach(function (e) { e.open = true; })")


def focused(driver: Chrome) -> str:
    """What has the focus, as `tag#id`, or `tag text` for what has no id."""
    return str(
        driver.execute_script(
            "var e = document.activeElement; return e.tagName.toLowerCase() + (e.id ? '#' + e.id : ' ' + e.textContent.slice(0, 60));"
        )
    )


def press(driver: Chrome, key: str) -> None:
    ActionChains(driver).send_keys(key).perform()


def shown_hosts(driver: Chrome) -> t.List[str]:
    return names(driver, "details.host:not([hidden])")


def names(driver: Chrome, which: str) -> t.List[str]:
    """The names of hosts that a selector finds."""
    read = "function (e) { return e.querySelector('summary b').textContent; }"
    return list(driver.execute_script(f"return Array.from(document.querySelectorAll(arguments[0])).map({read})", which))


@pytest.mark.parametrize("name", ["fleet", "well"])
@pytest.mark.parametrize("width", [320, 360, 768, 962, 1280, 2560])
def test_nothing_sticks_out_at_any_width_with_everything_open(
    name: str, width: int, pages: t.Dict[str, pathlib.Path], look: Look
) -> None:
    driver = look.at(pages[name], width)
    open_everything(driver)
    assert driver.execute_script(OVERFLOW, width) == [width, []]


@pytest.mark.parametrize("width", [320, 360])
def test_every_tile_holds_its_words(width: int, pages: t.Dict[str, pathlib.Path], look: Look) -> None:
    driver = look.at(pages["fleet"], width)
    out = "return Array.from(document.querySelectorAll('.tiles li')).filter(function (e) { return e.scrollWidth > e.clientWidth; }).length"
    assert driver.execute_script("return document.querySelectorAll('.tiles li').length") > 5
    assert driver.execute_script(out) == 0


@pytest.mark.parametrize("name", list(REPORTS))
def test_the_browser_has_nothing_to_complain_about_and_runs_nothing_of_what_a_host_said(
    name: str, pages: t.Dict[str, pathlib.Path], look: Look
) -> None:
    driver = look.at(pages[name], 1280)
    assert t.cast(t.Any, driver).get_log("browser") == []
    assert "owned" not in driver.title
    assert (
        driver.execute_script("return document.querySelectorAll('img, iframe, object, link, script[src]').length") == 0
    )
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_the_policy_stops_a_script_that_is_not_ours(tmp_path: pathlib.Path, look: Look) -> None:
    planted = page(samples.report(samples.fleet())).replace(
        "<footer>", "<script>document.title = 'owned'</script><footer onclick='x'>"
    )
    path = tmp_path / "planted.html"
    path.write_text(planted, encoding="utf-8")
    driver = look.at(path, 1280)
    assert "owned" not in driver.title
    assert any("Content Security Policy" in entry["message"] for entry in t.cast(t.Any, driver).get_log("browser"))


def test_the_keyboard_reaches_the_hosts_the_filter_and_every_detail(
    pages: t.Dict[str, pathlib.Path], look: Look
) -> None:
    driver = look.at(pages["fleet"], 1280)
    press(driver, Keys.TAB)
    assert focused(driver) == "a Skip to the hosts"
    assert driver.execute_script("return document.activeElement.getBoundingClientRect().left >= 0"), (
        "the link shows when it has the focus"
    )
    press(driver, Keys.ENTER)
    assert focused(driver) == "section#hosts"
    stops = []
    for _press in range(4):
        press(driver, Keys.TAB)
        stops.append(focused(driver))
    assert stops[:3] == ["input#filter", "input#only", "button#all"]
    assert stops[3].startswith("summary") and "gone.example.com" in stops[3]
    assert driver.execute_script("return getComputedStyle(document.activeElement).outlineStyle") == "solid", (
        "the focus can be seen"
    )
    press(driver, Keys.ENTER)
    assert driver.execute_script("return document.activeElement.parentElement.open") is True
    assert driver.execute_script(
        "return Array.from(document.querySelectorAll('summary')).every(function (e) { return e.tabIndex >= 0; })"
    )


def test_the_filter_finds_hosts_by_every_word_that_stands_in_them(pages: t.Dict[str, pathlib.Path], look: Look) -> None:
    driver = look.at(pages["fleet"], 360)
    box = driver.find_element("id", "filter")
    box.send_keys("AUTH_FAILED login2")
    assert shown_hosts(driver) == ["login2.example.com"]
    assert driver.find_element("id", "count").text == "1 of 10 hosts"
    box.clear()
    box.send_keys("oldwiki")
    assert shown_hosts(driver) == ["app2.example.com"]
    box.send_keys("x")
    assert shown_hosts(driver) == [] and driver.find_element("id", "count").text == "0 of 10 hosts"


def test_only_what_needs_a_look_hides_hosts_that_went_well_and_open_all_opens_those_shown(
    pages: t.Dict[str, pathlib.Path], look: Look
) -> None:
    driver = look.at(pages["fleet"], 1280)
    driver.find_element("id", "only").click()
    assert len(shown_hosts(driver)) == 8 and "app1.example.com" not in shown_hosts(driver)
    driver.find_element("id", "all").click()
    opened = names(driver, "details.host[open]")
    assert opened == shown_hosts(driver)


def test_without_its_script_the_page_is_whole_and_offers_no_filter_that_does_nothing(
    pages: t.Dict[str, pathlib.Path], look: Look
) -> None:
    look.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        driver = look.at(pages["fleet"], 1280)
        assert not driver.find_element("id", "tools").is_displayed()
        driver.find_element("css selector", "details.host > summary").send_keys(Keys.ENTER)
        assert driver.find_elements("css selector", "details.host[open]")
    finally:
        look.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_told_from_its_background(scheme: str, pages: t.Dict[str, pathlib.Path], look: Look) -> None:
    driver = look.at(pages["fleet"], 1280, prefers_color_scheme=scheme)
    open_everything(driver)
    worst, where = driver.execute_script(CONTRAST)
    assert worst >= 4.5, where
    background = driver.execute_script("return getComputedStyle(document.documentElement).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")


def test_every_outcome_is_a_word_and_not_a_colour_alone(pages: t.Dict[str, pathlib.Path], look: Look) -> None:
    driver = look.at(pages["fleet"], 1280)
    open_everything(driver)
    words = driver.execute_script(WORDS)
    assert len(words) > 40 and all(words)


def test_a_screen_reader_meets_tables_with_headers_at_phone_width_too(
    pages: t.Dict[str, pathlib.Path], look: Look
) -> None:
    driver = look.at(pages["well"], 360)
    tree = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = [node["role"]["value"] for node in tree if not node.get("ignored")]
    assert {"banner", "main", "contentinfo", "search", "region"} <= set(roles)
    assert roles.count("table") >= 3 and roles.count("columnheader") >= 12 and roles.count("rowheader") >= 3


def test_motion_is_left_out_where_it_is_not_wanted(pages: t.Dict[str, pathlib.Path], look: Look) -> None:
    behaviour = "return getComputedStyle(document.documentElement).scrollBehavior"
    assert look.at(pages["well"], 1280, prefers_reduced_motion="reduce").execute_script(behaviour) == "auto"
    assert look.at(pages["well"], 1280, prefers_reduced_motion="no-preference").execute_script(behaviour) == "smooth"


def test_on_paper_everything_is_open_and_the_filter_is_left_out(pages: t.Dict[str, pathlib.Path], look: Look) -> None:
    driver = look.at(pages["fleet"], 1280)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not driver.find_element("id", "tools").is_displayed()
    tables = driver.find_elements("css selector", "details:not([open]) table")
    heights = [table.size["height"] for table in tables]
    assert len(heights) > 10 and min(heights) > 0


def test_a_thousand_hosts_with_ten_applications_each_open_and_filter_quickly(
    pages: t.Dict[str, pathlib.Path], look: Look
) -> None:
    driver = look.at(pages["thousand"], 1280)
    loaded = driver.execute_script("var t = performance.getEntriesByType('navigation')[0]; return t.loadEventEnd;")
    filtered = driver.execute_script(FILTER)
    assert shown_hosts(driver) == ["host0777.example.com"]
    assert loaded < 10_000 and filtered < 3_000, f"{loaded:.0f} ms to load, {filtered:.0f} ms to filter"

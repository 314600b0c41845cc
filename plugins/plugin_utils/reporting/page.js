// Copyright (c) 2026, Smarthost Maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// The page is whole without this: it adds a filter, and a button that opens every host shown.
(function () {
  "use strict";
  var byId = document.getElementById.bind(document);
  var box = byId("filter"), only = byId("only"), all = byId("all"), count = byId("count");
  var hosts = Array.from(document.querySelectorAll("details.host"));
  var texts = new Map();

  function textOf(host) {
    if (!texts.has(host)) { texts.set(host, host.textContent.toLowerCase()); }
    return texts.get(host);
  }

  function filter() {
    var words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    hosts.forEach(function (host) {
      var fits = (!only.checked || host.hasAttribute("data-look")) && words.every(function (word) { return textOf(host).includes(word); });
      host.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    count.textContent = shown + " of " + hosts.length + (hosts.length === 1 ? " host" : " hosts");
  }

  box.addEventListener("input", filter);
  only.addEventListener("change", filter);
  byId("tools").addEventListener("submit", function (event) { event.preventDefault(); });
  all.addEventListener("click", function () {
    var open = all.getAttribute("aria-pressed") !== "true";
    all.setAttribute("aria-pressed", String(open));
    hosts.forEach(function (host) { if (!host.hidden) { host.open = open; } });
  });
  byId("tools").hidden = false;
  filter();
}());

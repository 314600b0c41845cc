# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookup: the applications of the host, by the variable that lists them."""

from __future__ import annotations

DOCUMENTATION = r"""
name: smtp_apps
author: Smarthost Maintainers (@smarthost)
version_added: 0.2.0
short_description: The applications of the host, by the variable that lists them
description:
  - The value of C(smtp_relay_apps) and of every C(smtp_relay_apps_<label>) of the host, by the name of the variable.
    Ansible replaces a list that two groups set; with a label of its own each group adds to what the others list.
  - For the option O(smarthost.mail.smtp_config#module:apps) of M(smarthost.mail.smtp_config), which takes such a mapping as well as one list,
    and so do M(smarthost.mail.smtp_verify) and the filter P(smarthost.mail.smtp_probes#filter). C(smtp_relay_apps) comes first, then the labels
    in alphabetical order, and a problem of an item is reported by its variable, such as C(smtp_relay_apps_wiki[0]).
  - Lists that are templates are rendered. It takes no terms.
"""

EXAMPLES = r"""
- name: Every application of this host
  smarthost.mail.smtp_config:
    relay: "{{ smtp_relay }}"
    apps: "{{ lookup('smarthost.mail.smtp_apps') }}"
"""

RETURN = r"""
_list:
  description: One mapping, from the name of a variable to its value.
  type: list
  elements: dict
"""

import typing as t  # noqa: E402

from ansible.errors import AnsibleError  # noqa: E402
from ansible.plugins.loader import lookup_loader  # noqa: E402
from ansible.plugins.lookup import LookupBase  # noqa: E402
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration import app_lists  # noqa: E402
from ansible_collections.smarthost.mail.plugins.plugin_utils.declaration.plain_values import plain  # noqa: E402


class LookupModule(LookupBase):  # type: ignore[misc]  # Ansible has no types
    """Lookup of smarthost.mail."""

    def run(
        self, terms: t.Sequence[str], variables: t.Mapping[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[dict[str, t.Any]]:
        """The lists, rendered. Raises AnsibleError that names the variable which cannot be."""
        self.set_options(var_options=variables, direct=kwargs)
        if terms:
            raise AnsibleError(
                "smtp_apps takes no terms: it returns every variable smtp_relay_apps and smtp_relay_apps_<label> of the host"
            )
        given = variables or {}
        return [{name: self._value(name, given) for name in app_lists.names(given)}]

    def _value(self, name: str, variables: t.Mapping[str, t.Any]) -> t.Any:
        # The lookup of Ansible's own renders a value in the same way in every supported release; in the newest only where it is read.
        rendering = lookup_loader.get("ansible.builtin.vars", loader=self._loader, templar=self._templar)
        try:
            return plain(rendering.run([name], variables=variables)[0])
        except Exception as error:
            raise AnsibleError(f"{name}: {error}") from error

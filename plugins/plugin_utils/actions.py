# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every action plugin of ours does alike: read its options, call modules of ours on the host, and fail with a result."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ..module_utils._shared import internal_error
from ..module_utils._shared.seal import new_key, seal_options
from ..module_utils._shared.secret import Redactor, Secret
from ..module_utils._shared.visible import visible_all
from ..module_utils._smtp.options.arguments import argument_spec
from .problems import Problem, ProblemsError

COLLECTION = "smarthost.mail"
#: The keys of a result that are text for people. Others are data, and stay as they are.
FOR_PEOPLE = ("msg", "lines", "diff", "warnings", "problems")
OLDEST_PYTHON = (3, 8)

Result = t.Dict[str, t.Any]
Arguments = t.Dict[str, t.Dict[str, t.Any]]


class Action(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """The base of the action plugins. One of them says its ``arguments`` and, in ``outcome``, what it does."""

    TRANSFERS_FILES = False
    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    arguments: t.ClassVar[Arguments] = {}
    #: Options that exclude each other, in the words of ``AnsibleModule``.
    exclusive: t.ClassVar[t.Sequence[t.Sequence[str]]] = ()
    #: What a failure that lists problems begins with.
    nothing_done = "Nothing was written"

    def outcome(self, args: Result) -> Result:
        """The result of the task with these options, which are checked. May raise ProblemsError."""
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Result:
        """Run the task; whatever is wrong is a result, with every problem in it."""
        result: Result = super().run(tmp, task_vars)
        del tmp
        self._task_vars = task_vars or {}
        if self._task.delegate_to and self._task.become is False:
            # The variable ansible_become outranks the task's own become, given by -e even its vars: sudo on the controller is never meant.
            self._connection.set_become_plugin(None)
        try:
            _validation, args = self.validate_argument_spec(
                argument_spec=self.arguments, mutually_exclusive=self.exclusive
            )
        except (AnsibleActionFail, TypeError) as error:
            # Raised on, Ansible would show the options as they were written, secrets and all.
            return shown(
                {**result, "failed": True, "changed": False, "msg": without_secrets(str(error), self._task.args)}
            )
        except Exception as error:
            return {**result, **unexpected(error)}
        try:
            result.update(self.outcome(args))
        except ProblemsError as error:
            result.update(failure(self.nothing_done, error.problems))
        except Exception as error:
            if internal_error.is_ansibles(error):
                raise  # a lost connection, a template that fails
            result.update(unexpected(error))
        return shown(result)

    def call(self, module: str, arguments: Result) -> Result:
        """The answer of a module of ours on the host. Raises ProblemsError where it could not even start."""
        wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
        answer: Result = self._execute_module(
            module_name=f"{COLLECTION}.{module}",
            module_args=arguments,
            task_vars=self._task_vars,
            wrap_async=wrap_async,
        )
        if answer.get("failed") and "module_stdout" in answer:
            raise ProblemsError([self._why_not_started(answer)])
        return answer

    def probe(self, options: Result) -> Result:
        """What ``smtp_probe`` on the host says, given its documented options; their secrets are sealed on the way. Raises ProblemsError.

        All of it is for people, and a host may say what it likes.
        """
        key = new_key()
        said: Result = visible_all(
            self.call("smtp_probe", {**seal_options(key, argument_spec(), options), "seal_key": key}), keep="\n"
        )
        if said.get("problems"):
            raise ProblemsError([Problem(**problem) for problem in said["problems"]])
        return said

    def _why_not_started(self, answer: Result) -> Problem:
        """A module that could not even start says little: ask the host for its Python."""
        python = self._templar.template(self._task_vars.get("ansible_python_interpreter")) or "python3"
        asked = self._low_level_execute_command(
            f"{python} -c 'import sys; print(*sys.version_info[:2])'", executable="/bin/sh"
        )
        version = tuple(
            int(part) for part in asked["stdout"].split() if part.isascii() and part.isdigit() and len(part) < 6
        )
        if asked["rc"] == 0 and len(version) == 2 and version < OLDEST_PYTHON:
            what = f"Python {version[0]}.{version[1]} ({python}) is too old on this host."
            return Problem(
                "",
                what,
                "python-too-old",
                "Python 3.8 or newer is needed there; name it in ansible_python_interpreter.",
            )
        return module_failed(answer)


def without_secrets(text: str, args: t.Any) -> str:
    """What Ansible says of options, which repeats the value of any: a secret may stand where something else belongs."""
    redactor, todo = Redactor(), [args]
    while todo:
        item = todo.pop()
        if isinstance(item, (list, tuple)):
            todo += item
        elif isinstance(item, dict):
            todo += item.values()
            for secret in [
                value for name, value in item.items() if name in _SECRETS and isinstance(value, (str, int)) and value
            ]:
                redactor.learn("", Secret(str(secret)))
    return redactor.text(text)


def _secret_options(spec: t.Mapping[str, t.Mapping[str, t.Any]]) -> t.Iterator[str]:
    for name, about in spec.items():
        if about.get("no_log"):
            yield name
        yield from _secret_options(about.get("options", {}))


_SECRETS = frozenset(_secret_options(argument_spec()))


def shown(result: Result) -> Result:
    """The result, in which what people read holds nothing that a terminal obeys or that cannot be seen: it may come from a host or a file."""
    return {**result, **{key: visible_all(result[key], keep="\n\t") for key in FOR_PEOPLE if key in result}}


def module_failed(answer: t.Mapping[str, t.Any]) -> Problem:
    """A failure that a module tells in ``msg`` only."""
    return Problem("", str(answer.get("msg", "the module failed on the host")).strip(), "module-failed")


def unexpected(error: Exception) -> Result:
    """The result of a task that met what nobody expected: where, and nothing of the error's own text."""
    found = internal_error.problem(error)
    return {"failed": True, "changed": False, "msg": str(found), "problems": [found.as_dict()]}


def failure(head: str, problems: t.Sequence[Problem]) -> Result:
    """The result of a task that was given up, with everything that stands in its way."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    text = "\n".join(map(str, problems))
    return {
        "failed": True,
        "changed": False,
        "msg": f"{head} ({count}).\n{text}",
        "problems": [problem.as_dict() for problem in problems],
    }

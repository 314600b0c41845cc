# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs and parsers of the applications themselves, each reading a whole file that a dialect wrote.

Every function takes the file's text (and where the program asks by name, the names) and returns ``{name: value read}``.
Values go from and to the programs as files and JSON; all values of a dialect are read by one start of its program where
the program allows it. A missing program skips the test and says which Debian package has it; with CI=true it fails.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import typing as t

import pytest
import yaml

HERE = pathlib.Path(__file__).parent
Read = t.Dict[str, t.Any]


def need(present: object, package: str) -> None:
    """Skips, or with CI=true fails, where a program or library is missing."""
    if present:
        return
    message = f"needs the Debian package {package}: apt install {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def _run(*command: str | pathlib.Path, stdin: str = "", **environment: str) -> str:
    # HOME and Q are what hostile values refer to: whoever expands them shows it.
    env = {**os.environ, "X": "EXPANDED", "Q": "EXPANDED", **environment}
    done = subprocess.run(
        [str(word) for word in command],
        input=stdin.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-400:]
    return done.stdout.decode()


@contextlib.contextmanager
def _file(text: str, name: str = "file") -> t.Iterator[pathlib.Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, name)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        path.chmod(0o600)
        # Postfix waits for a file that changed within this second to settle.
        os.utime(path, (1, 1))
        yield path


def _find(program: str) -> str | None:
    return shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")


@functools.lru_cache(maxsize=None)
def _go_readers() -> str:
    """Builds readers.go once a process, from Debian's Go sources and without a network."""
    folder = tempfile.mkdtemp(prefix="go-readers-")
    program = str(pathlib.Path(folder, "readers"))
    _run(
        "go",
        "build",
        "-o",
        program,
        HERE / "readers.go",
        GO111MODULE="off",
        GOPATH="/usr/share/gocode",
        GOTOOLCHAIN="local",
    )
    return program


def _go(kind: str, text: str) -> Read:
    need(_find("go"), "golang-go")
    need(os.path.isdir("/usr/share/gocode/src/gopkg.in/ini.v1"), "golang-gopkg-ini.v1-dev")
    need(os.path.isdir("/usr/share/gocode/src/gopkg.in/yaml.v3"), "golang-gopkg-yaml.v3-dev")
    with _file(text) as path:
        found: Read = json.loads(_run(_go_readers(), kind, path))
        return found


def gitea(text: str) -> Read:
    """go-ini as Gitea loads app.ini: ``{section: {key: value}}``."""
    return _go("gitea", text)


def grafana(text: str) -> Read:
    """go-ini as Grafana loads grafana.ini, with Grafana's expansion: ``{section: {key: value}}``."""
    return _go("grafana", text)


def go_json(text: str) -> Read:
    """Go's encoding/json."""
    return _go("json", text)


def go_yaml(text: str) -> Read:
    """Go's yaml.v3."""
    return _go("yaml", text)


def compose(text: str, services: t.Sequence[str]) -> Read:
    """docker-compose with this file after a project's own: ``{service: {variable: value}}``. It prints each dollar twice."""
    need(_find("docker-compose"), "docker-compose")
    with tempfile.TemporaryDirectory() as folder:
        own, ours = pathlib.Path(folder, "compose.yml"), pathlib.Path(folder, "mail.yml")
        own.write_text(
            "version: '3'\nservices:\n" + "".join(f"  {name}: {{image: scratch}}\n" for name in services), "utf-8"
        )
        ours.write_text("version: '3'\n" + text, "utf-8")
        found = yaml.safe_load(_run("docker-compose", "-f", own, "-f", ours, "config"))["services"]
    return {
        name: {key: value.replace("$$", "$") for key, value in service["environment"].items()}
        for name, service in found.items()
    }


def php(text: str) -> Read:
    """PHP's own include of a file that sets $CONFIG."""
    need(_find("php"), "php-cli")
    with _file(text, "x.config.php") as path:
        found: Read = json.loads(_run("php", "-d", "display_errors=stderr", HERE / "include.php", path))
        return found


def laravel(text: str) -> Read:
    """phpdotenv loads the file as Laravel does, then Illuminate's env() is asked for every key."""
    need(_find("php"), "php-cli")
    need(os.path.exists("/usr/share/php/Dotenv/autoload.php"), "php-vlucas-phpdotenv")
    need(os.path.exists("/usr/share/php/Illuminate/Support/autoload.php"), "php-illuminate-support")
    with _file(text, ".env") as path:
        found: Read = json.loads(_run("php", "-d", "display_errors=stderr", HERE / "laravel.php", path))
        return found


def systemd(text: str) -> Read:
    """load_env_file of libsystemd-shared, the function behind EnvironmentFile=."""
    libraries = glob.glob("/usr/lib/*/systemd/libsystemd-shared-*.so") + glob.glob(
        "/usr/lib/systemd/libsystemd-shared-*.so"
    )
    need(libraries, "libsystemd-shared")
    with _file(text) as path:
        found: Read = json.loads(_run(sys.executable, HERE / "load_env_file.py", libraries[0], path))
        return found


def shell(text: str) -> Read:
    """A POSIX shell that sources the file."""
    script = 'set -a; . "$1"; exec "$2" -c "import json, os; print(json.dumps(dict(os.environ)))"'
    with _file(text) as path:
        found: Read = json.loads(_run("sh", "-c", script, "sh", path, sys.executable))
        return found


def python(text: str) -> Read:
    """A Python process that executes the file."""
    script = "import json, runpy, sys; print(json.dumps({k: v for k, v in runpy.run_path(sys.argv[1]).items() if k[0] != '_'}))"
    with _file(text, "x.py") as path:
        found: Read = json.loads(_run(sys.executable, "-c", script, path))
        return found


def postconf(text: str, names: t.Iterable[str]) -> Read:
    """postconf with references expanded, all at once, for parameters of any name. It shows every run of blanks as one blank."""
    need(_find("postconf"), "postfix")
    known = "\nsmtpd_restriction_classes = " + " ".join(names) + "\n"
    with _file(text + known, "main.cf") as path:
        path.with_name("master.cf").touch()
        shown = _run(_find("postconf") or "", "-c", path.parent, "-x", *names)
    return dict(line.split(" = ", 1) for line in shown.split("\n") if line)


def postmap(text: str, keys: t.Iterable[str]) -> Read:
    """postmap -q, all keys at once."""
    need(_find("postmap"), "postfix")
    with _file(text) as path:
        path.with_name("main.cf").touch()
        found = _run(
            _find("postmap") or "",
            "-c",
            path.parent,
            "-q",
            "-",
            f"texthash:{path}",
            stdin="".join(f"{key}\n" for key in keys),
        )
    return dict(line.split("\t", 1) for line in found.split("\n") if line)


def msmtp(text: str, accounts: t.Iterable[str]) -> Read:
    """The user that msmtp would log in as, once for each account (it shows no password; the same code reads both)."""
    need(_find("msmtp"), "msmtp")
    read = {}
    with _file(text) as path:
        for account in accounts:
            shown = _run("msmtp", "-C", path, "--pretend", "-a", account)
            read[account] = next(line[len("user = ") :] for line in shown.split("\n") if line.startswith("user = "))
    return read


class _CreateRequests(http.server.BaseHTTPRequestHandler):
    """As much of a container engine as ``docker create`` speaks to: it keeps what the request says."""

    protocol_version = "HTTP/1.1"
    environment: list[str] | None = None

    def _answer(self, body: t.Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(201 if self.command == "POST" else 200)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_HEAD(self) -> None:
        self._answer({})

    def do_GET(self) -> None:
        self._answer({"ApiVersion": "1.41", "Os": "linux"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if "/containers/create" in self.path:
            type(self).environment = json.loads(body)["Env"]
        self._answer({"Id": "0" * 64, "Warnings": []})

    def log_message(self, *_arguments: t.Any) -> None:
        """Nothing: the request holds secrets."""


def docker(text: str) -> Read:
    """The docker client's create request, caught on loopback."""
    need(_find("docker"), "docker.io")

    class Requests(_CreateRequests):
        pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Requests) as server, _file(text) as path:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            _run(
                "docker",
                "create",
                "--env-file",
                path,
                "image",
                DOCKER_HOST=f"tcp://127.0.0.1:{server.server_port}",
                DOCKER_CONFIG=str(path.parent),
            )
        finally:
            server.shutdown()
    assert Requests.environment is not None, "docker sent no create request"
    return dict(line.split("=", 1) for line in Requests.environment)

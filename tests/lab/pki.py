# Copyright (c) 2026, Smarthost Maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's certificate authority and the relay's certificate, by the openssl command: the lab uses the standard library only."""

from __future__ import annotations

import pathlib

from lab.processes import run

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def make(folder: pathlib.Path, host: str) -> None:
    """Make ca.pem and relay.chain (key, then certificate, as Postfix's smtpd_tls_chain_files wants it) for one host name in a new folder."""
    folder.mkdir(mode=0o700)
    run(
        "openssl",
        "req",
        "-x509",
        *NEW_KEY,
        "-days",
        "30",
        "-subj",
        "/CN=Smarthost lab CA",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
        "-keyout",
        folder / "ca.key",
        "-out",
        folder / "ca.pem",
    )
    run(
        "openssl",
        "req",
        "-x509",
        *NEW_KEY,
        "-days",
        "30",
        "-subj",
        "/CN=" + host,
        "-addext",
        "subjectAltName=DNS:" + host,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-addext",
        "extendedKeyUsage=serverAuth",
        "-CA",
        folder / "ca.pem",
        "-CAkey",
        folder / "ca.key",
        "-keyout",
        folder / "relay.key",
        "-out",
        folder / "relay.pem",
    )
    chain = (folder / "relay.key").read_text(encoding="ascii") + (folder / "relay.pem").read_text(encoding="ascii")
    (folder / "relay.chain").write_text(chain, encoding="ascii")


def subject_hash(certificate: pathlib.Path) -> str:
    """Return the name under which OpenSSL looks for a CA in a folder, without its ".0"."""
    return run("openssl", "x509", "-noout", "-hash", "-in", certificate).strip()

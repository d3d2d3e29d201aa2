"""Verifiers of certificates, each asked in its own way whether it accepts a server."""

import os
import re
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

HERE = Path(__file__).parent
OUTSIDE = "bank.test"
# Case of `lab serve` -> the host that the client wants to reach.
HOSTS = {
    "listed": "chat.assistant.test",
    "below": "eu.chat.assistant.test",
    "outside": OUTSIDE,
    "beside": OUTSIDE,
    "wildcard": "mail.assistant.test",
    "address": "127.0.0.1",
    "common-name": OUTSIDE,
    "further-ca": OUTSIDE,
}


def host_of(case):
    return HOSTS[case.removeprefix("free-")]


def run(command, **options):
    options = {"capture_output": True, "text": True, "timeout": 60, "stdin": subprocess.DEVNULL, **options}
    return subprocess.run([str(word) for word in command], **options)


class Verifier:
    """A client with the lab's root in its store and nothing else."""

    name = ""
    # Programs that must be there.
    needs = ()
    # The version, for the record.
    version_command = ()

    def __init__(self, lab, folder):
        self.lab = lab
        self.folder = Path(folder)

    @classmethod
    def missing(cls):
        return [program for program in cls.needs if not shutil.which(program)]

    @classmethod
    def version(cls):
        ran = run(cls.version_command)
        return (ran.stdout or ran.stderr).strip().splitlines()[0]

    def prepare(self):
        pass

    def verdicts(self, cases):
        """The cases that it accepts, as {case: accepted}."""
        return {case: self.accepts(case, host_of(case), self.lab.ports[case]) for case in cases}

    def accepts(self, case, host, port):
        raise NotImplementedError


class OpenSsl(Verifier):
    name = "OpenSSL"
    needs = ("openssl",)
    version_command = ("openssl", "version")

    def accepts(self, case, host, port):
        check = ("-verify_ip", host) if case.endswith("address") else ("-verify_hostname", host, "-servername", host)
        client = ("openssl", "s_client", "-brief", "-connect", f"127.0.0.1:{port}", "-CAfile", self.lab.root)
        return run((*client, "-verify_return_error", "-x509_strict", *check)).returncode == 0


class PythonSsl(Verifier):
    name = "Python `ssl`"

    @classmethod
    def version(cls):
        return f"{'.'.join(str(part) for part in os.sys.version_info[:3])}, {ssl.OPENSSL_VERSION}"

    def accepts(self, case, host, port):
        context = ssl.create_default_context(cafile=self.lab.root)
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
        try:
            with socket.create_connection(("127.0.0.1", port), 10) as plain:
                with context.wrap_socket(plain, server_hostname=host):
                    return True
        except ssl.SSLCertVerificationError:
            return False


class Together(Verifier):
    """Asked once about all cases: starting it takes long."""

    def verdicts(self, cases):
        lines = self.ask([f"{host_of(case)}={self.lab.ports[case]}" for case in cases])
        assert len(lines) == len(cases), lines
        for line in lines:
            assert line == "accepted" or line.startswith("refused"), line
        return {case: line == "accepted" for case, line in zip(cases, lines)}

    def ask(self, servers):
        raise NotImplementedError


class Node(Together):
    name = "Node.js"
    needs = ("node",)
    version_command = ("node", "--version")

    def ask(self, servers):
        environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(self.lab.root)}
        return run(("node", HERE / "ca_verify.mjs", *servers), env=environment).stdout.splitlines()


class Java(Together):
    name = "Java"
    needs = ("java", "javac", "keytool")
    version_command = ("java", "--version")

    def prepare(self):
        store = ("-keystore", self.folder / "roots.p12", "-storetype", "PKCS12", "-storepass", "changeit")
        made = run(("keytool", "-importcert", "-noprompt", "-alias", "lab", "-file", self.lab.root, *store))
        assert made.returncode == 0, made

    def ask(self, servers):
        return run(("java", HERE / "ca_verify.java", self.folder / "roots.p12", "changeit", *servers)).stdout.splitlines()


class Nss(Verifier):
    name = "NSS (chain only)"
    needs = ("certutil", "vfychain")
    version_command = ("dpkg-query", "--show", "libnss3")

    def prepare(self):
        make_nss(self.folder / "nss", self.lab.root)

    def accepts(self, case, host, port):
        pems = (self.lab.folder / f"{case}.pem").read_text().split("-----BEGIN ")[1:]
        paths = []
        for number, pem in enumerate(pems):
            paths.append(self.folder / f"{case}-{number}.pem")
            paths[-1].write_text("-----BEGIN " + pem)
        command = ["vfychain", "-d", f"sql:{self.folder / 'nss'}", "-pp", "-u", "1", "-a", *paths]
        ran = run(command)
        assert "Chain is" in ran.stdout + ran.stderr, ran
        return ran.returncode == 0


class Chromium(Verifier):
    name = "Chromium"
    needs = ("chromium", "certutil")
    version_command = ("chromium", "--version")

    def prepare(self):
        make_nss(self.folder / ".pki" / "nssdb", self.lab.root)

    def accepts(self, case, host, port):
        command = (
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            "--no-first-run", f"--user-data-dir={self.folder / 'profile'}", "--dump-dom",
            "--host-resolver-rules=MAP *.test 127.0.0.1", f"https://{host}:{port}/",
        )  # fmt: skip
        ran = run(command, env={**os.environ, "HOME": str(self.folder)})
        accepted = "<p>accepted</p>" in ran.stdout
        # Codes from -200 to -299 are about certificates (net/base/net_error_list.h).
        assert accepted or re.search(r"net_error -2\d\d", ran.stderr), ran
        return accepted


class Rustls(Verifier):
    name = "rustls"

    @classmethod
    def version(cls):
        lock = (HERE.parent / "Cargo.lock").read_text().split("[[package]]")
        return next(part for part in lock if '\nname = "rustls"\n' in part).split('version = "')[1].split('"')[0]

    def accepts(self, case, host, port):
        ran = run((self.lab.program, "connect", self.lab.root, port, host))
        assert ran.returncode in (0, 1), ran
        return ran.returncode == 0


class GnuTls(Verifier):
    name = "GnuTLS"
    needs = ("gnutls-cli",)
    version_command = ("gnutls-cli", "--version")

    def accepts(self, case, host, port):
        sni = () if case.endswith("address") else ("--sni-hostname", host)
        client = ("gnutls-cli", "--x509cafile", self.lab.root, "--verify-hostname", host, *sni)
        ran = run((*client, "--port", port, "127.0.0.1"))
        assert "Status:" in ran.stdout, ran
        return ran.returncode == 0


ALL = [OpenSsl, PythonSsl, Node, Java, Nss, Chromium, Rustls, GnuTls]


def make_nss(folder, root):
    """An NSS database that trusts one root for TLS servers."""
    folder.mkdir(parents=True)
    database = ("-d", f"sql:{folder}")
    for command in (("-N", "--empty-password"), ("-A", "-n", "lab", "-t", "C,,", "-i", root)):
        ran = run(("certutil", *database, *command))
        assert ran.returncode == 0, ran

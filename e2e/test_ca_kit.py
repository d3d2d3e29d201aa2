"""What `writ ca` makes and what its kits do to a device, without touching the one that runs the tests."""

import json
import os
import shutil
import ssl
import subprocess
from pathlib import Path

import ca_verifiers
import pytest

PASSPHRASE = "not a passphrase for anything real"
SYSTEM = Path("/usr/share/ca-certificates/mozilla")
POLICY = (Path(__file__).parent / "policy.md").read_text()
CONFIG = """data-directory = "data"
policy = "policy.md"
key-encryption = { file = "writ.key" }

[organisation]
name = "Northwind"
"""


class Office:
    """A folder with a configuration, an authority and kits."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "writ.toml").write_text(CONFIG)
        (folder / "policy.md").write_text(POLICY)
        self.said = self.writ("ca", "init", "--root", "stick", "--passphrase-file", "-", input=PASSPHRASE)
        self.certificate = folder / "root.crt"
        self.certificate.write_text(self.writ("ca", "export"))

    def run(self, *words, input=""):
        command = [os.environ["WRIT_BIN"], *words]
        return subprocess.run(command, cwd=self.folder, input=input, capture_output=True, text=True, timeout=60)

    def writ(self, *words, input=""):
        ran = self.run(*words, input=input)
        assert ran.returncode == 0, ran
        return ran.stdout

    def kit(self, target):
        folder = self.folder / f"kit-{target}"
        if not folder.exists():
            self.writ("ca", "kit", target, "--out", str(folder), "--name", "writ-northwind")
        return Kit(folder)


class Kit:
    """Scripts, and the environment that keeps them away from this machine."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, script, *arguments, **environment):
        command = ["sh", str(self.folder / script), *(str(argument) for argument in arguments)]
        variables = {**os.environ, **{name: str(value) for name, value in environment.items()}}
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120)

    def does(self, script, *arguments, **environment):
        ran = self.run(script, *arguments, **environment)
        assert ran.returncode == 0, ran
        return ran.stdout


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    return Office(tmp_path_factory.mktemp("office"))


def needs(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


def everything_in(folder):
    """Every path with what it is: a folder, where a link leads, or the bytes of a file."""
    seen = {}
    for path in sorted(folder.rglob("*")):
        kind = "folder" if path.is_dir() and not path.is_symlink() else None
        seen[str(path.relative_to(folder))] = kind or (os.readlink(path) if path.is_symlink() else path.read_bytes())
    return seen


def test_the_root_stays_outside_the_serving_folder(office):
    assert "keep it offline" in office.said
    assert sorted(path.name for path in (office.folder / "stick").iterdir()) == ["root.key", "root.pem"]
    served = [path for folder in ("authority", "data") for path in (office.folder / folder).rglob("*") if path.is_file()]
    assert all(b"PRIVATE KEY" not in path.read_bytes() for path in served)
    opened = ca_verifiers.run(
        ("openssl", "pkey", "-in", office.folder / "stick/root.key", "-passin", "stdin", "-pubout"),
        stdin=None, input=PASSPHRASE,
    )  # fmt: skip
    public = ca_verifiers.run(("openssl", "x509", "-in", office.certificate, "-noout", "-pubkey"))
    assert opened.returncode == 0 and opened.stdout == public.stdout


def test_what_is_there_is_not_made_again(office):
    again = office.run("ca", "init", "--root", "other", "--passphrase-file", "-", input=PASSPHRASE)
    assert again.returncode == 2 and "writ ca extend" in again.stderr
    assert not (office.folder / "other").exists()
    wrong = office.run("ca", "extend", "--root", "stick", "--passphrase-file", "-", input="another passphrase")
    assert wrong.returncode == 2 and "passphrase" in wrong.stderr and "another" not in wrong.stderr
    same = office.writ("ca", "extend", "--root", "stick", "--passphrase-file", "-", input=PASSPHRASE)
    assert "every listed host has its group already" in same


def test_a_new_service_makes_a_new_group_and_renewing_drops_it(tmp_path):
    office = Office(tmp_path)
    before = json.loads(office.writ("ca", "hosts", "--json"))
    service = """[[service]]
id = "own-model"
name = "Own model"
vendor = "Northwind"
category = "model-api"
formats = ["openai-chat"]
evidence = { seen = "host", source = "our own", date = "2026-11" }
hosts = [{ name = "models.northwind.example", match = "suffix", mode = "inspect" }]
tier = []
"""
    (tmp_path / "services.toml").write_text(service)
    (tmp_path / "writ.toml").write_text(CONFIG.replace("key-enc", 'services = ["services.toml"]\nkey-enc', 1))
    said = office.writ("ca", "extend", "--root", "stick", "--passphrase-file", "-", input=PASSPHRASE)
    assert "new: 1 group with 1 host" in said
    after = json.loads(office.writ("ca", "hosts", "--json"))
    assert after[: len(before)] == before and after[-1]["hosts"] == ["models.northwind.example"]
    (tmp_path / "writ.toml").write_text(CONFIG)
    said = office.writ("ca", "extend", "--root", "stick", "--renew", "--passphrase-file", "-", input=PASSPHRASE)
    assert "dropped: models.northwind.example" in said
    assert [group["hosts"] for group in json.loads(office.writ("ca", "hosts", "--json"))] == [g["hosts"] for g in before]


def test_a_company_ca_signs_in_place_of_a_root(tmp_path):
    """A CA with the names of a Windows domain, as OpenSSL makes it; its key is RSA."""
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout ca.key -out ca.pem -subj".split()
    subject = "/DC=example/DC=northwind/OU=IT/OU=PKI/CN=Northwind Issuing CA 1"
    usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    done = subprocess.run([*make, subject, *usage], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0, done
    (tmp_path / "writ.toml").write_text(CONFIG)
    (tmp_path / "policy.md").write_text(POLICY)
    office = Office.__new__(Office)
    office.folder = tmp_path
    office.writ("ca", "init", "--import", "ca.pem", "--key", "ca.key")
    group = next(iter(sorted((tmp_path / "authority").glob("*-1.pem"))))
    verified = ca_verifiers.run(("openssl", "verify", "-x509_strict", "-CAfile", tmp_path / "ca.pem", group))
    assert verified.returncode == 0, verified
    issuer = ca_verifiers.run(("openssl", "x509", "-in", group, "-noout", "-issuer"))
    assert "DC = example, DC = northwind, OU = IT, OU = PKI" in issuer.stdout


def test_export_as_bytes(office, tmp_path):
    office.writ("ca", "export", "--form", "der", "--out", str(tmp_path / "root.cer"))
    assert (tmp_path / "root.cer").read_bytes() == ssl.PEM_cert_to_DER_cert(office.certificate.read_text())


@needs("update-ca-certificates", "openssl")
def test_debian_and_back(office, tmp_path):
    root = tmp_path / "root"
    folders = ("etc/ssl/certs", "usr/share/ca-certificates/mozilla", "usr/local/share/ca-certificates")
    for folder in (*folders, "etc/ca-certificates/update.d"):
        (root / folder).mkdir(parents=True)
    authorities = sorted(SYSTEM.glob("*.crt"))[:3]
    for authority in authorities:
        shutil.copy(authority, root / "usr/share/ca-certificates/mozilla")
    names = [f"mozilla/{authority.name}" for authority in authorities]
    (root / "etc/ca-certificates.conf").write_text("\n".join(names) + "\n")
    told = tmp_path / "told"
    hook = root / "etc/ca-certificates/update.d/hook"
    hook.write_text(f"#!/bin/sh\ncat >> {told}\n")
    hook.chmod(0o755)
    kit = office.kit("debian")
    assert kit.run("uninstall.sh", DESTDIR=root).returncode == 0, "a machine that never had it"
    before = everything_in(root)
    assert kit.run("verify.sh", DESTDIR=root).returncode == 1
    assert "wrote" in kit.does("install.sh", DESTDIR=root)
    assert "there already" in kit.does("install.sh", DESTDIR=root)
    kit.does("verify.sh", DESTDIR=root)
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    assert ssl.create_default_context(cafile=bundle).cert_store_stats()["x509_ca"] == len(authorities) + 1
    kit.does("uninstall.sh", DESTDIR=root)
    assert kit.run("verify.sh", DESTDIR=root).returncode == 1
    assert everything_in(root) == before
    link = root / "etc/ssl/certs/writ-northwind.pem"
    ours = [line for line in told.read_text().splitlines() if "writ" in line]
    assert ours == [f"+{link}", f"-{link}"], "hooks, such as that of Java's store, are told"


def test_a_kit_does_not_install_another_certificate(office, lab_certificate, tmp_path):
    folder = tmp_path / "kit"
    shutil.copytree(office.kit("debian").folder, folder)
    shutil.copy(lab_certificate, folder / "writ-northwind.crt")
    ran = Kit(folder).run("install.sh", DESTDIR=tmp_path / "root")
    assert ran.returncode == 1 and "nothing was changed" in ran.stderr
    assert not (tmp_path / "root").exists()


@pytest.fixture
def lab_certificate(tmp_path):
    made = tmp_path / "other.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=x -out"
    subprocess.run([*command.split(), str(made)], check=True, capture_output=True)
    return made


@needs("certutil", "openssl")
def test_browser_databases_and_back(office, tmp_path):
    home = tmp_path / "home"
    for folder in (".pki/nssdb", ".mozilla/firefox/a1b2.default release"):
        database = home / folder
        database.mkdir(parents=True)
        assert ca_verifiers.run(("certutil", "-d", f"sql:{database}", "-N", "--empty-password")).returncode == 0
    kit = office.kit("firefox")

    def names():
        listed = [ca_verifiers.run(("certutil", "-d", f"sql:{path.parent}", "-L")).stdout for path in home.rglob("cert9.db")]
        return [text.count("writ-northwind") for text in listed]

    assert kit.run("verify.sh", HOME=home).returncode == 1
    assert kit.does("install.sh", HOME=home).count("added") == 2
    assert kit.does("install.sh", HOME=home).count("has it already") == 2
    assert names() == [1, 1]
    before = {path for path in home.rglob("*")}
    kit.does("uninstall.sh", HOME=home)
    assert names() == [0, 0]
    assert kit.run("verify.sh", HOME=home).returncode == 1
    kit.does("uninstall.sh", HOME=home)
    assert {path for path in home.rglob("*")} == before, "only entries, no files"


@needs("keytool", "java")
def test_java_and_back(office, tmp_path):
    store = tmp_path / "cacerts"
    other = ("keytool", "-genkeypair", "-alias", "other", "-keyalg", "EC", "-dname", "CN=other", "-storepass", "changeit")
    assert ca_verifiers.run((*other, "-keystore", store)).returncode == 0

    def aliases():
        listed = ca_verifiers.run(("keytool", "-list", "-keystore", store, "-storepass", "changeit")).stdout
        return [line.split(",")[0] for line in listed.splitlines() if "Entry" in line]

    kit = office.kit("java")
    assert kit.run("verify.sh", store).returncode == 1
    assert "added" in kit.does("install.sh", store)
    assert "has it already" in kit.does("install.sh", store)
    assert sorted(aliases()) == ["other", "writ-northwind"]
    kit.does("uninstall.sh", store)
    assert aliases() == ["other"]
    assert "does not have it" in kit.does("uninstall.sh", store)


@pytest.mark.parametrize("target, variables", [
    ("node", ["NODE_EXTRA_CA_CERTS"]),
    ("python", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"]),
])  # fmt: skip
def test_variables_and_back(office, tmp_path, target, variables):
    root = tmp_path / "root"
    base = tmp_path / "base.pem"
    base.write_text(next(iter(sorted(SYSTEM.glob("*.crt")))).read_text())
    (root / "etc/profile.d").mkdir(parents=True)
    (root / "usr/local/share").mkdir(parents=True)
    before = everything_in(root)
    kit = office.kit(target)
    kit.does("install.sh", DESTDIR=root, BASE=base)
    installed = everything_in(root)
    kit.does("install.sh", DESTDIR=root, BASE=base)
    assert everything_in(root) == installed
    profile = root / f"etc/profile.d/writ-northwind-{target}.sh"
    values = after_login(profile, variables)
    assert all(value.startswith(f"/usr/local/share/writ-northwind-{target}/") for value in values.values())
    assert after_login(profile, variables, **dict.fromkeys(variables, "/own.pem")) == dict.fromkeys(variables, "/own.pem")
    inside = {name: f"{root}{value}" for name, value in values.items()}
    kit.does("verify.sh", **inside)
    assert kit.run("verify.sh", **dict.fromkeys(variables, base)).returncode == 1
    stats = ssl.create_default_context(cafile=inside[variables[0]]).cert_store_stats()
    assert stats["x509_ca"] == (2 if target == "python" else 1)
    kit.does("uninstall.sh", DESTDIR=root)
    assert everything_in(root) == before


def after_login(profile, variables, **environment):
    """What a shell has in these variables after it has read a file of /etc/profile.d."""
    words = " ".join(f'"${name}"' for name in variables)
    command = ["sh", "-c", f'. {profile}; printf "%s\\n" {words}']
    shell = subprocess.run(command, env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True)
    return dict(zip(variables, shell.stdout.splitlines()))


def test_every_script_is_a_shell_script(office):
    for target in ("debian", "macos", "firefox", "java", "node", "python", "wsl", "container"):
        for script in sorted(office.kit(target).folder.glob("*.sh")):
            assert ca_verifiers.run(("sh", "-n", script)).returncode == 0, script

"""Every verifier keeps the proxy's certificates within their bounds: docs/reference/ca-verifiers.md is made here."""

import json
import os
import subprocess
from pathlib import Path

import ca_verifiers
import pytest
from world import wait_until

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "ca-verifiers.md"
GOOD = ["listed", "below"]
# Made with the key of an intermediate, with a control by one without constraints.
BAD = ["outside", "beside", "wildcard", "address", "common-name"]
CASES = [*GOOD, *BAD, "further-ca"]
COLUMNS = {
    "listed": "listed host",
    "below": "host below it",
    "outside": "other host",
    "beside": "other host beside a listed one",
    "wildcard": "wildcard above a listed one",
    "address": "IP address",
    "common-name": "other host as common name only",
    "further-ca": "other host by a further CA",
}


class Lab:
    """The servers of `crates/writ-ca/examples/lab.rs`."""

    def __init__(self, folder):
        self.folder = folder
        self.program = build()
        self.process = subprocess.Popen([self.program, "serve", str(folder)], stdin=subprocess.PIPE)
        wait_until((folder / "cases.json").exists, "the lab serves")
        self.ports = json.loads((folder / "cases.json").read_text())
        self.root = folder / "root.pem"

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0


def build():
    """The lab is an example, which the build of the binaries leaves out; `--workspace` takes what that build made."""
    command = [os.environ.get("CARGO", "cargo"), "build", "--quiet", "--workspace", "--example", "lab"]
    command += ["--profile", "test", "--message-format", "json"]
    built = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=PAGE.parent)
    messages = [json.loads(line) for line in built.stdout.splitlines()]
    return next(m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "lab")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def rows():
    """What was seen, by verifier; the last test compares it with the page."""
    return {}


@pytest.mark.parametrize("verifier", ca_verifiers.ALL, ids=lambda verifier: verifier.name)
def test_a_verifier_accepts_listed_hosts_and_nothing_else(verifier, lab, rows, tmp_path):
    missing = verifier.missing()
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
    asked = verifier(lab, tmp_path)
    asked.prepare()
    accepted = asked.verdicts(CASES)
    control = asked.verdicts([f"free-{case}" for case in BAD])
    rows[verifier.name] = [cell(case, accepted[case], control.get(f"free-{case}")) for case in CASES]
    print(verifier.name, verifier.version(), rows[verifier.name])
    assert [case for case in GOOD if not accepted[case]] == []
    # The control first: a client that cannot reach the server would refuse everything.
    assert control["free-outside"] and control["free-beside"]
    assert [case for case in CASES if case not in GOOD and accepted[case]] == []


def cell(case, accepted, control):
    if accepted:
        return "accepted"
    return "refused" if control is None or control else "refused (never taken)"


def test_the_page_says_what_was_seen(rows):
    assert rows, "no verifier is installed"
    written = PAGE.read_text() if PAGE.exists() else ""
    if os.environ.get("WRIT_UPDATE"):
        PAGE.write_text(page(rows))
    lines = page(rows).splitlines()
    table = [line for line in lines if line.startswith("| ") and line.split(" | ")[0][2:] in rows]
    assert len(table) == len(rows)
    missing = [line for line in table if line not in written.splitlines()]
    assert not missing or os.environ.get("WRIT_UPDATE"), f"docs/reference/ca-verifiers.md lacks {missing}"


def page(rows):
    head = ["verifier", *COLUMNS.values()]
    versions = {verifier.name: verifier.version() for verifier in ca_verifiers.ALL if verifier.name in rows}
    table = [head, ["---"] * len(head), *([name, *cells] for name, cells in rows.items())]
    lines = "\n".join("| " + " | ".join(line) + " |" for line in table)
    seen = "\n".join(f"* {name}: {' '.join(version.split())}" for name, version in versions.items())
    return f"""# What verifiers make of Writ's certificates

Made by `e2e/test_ca.py`, which fails if a verifier that is installed does otherwise.

Each verifier trusts one root. A *listed host* and a *host below it* have leaves as the running proxy makes them. All
other leaves were made with the key of an intermediate, as a thief of that key would make them: the name constraints of
the intermediate must stop them, and its path length the last one. Those but the last were also made by an intermediate
of the same root without constraints: *refused* means that the verifier accepted that leaf, *refused (never taken)* that
it refuses such leaves from everybody.

{lines}

Seen with:

{seen}

Not tested here: Windows (CryptoAPI) and macOS (Security framework), which do not run on Linux, and Go.
"""

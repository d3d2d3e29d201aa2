"""What people have on their devices, through the forward proxy, with default addresses: as `writ serve` runs it."""

import hashlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from browser import launch, modules
from console import Console
from office import ANA, BANK, BO, BROKEN, CODE, COUNCIL, PASSWORDS, SITES, VETTED, Office, run
from world import wait_until

HERE = Path(__file__).parent
CHAT = "https://api.openai.com/v1/chat/completions"


def prompt(text, stream=False):
    return json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": text}], "stream": stream})


def curl(office, *arguments, login=ANA, root=None):
    command = ["curl", "--silent", "--show-error", "--max-time", "20", "--cacert", str(root or office.root)]
    return run([*command, *arguments], env=office.environment(login))


class Curl:
    """curl with one version of HTTP."""

    service = "openai-api"

    def __init__(self, version):
        self.version = version
        self.name = f"curl {version}"

    def missing(self):
        return None if shutil.which("curl") else "curl is not installed"

    def ask(self, office, login, stream, text):
        key = "authorization: Bearer sim-openai-key"
        arguments = [f"--http{self.version}", "-H", key, "-H", "content-type: application/json", "-d", prompt(text, stream)]
        done = curl(office, *arguments, "-w", "\n%{http_code} %{http_version}", CHAT, login=login)
        body, tail = done.stdout.rsplit("\n", 1)
        assert tail.split()[1] == self.version, done
        if tail.split()[0] != "200":
            return {"status": int(tail.split()[0]), "message": json.loads(body)["error"]["message"]}
        if not stream:
            return {"answer": json.loads(body)["choices"][0]["message"]["content"]}
        chunks = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: {")]
        return {"answer": "".join(choice["delta"].get("content") or "" for it in chunks for choice in it["choices"])}


class Program:
    """A program with a vendor's SDK, in a process of its own."""

    def __init__(self, name, vendor, service, command, trust):
        self.name, self.vendor, self.service, self.command, self.trust = name, vendor, service, command, trust

    def missing(self):
        if self.command()[0] == "node" and not (shutil.which("node") and os.environ.get("NODE_PATH")):
            return "node or its packages are not installed"
        return None

    def ask(self, office, login, stream, text):
        environment = office.environment(login, **{self.trust: str(office.root)})
        done = run([*self.command(), self.vendor, "stream" if stream else "plain", text], env=environment)
        assert done.returncode == 0, done
        return json.loads(done.stdout)


def python():
    return [sys.executable, "-B", str(HERE / "clients_direct.py")]


def node():
    """ES modules look for packages beside themselves."""
    beside = modules().parent
    for name in ["clients.mjs", "preload.mjs"]:
        shutil.copy(HERE / name, beside)
    return ["node", "--import", str(beside / "preload.mjs"), str(beside / "clients.mjs")]


CLIENTS = [
    Curl("1.1"),
    Curl("2"),
    Program("python openai", "openai", "openai-api", python, "SSL_CERT_FILE"),
    Program("python anthropic", "anthropic", "anthropic-api", python, "SSL_CERT_FILE"),
    Program("python google-genai", "gemini", "gemini-api", python, "SSL_CERT_FILE"),
    Program("python requests", "requests", "openai-api", python, "REQUESTS_CA_BUNDLE"),
    Program("node openai", "openai", "openai-api", node, "NODE_EXTRA_CA_CERTS"),
    Program("node anthropic", "anthropic", "anthropic-api", node, "NODE_EXTRA_CA_CERTS"),
]


@pytest.fixture(params=CLIENTS, ids=lambda client: client.name)
def client(request):
    missing = request.param.missing()
    if missing:
        pytest.skip(missing)
    return request.param


def test_a_client_is_answered_redacted_and_refused(office, client, planted):
    newest, before = office.newest(), len(office.journal())
    for stream in [False, True]:
        assert client.ask(office, ANA, stream, f"sim:echo {planted.text()}") == {"answer": planted.text()}
    arrived = office.journal()[before:]
    assert len(arrived) == 2
    for one in arrived:
        assert not any(one.holds(value) for value in planted.values())
        assert not one.holds(PASSWORDS[ANA]) and "proxy-authorization" not in one.headers

    refused = client.ask(office, ANA, False, f"Use the key {planted.secret} in the request.")
    assert refused.get("status") == 403, refused
    assert "writ: not sent (clause 2 Credentials)" in refused["message"] and planted.secret not in refused["message"]
    code = CODE.search(refused["message"]).group(1)
    assert len(office.journal()) == before + 2, "nothing left"

    # The process has ended: a retry would have been made by now.
    records = office.records_after(newest, "--service", client.service)
    endings = [row["outcome"]["ending"] for row in records if row["direction"] == "prompt"]
    assert sorted(endings) == ["delivered", "delivered", "refused"]
    (stop,) = office.records("--reference", code)
    assert (stop["enforced"], stop["clauses"]) == ("block", ["credentials"])


def test_the_record_says_who_and_how_sure(office):
    """Ana and Bo share an address; each finds what is theirs on their own page, and nothing else."""
    newest = office.newest()
    for login, text in [(ANA, "sim:say one"), (BO, "sim:say two"), (BO, "sim:say three")]:
        assert "answer" in Curl("1.1").ask(office, login, False, text)
    assert len(office.records_after(newest)) == 3
    sam = Console(office, "sam")
    rows = sam.get("/api/v1/records").json()["rows"][:3]
    people = [row["person"] for row in rows]
    assert people[0] == people[1] != people[2] and all(people)
    details = [sam.get(f"/interactions/{row['interaction']}").text for row in rows]
    assert all("Sure: a password" in page and ANA not in page and BO not in page for page in details)


def test_a_protected_person_leaves_no_name_and_is_not_read(office, planted):
    newest = office.newest()
    # The content is not read: what would be stopped for others goes by service and account alone.
    before = len(office.journal())
    Curl("1.1").ask(office, COUNCIL, False, f"sim:say ok {planted.card}")
    assert all(planted.card not in row for row in map(str, office.records_after(newest)))
    (record,) = office.records_after(newest)
    assert record["classes"] == []
    sam = Console(office, "sam")
    row = sam.get("/api/v1/records").json()["rows"][0]
    assert row["interaction"] == record["interaction"] and not row.get("person")
    assert len(office.journal()) <= before + 1


def test_without_a_name_nobody_is_let_through(office):
    for login, password in [(None, None), (ANA, "not-the-password"), ("nobody@northwind.example", "x")]:
        proxy = f"http://{login.replace('@', '%40')}:{password}@{office.proxy}" if login else f"http://{office.proxy}"
        environment = {**office.environment(ANA), "HTTPS_PROXY": proxy, "https_proxy": proxy}
        done = run(["curl", "-sS", "--cacert", str(office.root), CHAT], env=environment)
        assert done.returncode == 56 and "407" in done.stderr, done


def test_what_is_not_opened_keeps_its_certificate_and_its_bytes(office, tmp_path):
    site = office.folder / "sim" / "sites-ca.pem"
    for version in ["1.1", "2"]:
        target = tmp_path / version
        address = f"https://{BANK}/sim/bytes/300000"
        done = curl(office, f"--http{version}", "-D", str(tmp_path / "head"), "-o", str(target), address, root=site)
        assert done.returncode == 0, done
        head = (tmp_path / "head").read_text().lower()
        assert f"x-sim-body-sha256: {hashlib.sha256(target.read_bytes()).hexdigest()}" in head
        assert "alt-svc: h3" in head, "not even that is touched"
    assert curl(office, f"https://{BANK}/").returncode == 60, "the organisation's root says nothing about this site"
    stream, _ = office.connect(f"{BANK}:443")
    direct = socket.create_connection(("127.0.0.1", int(office.base.rsplit(":", 1)[1])), 10)
    context = ssl.create_default_context(cafile=site)
    seen = [context.wrap_socket(one, server_hostname=BANK).getpeercert(True) for one in (stream, direct)]
    assert seen[0] == seen[1]
    assert BANK not in str(office.records()) and BANK.encode() not in b"".join(
        path.read_bytes() for path in (office.folder / "data").rglob("*") if path.is_file()
    ), "what is none of anybody's business is not written down"


def test_what_is_opened_does_not_offer_a_way_around(office):
    done = curl(office, "-D", "-", "-o", "/dev/null", "https://chatgpt.com/", "-H", "sec-fetch-mode: navigate")
    assert done.returncode == 0 and "alt-svc" not in done.stdout.lower()


def test_names_that_disagree_are_refused(office):
    before = len(office.journal())
    done = curl(office, "-w", "\n%{http_code}", "-H", "host: chatgpt.com", "-H", "content-type: application/json", "-d", prompt("hi"), CHAT)
    assert done.stdout.endswith("\n421") and "names of the destination disagree" in done.stdout
    stream, head = office.connect("api.openai.com:443")
    assert head.startswith("HTTP/1.1 200")
    context = ssl._create_unverified_context()
    with pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(stream, server_hostname="chatgpt.com").unwrap()
    assert len(office.journal()) == before


SAYS = {
    "expired": "expired or not yet valid",
    "wrong-name": "not for this name",
    "self-signed": "issuer is unknown",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_certificate_that_does_not_hold_is_said_clearly(office, kind):
    address = f"https://{BROKEN[kind]}/v1/chat/completions"
    done = curl(office, "-H", "content-type: application/json", "-d", prompt("sim:say hi"), "-w", "\n%{http_code}", address)
    assert done.stdout.endswith("\n502") and SAYS[kind] in done.stdout and "nothing was sent" in done.stdout
    page = curl(office, "-H", "sec-fetch-mode: navigate", "-H", "accept: text/html", f"https://{BROKEN[kind]}/").stdout
    assert page.startswith("<!doctype html>") and "did not answer" in page


@pytest.mark.parametrize("target", ["127.0.0.1", "169.254.169.254", "[::1]", "0.0.0.0", "localhost"])
def test_nothing_leads_back_inside(office, target):
    for port in [443, office.console_port]:
        _, head = office.connect(f"{target}:{port}")
        assert head.startswith("HTTP/1.1 403"), head
    assert not any(target in asked for asked in office.parent.asked)


def test_a_socket_is_refused_in_words_that_clients_understand(office):
    newest = office.newest()
    upgrade = ["connection: Upgrade", "upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="]
    headers = [word for header in upgrade for word in ("-H", header)]
    done = curl(office, "--http1.1", *headers, "-w", "\n%{http_code}", CHAT.replace("chat/completions", "responses"))
    assert done.stdout.endswith("\n403") and "clause 4" in done.stdout
    # And then, as clients do, over HTTP.
    assert Curl("2").ask(office, ANA, False, "sim:say fine") == {"answer": "fine"}
    endings = [row["outcome"]["ending"] for row in office.records_after(newest)]
    assert sorted(endings) == ["delivered", "refused"]


@pytest.fixture
def nss(office, tmp_path):
    """A home whose NSS database trusts the organisation's root, as the kit for Debian sets it up."""
    if not shutil.which("certutil"):
        pytest.skip("certutil is not installed")
    database = tmp_path / ".pki" / "nssdb"
    database.mkdir(parents=True)
    for command in (["-N", "--empty-password"], ["-A", "-n", "writ", "-t", "C,,", "-i", str(office.root)]):
        subprocess.run(["certutil", "-d", f"sql:{database}", *command], check=True, capture_output=True)
    return tmp_path


def test_chromium_with_the_root_and_the_pac_file(office, nss, playwright, shots, planted):
    pytest.importorskip("playwright")
    arguments = [f"--proxy-pac-url={office.console}/proxy.pac"]
    browser = launch(playwright, args=arguments, env={**os.environ, "HOME": str(nss)})
    context = browser.new_context()
    page = context.new_page()
    newest = office.newest()
    answer = page.goto("https://chatgpt.com/")
    assert answer.status == 200 and answer.security_details()["issuer"].startswith("AI inspection")
    box = page.locator("#box")
    box.fill(f"sim:echo {planted.card}")
    box.press("Enter")
    page.locator('#log[aria-busy="false"]').wait_for()
    assert planted.card in page.locator("#log article").last.inner_text()
    before = len(office.journal())
    box.fill(f"Use the key {planted.secret} now.")
    box.press("Enter")
    page.locator('#log[aria-busy="false"]').wait_for()
    said = page.locator("#log article").last.inner_text()
    assert "not sent" in said and planted.secret not in said
    page.screenshot(path=shots / "chromium-through-the-proxy.png")
    assert len(office.journal()) == before
    browser.close()
    endings = {row["outcome"]["ending"] for row in office.records_after(newest) if row["outcome"]}
    assert {"delivered", "refused"} <= endings


def test_claude_code(office, planted, tmp_path):
    program = modules() / ".bin" / "claude"
    if not program.exists():
        pytest.skip("Claude Code is not installed: `npm install @anthropic-ai/claude-code`")
    environment = office.environment(
        ANA,
        NODE_EXTRA_CA_CERTS=str(office.root),
        ANTHROPIC_API_KEY="sim-anthropic-key",
        HOME=str(tmp_path),
        CLAUDE_CONFIG_DIR=str(tmp_path / "claude"),
        DISABLE_AUTOUPDATER="1",
    )

    def ask(text):
        command = [str(program), "-p", text, "--model", "claude-sonnet-4-5"]
        return run(command, env=environment, cwd=tmp_path, stdin=subprocess.DEVNULL)

    if run([str(program), "--version"], env=environment).returncode != 0:
        pytest.skip("Claude Code does not run on this machine")
    assert ask("sim:say Bonjour.").stdout.strip() == "Bonjour."
    before = len(office.journal())
    refused = ask(f"Use the key {planted.secret} in the request.")
    assert refused.returncode == 1 and "writ: not sent (clause 2 Credentials)" in refused.stdout
    code = CODE.search(refused.stdout).group(1)
    asked = [arrived for arrived in office.journal()[before:] if arrived.path.startswith("/v1/messages")]
    assert not any(arrived.holds(planted.secret) for arrived in asked)
    wait_until(lambda: office.records("--reference", code), "the stop is recorded")


ASSISTANT = """
[[service]]
id = "postbox-assistant"
name = "Postbox Assistant"
vendor = "Postbox"
category = "public-chat"
formats = ["unknown"]
evidence = {{ seen = "host", source = "own configuration", date = "2026-11-01" }}
hosts = [{{ name = "{host}", match = "exact", mode = "inspect" }}]
"""


def test_new_hosts_are_opened_without_a_restart(tmp_path):
    """A service is added and its host listed, both beside the running server: its next connections are opened."""
    host = SITES["mail"]
    with Office(tmp_path) as office:

        def opened():
            stream, head = office.connect(f"{host}:443")
            with stream:
                if not head.startswith("HTTP/1.1 200"):
                    return False
                try:
                    context = ssl.create_default_context(cafile=office.root)
                    context.wrap_socket(stream, server_hostname=host).close()
                    return True
                except ssl.SSLError:
                    return False

        assert not opened(), "a host like any other"
        with (office.folder / "services.toml").open("a") as services:
            services.write(ASSISTANT.format(host=host) + VETTED.format(service="postbox-assistant"))
        wait_until(lambda: "another policy is in force" in office.log.read_text(), "the service is known")
        assert not opened(), "without a certificate for it the connection stays closed"
        assert "new: 1 group with 1 host" in office.sign("extend")
        wait_until(opened, "its connections are opened")
        assert office.stop() == 0
        office.writ("ledger", "verify")

"""An organisation with its proxy and console as `writ serve` runs them, and an internet that is simulated.

Names are resolved by a parent proxy, which leads every one of them to the simulated services: nothing in Writ is
different from what an organisation runs behind a parent of its own.
"""

import asyncio
import base64
import os
import re
import socket
import subprocess
import threading
import time
import urllib.parse

from world import World, free_port, wait_until

PASSPHRASE = "not a passphrase for anything real"
METRICS_TOKEN = "0123456789abcdef0123456789abcdef"
ANA, BO, COUNCIL = "ana@northwind.example", "bo@northwind.example", "works.council@northwind.example"
PASSWORDS = {ANA: "harbour-kettle-orbit-91", BO: "lantern-mosaic-fjord-27", COUNCIL: "granite-willow-tempo-58"}
BANK = "www.harbour-bank.example"
SITES = {"bank": BANK, "chat": "chatgpt.com", "mail": "mail.postbox.example"}
AI_HOSTS = ["api.openai.com", "api.anthropic.com", "generativelanguage.googleapis.com"]
# AI services whose certificates do not hold.
BROKEN = {"expired": "api.mistral.ai", "wrong-name": "api.cohere.com", "self-signed": "api.groq.com"}
GIVEN = ["mistral-api", "cohere", "groq"]

VETTED = """
[[vetting]]
service = "{service}"
tier = "unknown"
status = "approved"
cleared = ["contact", "source-code"]
"""


class Parent:
    """The proxy that everything leaves through: asks for a name and a password, and leads everywhere to one place."""

    USER, PASSWORD = "writ", "parent-password"

    def __init__(self, target):
        self.target = target
        self.asked = []
        self.port = free_port()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=1024))
        self.loop.run_forever()
        server.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    async def serve(self, reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            right = base64.b64encode(f"{self.USER}:{self.PASSWORD}".encode()).decode()
            if f"proxy-authorization: basic {right}".lower() not in head.lower():
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
                return
            self.asked.append(head.split()[1])
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            await asyncio.gather(pipe(reader, far_writer), pipe(far_reader, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def pipe(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


class Office(World):
    """Ana and Bo are employees, the works council holds a protected office; Sam runs Writ."""

    def __init__(self, folder):
        super().__init__(folder)
        self.proxy = f"127.0.0.1:{self.port}"
        self.own_port = free_port()
        self.console_port = free_port()
        self.console = f"http://127.0.0.1:{self.console_port}"
        self.root = self.folder / "root.pem"
        self.parent = None

    def __enter__(self):
        try:
            self.start_simulator()
            self.parent = Parent(int(self.base.rsplit(":", 1)[1]))
            self.write_configuration()
            self.writ("keys", "rotate", "reveal", "--holder", "privacy", "--holder", "council", "--shares", "shares")
            self.sign("init")
            self.root.write_text(self.writ("ca", "export"))
            for login, password in PASSWORDS.items():
                group = "works-council" if login == COUNCIL else "research"
                self.writ("person", "set", login, "--group", group, "--password-file", "-", input=password)
            self.passwords = {"sam": self.account("sam", "admin", "analyst", "policy-owner")}
            self.passwords["pia"] = self.account("pia", "privacy-officer")
            self.passwords[ANA] = self.account(ANA, "employee")
            self.passwords[BO] = self.account(BO, "employee")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        super().__exit__()
        if self.parent:
            self.parent.close()

    def sign(self, command, *arguments):
        given = ["--root", "stick", "--passphrase-file", "-"]
        return self.writ("ca", command, *given, *arguments, input=PASSPHRASE)

    def account(self, login, *roles):
        arguments = [word for role in roles for word in ("--role", role)]
        return self.writ("account", "add", login, *arguments).split()[-1]

    def simulator_arguments(self):
        names = [word for name in AI_HOSTS for word in ("--name", name)]
        sites = [f"{kind}={host}" for kind, host in [*SITES.items(), *BROKEN.items()]]
        return [*names, *(word for site in sites for word in ("--site", site))]

    def write_configuration(self):
        super().write_configuration()
        vetted = ["chatgpt", *GIVEN]
        with (self.folder / "services.toml").open("a") as services:
            services.writelines(VETTED.format(service=service) for service in vetted)
        (self.folder / "parent.txt").write_text(Parent.PASSWORD)
        (self.folder / "metrics.txt").write_text(METRICS_TOKEN + "\n")
        lines = [
            'data-directory = "data"',
            'policy = "policy.md"',
            'services = ["services.toml"]',
            'key-encryption = { file = "writ.key" }',
            "[organisation]",
            'name = "Northwind"',
            f'host = "{self.console}"',
            "first-use-notice = false",
            "[proxy]",
            f'listen = "{self.proxy}"',
            'authority = "authority"',
            # Browsers take a port that stands for one person; programs show a name and a password.
            f'address = "127.0.0.1:{self.own_port}"',
            f'ports = {{ "127.0.0.1:{self.own_port}" = "{ANA}" }}',
            'protected-groups = ["works-council"]',
            'personal-accounts = "inspect"',
            "[console]",
            f'listen = "127.0.0.1:{self.console_port}"',
            'metrics-token-file = "metrics.txt"',
            "[upstream]",
            "public-roots = false",
            'extra-roots = ["sim/ca.pem", "sim/sites-ca.pem"]',
            "[upstream.parent]",
            f'address = "127.0.0.1:{self.parent.port}"',
            f'user = "{Parent.USER}"',
            'password-file = "parent.txt"',
        ]
        (self.folder / "writ.toml").write_text("\n".join(lines) + "\n")

    def proxy_for(self, login):
        """The proxy's address with somebody's name and password."""
        return f"http://{urllib.parse.quote(login)}:{PASSWORDS[login]}@{self.proxy}"

    def environment(self, login, **more):
        """What a command line gets that goes through the proxy: only what is needed of this machine's."""
        kept = {name: os.environ[name] for name in ["PATH", "HOME", "LANG", "TERM", "WRIT_BIN"] if name in os.environ}
        proxy = self.proxy_for(login)
        return {**kept, "HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": "", **more}

    def connect(self, target, login=ANA):
        """An open tunnel, and the head of the proxy's answer."""
        stream = socket.create_connection(("127.0.0.1", self.port), 20)
        head = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n"
        if login:
            pair = base64.b64encode(f"{login}:{PASSWORDS[login]}".encode()).decode()
            head += f"Proxy-Authorization: Basic {pair}\r\n"
        stream.sendall(head.encode() + b"\r\n")
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            byte = stream.recv(1)
            if not byte:
                break
            answer += byte
        return stream, answer.decode("latin-1")

    def settle(self):
        """Waits until the index has everything that was decided."""
        command = [os.environ["WRIT_BIN"], "ledger", "query", "--json", "--limit", "1"]
        behind = lambda: "not indexed yet" in run(command, cwd=self.folder).stderr
        wait_until(lambda: not behind(), "the index has caught up")

    def newest(self):
        self.settle()
        return max((record["sequence"] for record in self.records()), default=-1)

    def records_after(self, newest, *arguments):
        """Verdicts since then, all with their outcome."""

        def found():
            self.settle()
            rows = [row for row in self.records(*arguments) if row["sequence"] > newest]
            return rows if rows and all(row["outcome"] for row in rows if row["direction"] == "prompt") else None

        return wait_until(found, "the records have their outcomes")


def run(command, seconds=60, **options):
    """A client as a process; what it printed, with its status."""
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, **options)
    done.seconds = time.monotonic() - began
    return done


CODE = re.compile(r"/r/([0-9A-Z]{4}-[0-9A-Z]{2})")

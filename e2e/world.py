"""One organisation with its gateway, and the simulated AI services behind it, as processes on loopback."""

import base64
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.parse
from pathlib import Path

HERE = Path(__file__).parent
KEYS = {"openai": "sim-openai-key", "anthropic": "sim-anthropic-key", "gemini": "sim-gemini-key"}
SERVICES = {"openai": "openai-api", "anthropic": "anthropic-api", "gemini": "gemini-api"}
CREDENTIALS = {"openai": "bearer", "anthropic": "x-api-key", "gemini": "x-goog-api-key"}


def wait_until(condition, what, seconds=20.0):
    """The first true value of `condition`; looks again and again, and gives up loudly."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class World:
    """Started with `with`; everything it starts ends with it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.port = free_port()
        self.gateway = f"http://127.0.0.1:{self.port}"
        self.policy = self.folder / "policy.md"
        self.log = self.folder / "serve.log"
        self.server = None
        self.simulator = None

    def __enter__(self):
        try:
            self.start_simulator()
            self.write_configuration()
            self.writ("keys", "rotate", "reveal", "--holder", "privacy", "--holder", "council", "--shares", "shares")
            for name, key in KEYS.items():
                self.writ("provider", "set", name, "--key-file", "-", input=key)
            self.key = self.add_caller("--login", "ana@northwind.example", "--group", "research")
            self.chat_key = self.add_caller("--login", "bo@northwind.example", "--chat")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.server:
            self.server.kill()
            self.server.wait()
        if self.simulator:
            self.simulator.stdin.close()
            self.simulator.wait(10)

    def start_simulator(self):
        command = [os.environ["WRIT_SIM_BIN"], "services", "--dir", str(self.folder / "sim"), "--stdin-eof"]
        command += self.simulator_arguments()
        self.simulator = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        ready = self.folder / "sim" / "ready"
        wait_until(ready.exists, "the simulated services are ready")
        self.base = f"https://localhost:{ready.read_text().strip().rsplit(':', 1)[1]}"

    def simulator_arguments(self):
        """Further names and sites."""
        return []

    def write_configuration(self):
        shutil.copy(HERE / "policy.md", self.policy)
        shutil.copy(HERE / "services.toml", self.folder)
        lines = [
            'data-directory = "data"',
            'policy = "policy.md"',
            'services = ["services.toml"]',
            'key-encryption = { file = "writ.key" }',
            "[organisation]",
            'name = "Northwind"',
            'host = "https://ai.northwind.example"',
            "[upstream]",
            "public-roots = false",
            'extra-roots = ["sim/ca.pem"]',
            "[gateway]",
            f'listen = "127.0.0.1:{self.port}"',
        ]
        for name, service in SERVICES.items():
            lines += [
                "[[gateway.provider]]",
                f'name = "{name}"',
                f'service = "{service}"',
                f'base = "{self.base}"',
                f'credential = "{CREDENTIALS[name]}"',
            ]
        (self.folder / "writ.toml").write_text("\n".join(lines) + "\n")

    def writ(self, *arguments, input=None, codes=(0,)):
        """Runs the command line in the world's folder; its standard output."""
        command = [os.environ["WRIT_BIN"], *arguments]
        done = subprocess.run(command, cwd=self.folder, input=input, capture_output=True, text=True, timeout=60)
        assert done.returncode in codes, f"writ {arguments[0]}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def add_caller(self, *arguments):
        lines = self.writ("caller", "add", *arguments).splitlines()
        assert len(lines) == 1, "the key and nothing else is on standard output"
        return lines[0]

    def start(self):
        command = [os.environ["WRIT_BIN"], "serve", "--config", "writ.toml"]
        with self.log.open("a") as log:
            self.server = subprocess.Popen(command, cwd=self.folder, stderr=log, stdout=log)
        wait_until(self.listening, "the gateway is ready")
        wait_until(self.indexed, "the index is begun")

    def listening(self):
        assert self.server.poll() is None, f"writ ended: {self.log.read_text()}"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def indexed(self):
        """Whether the server has made its index, which queries read."""
        for path in (self.folder / "data" / "index").glob("*.db"):
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as index:
                try:
                    return index.execute("select count(*) from meta").fetchone()[0] > 0
                except sqlite3.OperationalError:
                    return False
        return False

    def stop(self, how=signal.SIGTERM):
        self.server.send_signal(how)
        code = self.server.wait(30)
        self.server = None
        return code

    def records(self, *arguments):
        """Verdicts, newest first."""
        out = self.writ("ledger", "query", "--json", "--limit", "1000", *arguments, codes=(0, 1))
        return [json.loads(line) for line in out.splitlines()]

    def journal(self):
        """Everything that reached the simulated services."""
        path = self.folder / "sim" / "journal.jsonl"
        return [Arrival(json.loads(line)) for line in path.read_text().splitlines()]


class Arrival:
    """A request as a simulated service received it."""

    def __init__(self, line):
        self.path = line["path"]
        self.headers = dict(line["headers"])
        self.body = line.get("body") or ""
        self.raw = base64.b64decode(line["body_raw_base64"]) if "body_raw_base64" in line else b""
        try:
            self.json = json.loads(self.body)
        except ValueError:
            self.json = None

    def texts(self):
        """Every text in it, decoded."""
        yield self.path
        yield urllib.parse.unquote(self.path)
        yield from self.headers.values()
        yield self.body
        yield self.raw.decode("latin-1")
        yield from strings(self.json)

    def holds(self, value):
        """Whether the value is in it in any spelling: as it is, without separators, encoded."""
        digits = "".join(c for c in value if c.isalnum())
        encoded = [value, digits, urllib.parse.quote(value), json.dumps(value)[1:-1], value.encode().hex()]
        for shift in range(3):
            inner = base64.b64encode(b"x" * shift + value.encode()).decode()
            encoded.append(inner[4 : len(inner) - 4])
        for text in self.texts():
            squeezed = "".join(c for c in text if c.isalnum())
            if any(form in text for form in encoded) or digits in squeezed:
                return True
        return False


def strings(value):
    """All strings and member names of a JSON value."""
    if isinstance(value, str):
        yield value
        if value[:1] in "{[":
            try:
                yield from strings(json.loads(value))
            except ValueError:
                pass
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from strings(item)


class Planted:
    """Values of one test, made up anew each time so that one test never sees another's."""

    def __init__(self, seed):
        dice = random.Random(seed)
        digits = [4, *(dice.randrange(10) for _ in range(14))]
        doubled = [d if place % 2 else d * 2 - 9 * (d > 4) for place, d in enumerate(digits)]
        digits.append(-sum(doubled) % 10)
        number = "".join(map(str, digits))
        self.card = " ".join(number[at : at + 4] for at in range(0, 16, 4))
        self.mail = "".join(dice.choices("abcdefghijkmnpqrstuvwxyz", k=9)) + "@kestrel-labs.com"
        self.ssn = f"{dice.randrange(520, 590)}-{dice.randrange(11, 89)}-{dice.randrange(2000, 8999)}"
        self.secret = "AKIA" + "".join(dice.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16))

    def text(self):
        return f'Zürich 東京 "quoted"\nCard {self.card}, mail {self.mail}, SSN {self.ssn}.'

    def values(self):
        return [self.card, self.mail, self.ssn]

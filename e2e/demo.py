"""`writ demo` as a process, and its chat page as somebody uses it."""

import json
import os
import re
import signal
import socket
import subprocess

from world import Arrival, wait_until

# Console, proxy, gateway, services and chat page lie at these distances from the first port.
DOORS = [0, 1, 2, 10, 11]
TOURS = ["security", "counsel", "everyone"]
MAIL = "Please polish: Thanks for covering my shift on Friday, it helped a lot."
NOTE = "Summarise: Mr John Smith, MRN 4451299, admitted 3 May with type 2 diabetes."
CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{2}\b")


def free_row():
    """A port whose neighbours are free, too."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        taken = []
        try:
            for above in DOORS:
                taken.append(socket.create_server(("127.0.0.1", port + above)))
            return port
        except (OSError, OverflowError):
            continue
        finally:
            for listener in taken:
                listener.close()


class Demo:
    """Started with `with`; it ends as Ctrl-C ends it."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.data = folder / "demo"
        self.said = folder / "said.txt"
        self.port = free_row()
        self.console = f"http://127.0.0.1:{self.port}"
        self.chat = f"http://127.0.0.1:{self.port + 11}/chat"
        self.options = options

    def __enter__(self):
        command = [os.environ["WRIT_BIN"], "demo", "--data-dir", str(self.data), "--port", str(self.port)]
        with self.said.open("w") as said, (self.folder / "errors.txt").open("w") as errors:
            self.process = subprocess.Popen([*command, "--seed", "7", *self.options], stdout=said, stderr=errors)
        try:
            wait_until(self.begun, "the demo has begun", 60)
        except BaseException:
            self.process.kill()
            raise
        addresses = re.findall(r"http://\S+/enter/\S+", self.said.read_text())
        self.links = dict(zip(TOURS, addresses, strict=True))
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            assert self.process.wait(20) == 0, (self.folder / "errors.txt").read_text()
        finally:
            self.process.kill()

    def begun(self):
        assert self.process.poll() is None, (self.folder / "errors.txt").read_text()
        return "Ctrl-C ends the demo." in self.said.read_text()

    def arrived(self):
        """What reached the simulated services."""
        return [Arrival(json.loads(line)) for line in (self.data / "arrived.jsonl").read_text().splitlines()]


class Chat:
    """The chat page in a tab."""

    def __init__(self, page):
        self.page = page

    @property
    def box(self):
        return self.page.locator("#box")

    @property
    def answer(self):
        return self.page.locator("#log article").last

    def send(self, text=None):
        """Sends what stands in the box, or a text; the answer when it is complete."""
        if text is not None:
            self.box.fill(text)
        self.box.press("Enter")
        return self.wait()

    def again(self):
        self.answer.get_by_role("button", name="Send again").click()
        return self.wait()

    def wait(self):
        # The page says that it is busy before the key press returns.
        self.page.locator('#log[aria-busy="false"]').wait_for()
        return self.answer.inner_text()

    def office(self):
        """What the organisation says in the last answer."""
        return self.answer.locator(".panel").inner_text()

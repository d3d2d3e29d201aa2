"""A visitor's browser: it notes what a page does wrong, looks at it as axe does, and keeps pictures."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

NAMES = ["chromium", "chromium-browser", "google-chrome"]
LIGHT, DARK = "light", "dark"
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


def chromium():
    """The installed program; nothing is downloaded for these tests."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright, **options):
    """A browser without a window. As root, Chromium runs only without its sandbox."""
    arguments = [*options.pop("args", []), *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return playwright.chromium.launch(executable_path=chromium(), args=arguments, **options)


def modules():
    """The folder with the packages of `package-lock.json`."""
    folder = os.environ.get("NODE_PATH")
    if not folder:
        pytest.skip("NODE_PATH does not name the packages of npm; `cargo xtask sdk` does")
    return Path(folder)


class Window:
    """One visitor. Everything that a page must not do is noted, and found at the end."""

    def __init__(self, browser, shots, viewport=None, scheme=LIGHT):
        self.context = browser.new_context(viewport=viewport or WIDE, color_scheme=scheme)
        self.shots = shots
        self.wrong = []
        self.context.on("page", self.watch)
        self.context.on("weberror", lambda error: self.wrong.append(f"script: {error.error}"))
        self.page = self.context.new_page()

    def watch(self, page):
        page.on("console", lambda said: said.type == "error" and self.wrong.append(f"console: {said.text} {said.location}"))
        page.on("request", self.stays_here)

    def stays_here(self, request):
        if not re.match(r"(https?://127\.0\.0\.1:\d+/|data:|blob:|about:)", request.url):
            self.wrong.append(f"a page asked for {request.url}")

    def close(self):
        self.context.close()
        assert self.wrong == [], self.wrong

    def shot(self, name, page=None):
        """A picture of what the visitor sees."""
        (page or self.page).screenshot(path=self.shots / f"{name}.png")

    def opened(self, click, page=None):
        """The page that a click opens beside this one, and that comes to the front."""
        with self.context.expect_page() as info:
            click()
        info.value.wait_for_load_state()
        return info.value


def findings(page):
    """What axe calls serious or critical, in both colour schemes, and whether the page is wider than its window."""
    found = []
    source = (modules() / "axe-core" / "axe.min.js").read_text()
    page.evaluate(source)
    for scheme in [LIGHT, DARK]:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        for violation in report["violations"]:
            if violation["impact"] in ("serious", "critical"):
                nodes = [node["html"][:160] + " " + json.dumps(node["target"]) for node in violation["nodes"]]
                found.append(f"{page.url} {scheme} {violation['id']}: {violation['help']}: {nodes[:3]}")
    page.emulate_media(color_scheme=LIGHT, reduced_motion="no-preference")
    return found


def overflows(page):
    """Whether a reader has to scroll sideways."""
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")

"""Fixtures: one world for all tests that leave it as it was, and new values for each test."""

import os
import zlib
from pathlib import Path

import pytest
from browser import chromium, launch
from clients import ALL
from office import Office
from world import Planted, World


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("world")) as world:
        yield world
        assert world.stop() == 0, "writ ends cleanly when it is told to"


@pytest.fixture(scope="session")
def office(tmp_path_factory):
    """One organisation with its proxy and console, for all tests that leave it as it was."""
    with Office(tmp_path_factory.mktemp("office")) as office:
        yield office
        assert office.stop() == 0, "writ ends cleanly when it is told to"
        office.writ("ledger", "verify")


@pytest.fixture
def fresh_world(tmp_path):
    """A world of its own, for tests that stop or change it."""
    with World(tmp_path) as world:
        yield world


@pytest.fixture
def planted(request):
    return Planted(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture(params=ALL, ids=lambda client: client.name)
def sdk(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["plain", "stream"])
def stream(request):
    return request.param


@pytest.fixture(scope="session")
def playwright():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright):
    if not chromium():
        pytest.skip("Chromium is not installed")
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def shots():
    """Where pictures of pages go, to be looked at by people."""
    folder = Path(os.environ.get("WRIT_JOURNEYS", "target/journeys"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder

"""Fixtures: one world for all tests that leave it as it was, and new values for each test."""

import zlib

import pytest
from clients import ALL
from world import Planted, World


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    with World(tmp_path_factory.mktemp("world")) as world:
        yield world
        assert world.stop() == 0, "writ ends cleanly when it is told to"


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

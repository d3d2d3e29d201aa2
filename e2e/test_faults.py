"""Bad clients, changes and restarts while others work: no record is lost, nothing unjudged passes, memory stays flat."""

import json
import os
import re
import socket
import struct
import threading
import time

import pytest
import requests
from office import ANA, BO, Office
from test_operation import HERON
from world import wait_until

SECONDS = float(os.environ.get("WRIT_SOAK_SECONDS", "12"))
WORKERS = 6
URL = "https://api.openai.com/v1/chat/completions"
# What a debug build may gain between the middle and the end of a run, in MiB.
GROWTH = 24


@pytest.fixture
def busy(tmp_path):
    with Office(tmp_path) as office:
        load = Load(office)
        yield office, load
        load.stop()


class Load:
    """Workers that ask, one after the other, until they are told to stop."""

    def __init__(self, office):
        self.office = office
        self.going = True
        self.statuses = {}
        self.broken = 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(WORKERS)]
        for thread in self.threads:
            thread.start()

    def work(self, number):
        login = [ANA, BO][number % 2]
        texts = ["sim:say fine", "sim:echo card 4111 1111 1111 1111", "Use the key AKIA2OGYBAH6STMMNXNV now.", "sim:long=20"]
        asked = 0
        while self.going:
            with requests.Session() as http:
                http.trust_env = False
                http.proxies = {"https": self.office.proxy_for(login)}
                http.verify = str(self.office.root)
                for _ in range(20):
                    if not self.going:
                        break
                    asked += 1
                    if not self.ask(http, texts[asked % len(texts)], asked % 3 == 0):
                        break

    def ask(self, http, text, stream):
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], "stream": stream}
        try:
            answer = http.post(URL, json=body, headers={"authorization": "Bearer sim-openai-key"}, timeout=30)
        except requests.RequestException:
            with self.lock:
                self.broken += 1
            return False
        with self.lock:
            self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
        return True

    def answered(self):
        with self.lock:
            return sum(self.statuses.values())

    def more(self, count=30):
        """Waits until so many more were answered."""
        goal = self.answered() + count
        wait_until(lambda: self.answered() >= goal, f"{count} more answers", 30)

    def stop(self):
        self.going = False
        for thread in self.threads:
            thread.join(40)


def every_record(office):
    """All verdicts, however many."""
    lines = office.writ("ledger", "query", "--json", "--limit", "0", codes=(0, 1)).splitlines()
    return [json.loads(line) for line in lines]


def accounts_for(office, load):
    """After the end: each answer has a decision and an outcome, and what arrived was let through."""
    prompts = [row for row in every_record(office) if row["direction"] == "prompt"]
    assert all(row["outcome"] for row in prompts), "each decision has its outcome"
    endings = {}
    for row in prompts:
        endings[row["outcome"]["ending"]] = endings.get(row["outcome"]["ending"], 0) + 1
    assert endings.get("delivered", 0) >= load.statuses[200] and endings.get("refused", 0) >= load.statuses[403]
    assert sum(endings.values()) <= load.answered() + load.broken + WORKERS
    allowed = sum(row["enforced"] == "allow" for row in prompts)
    assert len(office.journal()) <= allowed, "nothing arrived without a decision"
    assert not any(arrived.holds("AKIA2OGYBAH6STMMNXNV") for arrived in office.journal())
    assert not any("4111 1111" in arrived.body for arrived in office.journal())
    office.writ("ledger", "verify")


def test_reloads_and_bad_clients_under_load(busy):
    office, load = busy
    load.more()
    hold = [socket.create_connection(("127.0.0.1", office.port)) for _ in range(100)]
    for number, slow in enumerate(hold):
        slow.sendall(b"CONNECT api.openai.com:443 HTTP/1.1\r\n"[: 1 + number % 30])
    load.more()
    for number in range(100):
        stream, head = office.connect("api.openai.com:443")
        assert head.startswith("HTTP/1.1 200")
        stream.sendall(b"\x16\x03\x01\x02\x00\x01"[: 1 + number % 6])
        if number % 2:
            # A reset in place of an end.
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            stream.shutdown(socket.SHUT_WR)
        stream.close()
    load.more()
    good = office.policy.read_text()
    for number in range(5):
        office.policy.write_text(good + (HERON if number % 2 else ""))
        load.more(10)
    office.policy.write_text(good.replace("then:     block", "then:     blokc", 1))
    wait_until(lambda: "not taken over" in office.log.read_text(), "the broken edit is reported")
    load.more(10)
    office.policy.write_text(good)
    load.more()
    for slow in hold:
        slow.close()
    load.stop()
    assert load.broken == 0 and set(load.statuses) == {200, 403}, load.statuses
    assert office.stop() == 0
    accounts_for(office, load)


def test_new_certificates_and_a_restart_under_load(busy):
    office, load = busy
    load.more()
    assert office.stop() == 0
    office.sign("extend", "--renew")
    office.start()
    load.more(60)
    load.stop()
    assert set(load.statuses) <= {200, 403}
    assert office.stop() == 0
    accounts_for(office, load)


def test_memory_stays_flat(busy):
    """12 seconds here; `WRIT_SOAK_SECONDS=600` by hand."""
    office, load = busy

    def resident():
        status = open(f"/proc/{office.server.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    begin, seen = time.monotonic(), []
    while time.monotonic() - begin < SECONDS:
        load.more(20)
        seen.append(resident())
    load.stop()
    middle = len(seen) // 2
    print(f"{load.answered()} answers in {SECONDS:.0f} s; resident {seen[0]:.0f}, {seen[middle]:.0f}, {seen[-1]:.0f} MiB")
    assert max(seen[middle:]) - seen[middle] < GROWTH, seen
    assert load.broken == 0
    assert office.stop() == 0
    accounts_for(office, load)

"""What an administrator sees: edits take effect, bad ones do not, the ledger is whole after everything."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest
from clients import OpenaiChat
from world import wait_until

HERON = """
## 9 Heron {#heron}

Nothing about it leaves.

```define
class: heron
means: the project
words: Heron
```

```rule
data:     heron
then:     block
foresees: yes
severity: minor
why:      It is not public.
```
"""


def passes(world, text):
    try:
        return OpenaiChat(world.gateway, world.key).ask([("user", text)]) is not None
    except OpenaiChat.refused:
        return False


def test_a_policy_edit_takes_effect_at_once_and_a_broken_one_changes_nothing(fresh_world):
    world = fresh_world
    text = "What is Heron? sim:say A bird."
    assert passes(world, text)
    good = world.policy.read_text()
    world.policy.write_text(good + HERON)
    wait_until(lambda: not passes(world, text), "the edit is in force", 5)

    world.policy.write_text((good + HERON).replace("then:     block", "then:     blok"))
    wait_until(lambda: "not taken over" in world.log.read_text(), "the broken edit is reported", 5)
    assert not passes(world, text), "the last good policy keeps running"
    assert "did you mean `block`?" in world.writ("policy", "check", "policy.md", codes=(1,))
    assert "blok" in world.log.read_text(), "the report says what is wrong"

    world.policy.write_text(good)
    wait_until(lambda: passes(world, text), "the former policy is in force again", 5)
    assert world.stop() == 0
    world.writ("ledger", "verify")


def test_files_that_a_policy_includes_are_followed(fresh_world):
    world = fresh_world
    text, more = "What is Heron? sim:say A bird.", world.folder / "more.md"
    with world.policy.open("a") as policy:
        policy.write("\n```include\nfile: more.md\n```\n")
    wait_until(lambda: "there is no file `more.md`" in world.log.read_text(), "the absent file is reported", 5)
    assert passes(world, text)
    more.write_text(HERON)
    wait_until(lambda: not passes(world, text), "the included clause is in force", 5)
    words = HERON.replace("words: Heron", "words: Ibis\ndictionary: birds.txt")
    (world.folder / "birds.txt").write_text("Stork\n")
    more.write_text(words)
    wait_until(lambda: passes(world, text), "the change of the included file is in force", 5)
    (world.folder / "birds.txt").write_text("Stork\nHeron\n")
    wait_until(lambda: not passes(world, text), "the change of the dictionary is in force", 5)


def test_a_query_says_when_there_is_more(fresh_world):
    world = fresh_world
    for number in range(3):
        passes(world, f"sim:say {number}")
    wait_until(lambda: len(world.records()) >= 3, "the index has caught up")
    assert world.stop() == 0
    command = [os.environ["WRIT_BIN"], "ledger", "query", "--json"]

    def ask(*arguments):
        done = subprocess.run([*command, *arguments], cwd=world.folder, capture_output=True, text=True, timeout=60)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    every, said = ask("--limit", "0")
    assert len(every) >= 3 and said == ""
    newest, said = ask("--limit", "1")
    assert newest == every[:1] and "there are more" in said
    assert ask("--limit", str(len(every)))[1] == ""
    before, _ = ask("--to", every[0]["time"])
    assert before == every[1:], "a time as it is printed can be asked for"


def test_an_example_that_contradicts_its_rule_stops_a_reload(fresh_world):
    world = fresh_world
    wrong = HERON.rstrip("`\n") + '\nviolates:\n  - "Nothing is in here."\n```\n'
    world.policy.write_text(world.policy.read_text() + wrong)
    wait_until(lambda: "not taken over" in world.log.read_text(), "the edit is reported", 5)
    assert passes(world, "What is Heron? sim:say A bird.")


def test_after_kill_9_the_ledger_is_whole_and_says_what_was_interrupted(fresh_world):
    world = fresh_world
    kept = world.folder / "kept.json"
    passes(world, "sim:say hello")

    def long_answer():
        try:
            OpenaiChat(world.gateway, world.key, max_retries=0).ask([("user", "sim:slow=100 sim:long=300")], True)
        except Exception:
            pass

    asking = threading.Thread(target=long_answer)
    before = len(world.journal())
    asking.start()
    wait_until(lambda: len(world.journal()) > before, "the long answer has begun")
    world.stop(signal.SIGKILL)
    asking.join(30)
    world.start()
    assert passes(world, "sim:say hello again")
    endings = lambda: [it["outcome"]["ending"] for it in world.records() if it["outcome"]]
    wait_until(lambda: "interrupted" in endings(), "the interaction is closed as interrupted")
    verified = json.loads(world.writ("ledger", "verify", "--json"))
    assert verified["whole"] and verified["torn-bytes"] == 0
    kept.write_text(json.dumps(verified["last-checkpoint"]))
    passes(world, "sim:say and again")
    assert world.stop() == 0
    world.writ("ledger", "verify", "--checkpoint", str(kept))


def test_a_stranger_with_a_checkpoint_sees_rewriting(fresh_world):
    world = fresh_world
    passes(world, "sim:say hello")
    assert world.stop() == 0
    verified = json.loads(world.writ("ledger", "verify", "--json"))
    kept = world.folder / "kept.json"
    kept.write_text(json.dumps(verified["last-checkpoint"]))
    segment = max((world.folder / "data" / "ledger").glob("*.ledger"))
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    out = world.writ("ledger", "verify", "--checkpoint", str(kept), codes=(1,))
    assert out.startswith("not whole:")


def test_a_disabled_key_stops_working(fresh_world):
    world = fresh_world
    assert passes(world, "sim:say hello")
    assert world.stop() == 0
    world.writ("caller", "disable", "--login", "ana@northwind.example")
    world.start()
    with pytest.raises(OpenaiChat.unknown):
        OpenaiChat(world.gateway, world.key).ask([("user", "sim:say hello")])


def test_a_backup_is_restored_and_goes_on(fresh_world):
    world = fresh_world
    passes(world, "sim:say hello")
    assert world.stop() == 0
    world.writ("backup", "copy")
    (world.folder / "data").rename(world.folder / "lost")
    world.writ("restore", "copy")
    world.start()
    assert passes(world, "sim:say hello")
    assert world.stop() == 0
    world.writ("ledger", "verify")


def test_keys_rotate_and_everything_still_works(fresh_world):
    world = fresh_world
    assert world.stop() == 0
    for purpose in ["placeholder", "mark", "pseudonym", "identity", "provider", "checkpoint"]:
        world.writ("keys", "rotate", purpose)
    world.start()
    assert passes(world, "sim:say hello")
    world.writ("ledger", "verify")
    assert world.stop() == 0
    listed = json.loads(world.writ("keys", "list", "--json"))
    assert {key["epoch"] for key in listed if key["purpose"] == "checkpoint" and key["current"]} == {2}


def test_nothing_planted_is_in_what_writ_keeps(world, planted):
    client = OpenaiChat(world.gateway, world.key)
    client.ask([("user", f"sim:say ok {planted.text()}")])
    with pytest.raises(OpenaiChat.refused):
        client.ask([("user", f"Use the key {planted.secret} now.")])
    time.sleep(1)
    kept = [path for path in (world.folder / "data").rglob("*") if path.is_file()] + [world.log]
    assert len(kept) > 4
    for path in kept:
        content = path.read_bytes()
        for value in [*planted.values(), planted.secret, world.key, "ana@northwind.example", "sim-openai-key"]:
            assert value.encode() not in content, f"{path.name} holds a planted value"

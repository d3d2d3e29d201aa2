"""The tests' own eyes: a planted value is seen in every spelling, or its absence would prove nothing."""

import base64
import json

from world import Arrival, Planted


def arrival(body):
    return Arrival({"path": "/v1/x?q=1", "headers": [["user-agent", "test"]], "body": body})


def test_a_value_is_seen_in_every_spelling():
    planted = Planted(1)
    escaped = "".join(f"\\u{ord(c):04x}" for c in planted.card)
    inner = json.dumps(json.dumps({"q": planted.card}))
    spellings = [planted.card, planted.card.replace(" ", ""), planted.card.replace(" ", "-"), escaped]
    for spelling in spellings:
        assert arrival(f'{{"text": "see {spelling} there"}}').holds(planted.card), spelling
    assert arrival(f'{{"arguments": {inner}}}').holds(planted.card)
    for before in ["", "a", "ab"]:
        packed = base64.b64encode(f"{before}{planted.mail} and more".encode()).decode()
        assert arrival(f'{{"data": "{packed}"}}').holds(planted.mail), before
    assert arrival(f'{{"url": "/x?m={planted.mail.replace("@", "%40")}"}}').holds(planted.mail)


def test_what_is_not_there_is_not_seen():
    planted, other = Planted(1), Planted(2)
    said = arrival(json.dumps({"text": other.text()}))
    assert not any(said.holds(value) for value in planted.values())
    assert all(said.holds(value) for value in other.values())

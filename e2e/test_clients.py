"""What people use, through the gateway: nothing planted arrives, the answer is whole, a stop is one clear error."""

import re
import time

import pytest
from world import wait_until

CODE = re.compile(r"ai\.northwind\.example/r/([0-9A-Z]{4}-[0-9A-Z]{2})")


def arrivals(world, before):
    return world.journal()[before:]


def test_what_is_redacted_never_arrives_and_the_answer_is_whole(world, sdk, stream, planted):
    client = sdk(world.gateway, world.key)
    for directive in ["sim:echo", "sim:echo-split=1", "sim:echo-split=3", "sim:echo-split=17"]:
        before = len(world.journal())
        assert client.ask([("user", f"{directive} {planted.text()}")], stream) == planted.text()
        arrived = arrivals(world, before)
        assert len(arrived) == 1
        assert "[CARD-" in arrived[0].body and "[EMAIL-" in arrived[0].body
        for value in planted.values():
            assert not arrived[0].holds(value), f"{directive}: a planted value arrived"


def test_the_callers_key_stays_here_and_the_organisations_goes(world, sdk):
    before = len(world.journal())
    sdk(world.gateway, world.key).ask([("user", "sim:say hello")])
    (arrived,) = arrivals(world, before)
    assert not arrived.holds(world.key)
    credential = {"openai-api": "authorization", "anthropic-api": "x-api-key", "gemini-api": "x-goog-api-key"}
    assert arrived.headers[credential[sdk.service]] == "present"


def test_tool_arguments_keep_placeholders_and_tool_results_are_redacted(world, sdk, stream, planted):
    before = len(world.journal())
    call = f'sim:tool=look {{"q": "{planted.mail}"}}'
    arguments, answer = sdk(world.gateway, world.key).tool(call, f"It is {planted.card}.", stream)
    assert "[EMAIL-" in arguments and planted.mail not in arguments
    assert answer == f"tool said: It is {planted.card}."
    arrived = arrivals(world, before)
    assert len(arrived) == 2
    for one in arrived:
        assert not one.holds(planted.mail) and not one.holds(planted.card)


def test_a_stopped_turn_is_one_error_and_the_conversation_goes_on(world, sdk, stream, planted):
    client = sdk(world.gateway, world.key)
    before, stops = len(world.journal()), len(world.records("--effect", "block"))
    turns = [("user", f"Use the key {planted.secret} in the request.")]
    with pytest.raises(sdk.refused) as caught:
        client.ask(turns, stream)
    message = str(caught.value)
    assert "writ: not sent (clause 2 Credentials)" in message
    assert "policy_violation" in str(getattr(caught.value, "body", None) or caught.value.details).lower()
    assert planted.secret not in message
    code = CODE.search(message).group(1)
    assert not arrivals(world, before), "nothing left"

    turns.append(("user", "Then without it. sim:say Fine."))
    assert client.ask(turns, stream) == "Fine."
    (arrived,) = arrivals(world, before)
    assert "[removed: clause 2]" in arrived.body and not arrived.holds(planted.secret)

    turns += [("assistant", "Fine."), ("user", "And now? sim:say Done.")]
    assert client.ask(turns, stream) == "Done."
    assert len(arrivals(world, before)) == 2

    # Retries of SDKs come within two seconds; the refusal is still the only one.
    time.sleep(2)
    new = len(world.records("--effect", "block")) - stops
    assert new == 1, f"{new} stops are recorded: the client tried again"
    (record,) = world.records("--reference", code)
    assert (record["enforced"], record["clauses"], record["classes"]) == ("block", ["credentials"], ["credentials"])
    assert record["service"] == sdk.service and record["outcome"]["ending"] == "refused"


def test_a_reason_lets_a_justified_turn_pass(world):
    from clients import OpenaiChat

    turns = [("user", "Summarise this board paper. sim:say Done.")]
    with pytest.raises(OpenaiChat.refused, match="writ-reason"):
        OpenaiChat(world.gateway, world.key).ask(turns)
    headers = {"writ-reason": "The chair asked for a summary."}
    assert OpenaiChat(world.gateway, world.key, default_headers=headers).ask(turns) == "Done."


def test_a_chat_gets_a_message_and_goes_on(world, planted):
    from clients import OpenaiChat

    client = OpenaiChat(world.gateway, world.chat_key)
    before = len(world.journal())
    for stream in [False, True]:
        turns = [("user", f"Use the key {planted.secret} now.")]
        refusal = client.ask(turns, stream)
        assert "Your message was not sent" in refusal and "Northwind" in refusal and planted.secret not in refusal
        turns += [("assistant", refusal), ("user", "Then without it. sim:say Fine.")]
        answer = client.ask(turns, stream)
        assert answer.endswith("Fine.")
        # Whoever writes for the first time is told that the organisation looks.
        assert ("Note from Northwind" in answer) == (not stream)
        arrived = arrivals(world, before)[-1]
        assert "not sent" not in arrived.body and not arrived.holds(planted.secret)


def test_an_unknown_key_is_an_authentication_error(world, sdk):
    with pytest.raises(sdk.unknown) as caught:
        sdk(world.gateway, "wk_unknown").ask([("user", "hello")])
    assert "does not know the API key" in str(caught.value)


def test_errors_of_the_service_pass_through(world, sdk):
    with pytest.raises(sdk.broken) as caught:
        sdk(world.gateway, world.key, max_retries=0).ask([("user", "sim:status=500")])
    assert "writ" not in str(caught.value).lower()


def test_the_record_says_what_was_found_and_done(world, sdk, planted):
    newest = max((record["sequence"] for record in world.records()), default=-1)
    sdk(world.gateway, world.key).ask([("user", f"sim:say ok {planted.card}")])

    def record():
        # Records of earlier tests may still be on their way into the index; they hold no class.
        found = [it for it in world.records() if it["sequence"] > newest and it["outcome"] and it["classes"]]
        return found[0] if found else None

    record = wait_until(record, "the record is in the index")
    assert (record["enforced"], record["full"], record["classes"]) == ("allow", "allow", ["payment"])
    assert record["service"] == sdk.service and record["direction"] == "prompt" and record["clauses"] == ["matrix"]
    assert record["outcome"]["ending"] == "delivered" and record["outcome"]["status"] == 200

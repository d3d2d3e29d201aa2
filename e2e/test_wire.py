"""What no SDK sends: curl, the plain base URL, bodies that are not what their endpoint expects."""

import json
import shutil
import subprocess

import pytest
import requests

PATHS = {
    "chat": "/openai/v1/chat/completions",
    "responses": "/openai/v1/responses",
    "messages": "/anthropic/v1/messages",
    "gemini": "/gemini/v1beta/models/gemini-2.5-flash:generateContent",
}


def curl(world, path, *arguments):
    command = ["curl", "--silent", "--show-error", "--max-time", "20", "-H", f"authorization: Bearer {world.key}"]
    command += ["-H", "content-type: application/json", world.gateway + path, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("base", ["/openai/v1", "/v1"])
def test_curl(world, planted, base):
    before = len(world.journal())
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"sim:echo {planted.text()}"}]}
    answer = json.loads(curl(world, f"{base}/chat/completions", "--data", json.dumps(body)))
    assert answer["choices"][0]["message"]["content"] == planted.text()
    body["stream"] = True
    lines = curl(world, f"{base}/chat/completions", "--no-buffer", "--data", json.dumps(body)).splitlines()
    assert lines[-2:] == ["data: [DONE]", ""] or lines[-1] == "data: [DONE]"
    chunks = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert text == planted.text()
    for arrived in world.journal()[before:]:
        assert not any(arrived.holds(value) for value in planted.values())


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_is_told_why(world, planted):
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"Use the key {planted.secret} now."}]}
    answer = json.loads(curl(world, "/v1/chat/completions", "--data", json.dumps(body)))
    assert answer["error"]["type"] == "policy_violation" and "clause 2 Credentials" in answer["error"]["message"]


@pytest.mark.parametrize("form", PATHS)
@pytest.mark.parametrize("body", ['{"model": ', '{"messages": "\\ud800"', "[1,", '{"a":1}{"b":2}'])
def test_a_malformed_body_is_refused_in_the_providers_shape(world, form, body):
    before = len(world.journal())
    headers = {"authorization": f"Bearer {world.key}", "content-type": "application/json"}
    answer = requests.post(world.gateway + PATHS[form], data=body, headers=headers, timeout=20)
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    if form == "messages":
        assert answer.json()["type"] == "error" and error["type"] and error["message"]
    elif form == "gemini":
        assert error["code"] == 400 and error["status"] == "INVALID_ARGUMENT" and error["message"]
    else:
        assert error["type"] and error["message"]
    assert len(world.journal()) == before, "nothing left"


def test_a_compressed_body_is_read(world, planted):
    import gzip

    before = len(world.journal())
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": f"sim:echo {planted.text()}"}]}
    headers = {
        "authorization": f"Bearer {world.key}",
        "content-type": "application/json",
        "content-encoding": "gzip",
    }
    packed = gzip.compress(json.dumps(body).encode())
    answer = requests.post(world.gateway + PATHS["chat"], data=packed, headers=headers, timeout=20)
    assert answer.json()["choices"][0]["message"]["content"] == planted.text()
    (arrived,) = world.journal()[before:]
    assert not any(arrived.holds(value) for value in planted.values())


def test_escapes_hide_nothing(world, planted):
    before = len(world.journal())
    escaped = "".join(f"\\u{ord(c):04x}" for c in planted.card)
    body = f'{{"model":"gpt-4o","messages":[{{"role":"user","content":"sim:echo {escaped}"}}]}}'
    headers = {"authorization": f"Bearer {world.key}", "content-type": "application/json"}
    answer = requests.post(world.gateway + PATHS["chat"], data=body, headers=headers, timeout=20)
    assert answer.json()["choices"][0]["message"]["content"] == planted.card
    (arrived,) = world.journal()[before:]
    assert not arrived.holds(planted.card)

"""The official Python SDKs with their default addresses, as a program would use them: one answer as JSON."""

import json
import sys

KEY = {"openai": "sim-openai-key", "anthropic": "sim-anthropic-key", "gemini": "sim-gemini-key"}


def openai(text, stream):
    from openai import OpenAI

    client = OpenAI(api_key=KEY["openai"])
    answer = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}], stream=stream)
    if not stream:
        return answer.choices[0].message.content
    return "".join(choice.delta.content or "" for chunk in answer for choice in chunk.choices)


def anthropic(text, stream):
    from anthropic import Anthropic

    client = Anthropic(api_key=KEY["anthropic"])
    request = {"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": [{"role": "user", "content": text}]}
    if not stream:
        return client.messages.create(**request).content[0].text
    with client.messages.stream(**request) as events:
        return "".join(events.text_stream)


def gemini(text, stream):
    from google import genai

    client = genai.Client(api_key=KEY["gemini"])
    request = {"model": "gemini-2.5-flash", "contents": text}
    if not stream:
        return client.models.generate_content(**request).text
    return "".join(chunk.text or "" for chunk in client.models.generate_content_stream(**request))


def requests(text, stream):
    import requests

    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], "stream": stream}
    headers = {"authorization": f"Bearer {KEY['openai']}"}
    answer = requests.post("https://api.openai.com/v1/chat/completions", json=body, headers=headers, stream=stream, timeout=20)
    if not answer.ok:
        raise Refused(answer.status_code, answer.json()["error"]["message"])
    if not stream:
        return answer.json()["choices"][0]["message"]["content"]
    lines = [line[6:] for line in answer.iter_lines() if line.startswith(b"data: {")]
    return "".join(choice["delta"].get("content") or "" for line in lines for choice in json.loads(line)["choices"])


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.status_code = code


def main():
    vendor, stream, text = sys.argv[1:]
    ask = {"openai": openai, "anthropic": anthropic, "gemini": gemini, "requests": requests}[vendor]
    try:
        print(json.dumps({"answer": ask(text, stream == "stream")}))
    except Exception as error:
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        print(json.dumps({"status": status, "message": str(error)}))


if __name__ == "__main__":
    main()

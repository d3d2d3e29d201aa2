"""The official SDKs behind one small interface: ask with a history, plain or as a stream; call a tool."""

import anthropic
import openai
from google import genai
from google.genai import errors as genai_errors
from google.genai import types

TOOL = {"type": "object", "properties": {"q": {"type": "string"}}}


class OpenaiChat:
    name = "openai-chat"
    service = "openai-api"
    refused = openai.PermissionDeniedError
    unknown = openai.AuthenticationError
    broken = openai.InternalServerError

    def __init__(self, gateway, key, **options):
        self.client = openai.OpenAI(api_key=key, base_url=f"{gateway}/openai/v1", **options)

    def ask(self, turns, stream=False):
        messages = [{"role": role, "content": text} for role, text in turns]
        answer = self.client.chat.completions.create(model="gpt-4o", messages=messages, stream=stream)
        if not stream:
            return answer.choices[0].message.content
        return "".join(choice.delta.content or "" for chunk in answer for choice in chunk.choices)

    def tool(self, text, result, stream=False):
        """The arguments of the call that the answer makes, and the answer to its result."""
        tools = [{"type": "function", "function": {"name": "look", "parameters": TOOL}}]
        messages = [{"role": "user", "content": text}]
        create = self.client.chat.completions
        if stream:
            with create.stream(model="gpt-4o", messages=messages, tools=tools) as events:
                for _ in events:
                    pass
                message = events.get_final_completion().choices[0].message
        else:
            message = create.create(model="gpt-4o", messages=messages, tools=tools).choices[0].message
        call = message.tool_calls[0]
        function = {"name": call.function.name, "arguments": call.function.arguments}
        messages += [
            {"role": "assistant", "tool_calls": [{"id": call.id, "type": "function", "function": function}]},
            {"role": "tool", "tool_call_id": call.id, "content": result},
        ]
        answer = create.create(model="gpt-4o", messages=messages, tools=tools)
        return call.function.arguments, answer.choices[0].message.content


class OpenaiResponses:
    name = "openai-responses"
    service = "openai-api"
    refused = openai.PermissionDeniedError
    unknown = openai.AuthenticationError
    broken = openai.InternalServerError

    def __init__(self, gateway, key, **options):
        self.client = openai.OpenAI(api_key=key, base_url=f"{gateway}/openai/v1", **options)

    def ask(self, turns, stream=False):
        given = [{"role": role, "content": text} for role, text in turns]
        if not stream:
            return self.client.responses.create(model="gpt-5.5", input=given).output_text
        text, final = "", None
        for event in self.client.responses.create(model="gpt-5.5", input=given, stream=True):
            if event.type == "response.output_text.delta":
                text += event.delta
            if event.type == "response.completed":
                final = event.response.output_text
        assert final == text, "the deltas and the final answer are the same"
        return text

    def tool(self, text, result, stream=False):
        tools = [{"type": "function", "name": "look", "parameters": TOOL, "strict": False}]
        given = [{"role": "user", "content": text}]
        if stream:
            with self.client.responses.stream(model="gpt-5.5", input=given, tools=tools) as events:
                for _ in events:
                    pass
                answer = events.get_final_response()
        else:
            answer = self.client.responses.create(model="gpt-5.5", input=given, tools=tools)
        call = next(item for item in answer.output if item.type == "function_call")
        said = {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
        given += [said, {"type": "function_call_output", "call_id": call.call_id, "output": result}]
        return call.arguments, self.client.responses.create(model="gpt-5.5", input=given, tools=tools).output_text


class Anthropic:
    name = "anthropic"
    service = "anthropic-api"
    refused = anthropic.PermissionDeniedError
    unknown = anthropic.AuthenticationError
    broken = anthropic.InternalServerError

    def __init__(self, gateway, key, **options):
        self.client = anthropic.Anthropic(api_key=key, base_url=f"{gateway}/anthropic", **options)

    def ask(self, turns, stream=False):
        request = {
            "model": "claude-sonnet-5-5",
            "max_tokens": 1000,
            "messages": [{"role": role, "content": text} for role, text in turns],
        }
        if not stream:
            return self.client.messages.create(**request).content[0].text
        with self.client.messages.stream(**request) as events:
            return "".join(events.text_stream)

    def tool(self, text, result, stream=False):
        messages = [{"role": "user", "content": text}]
        request = {
            "model": "claude-sonnet-5-5",
            "max_tokens": 1000,
            "tools": [{"name": "look", "input_schema": TOOL}],
            "messages": messages,
        }
        if stream:
            with self.client.messages.stream(**request) as events:
                for _ in events:
                    pass
                message = events.get_final_message()
        else:
            message = self.client.messages.create(**request)
        call = next(block for block in message.content if block.type == "tool_use")
        said = {"type": "tool_use", "id": call.id, "name": call.name, "input": call.input}
        messages += [
            {"role": "assistant", "content": [said]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": result}]},
        ]
        return str(call.input), self.client.messages.create(**request).content[0].text


class Gemini:
    name = "gemini"
    service = "gemini-api"
    refused = genai_errors.ClientError
    unknown = genai_errors.ClientError
    broken = genai_errors.ServerError

    def __init__(self, gateway, key, **_):
        self.client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=f"{gateway}/gemini"))

    @staticmethod
    def contents(turns):
        roles = {"user": "user", "assistant": "model"}
        return [types.Content(role=roles[role], parts=[types.Part(text=text)]) for role, text in turns]

    def ask(self, turns, stream=False):
        request = {"model": "gemini-2.5-flash", "contents": self.contents(turns)}
        if not stream:
            return self.client.models.generate_content(**request).text
        return "".join(chunk.text or "" for chunk in self.client.models.generate_content_stream(**request))

    def tool(self, text, result, stream=False):
        declaration = types.FunctionDeclaration(name="look", parameters_json_schema=TOOL)
        config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declaration])])
        contents = self.contents([("user", text)])
        request = {"model": "gemini-2.5-flash", "contents": contents, "config": config}
        if stream:
            calls = []
            for chunk in self.client.models.generate_content_stream(**request):
                calls += chunk.function_calls or []
        else:
            calls = self.client.models.generate_content(**request).function_calls
        part = types.Part.from_function_call(name=calls[0].name, args=calls[0].args)
        contents += [
            types.Content(role="model", parts=[part]),
            types.Content(role="user", parts=[types.Part.from_function_response(name="look", response={"result": result})]),
        ]
        return str(calls[0].args), self.client.models.generate_content(**request).text


ALL = [OpenaiChat, OpenaiResponses, Anthropic, Gemini]

//! Each format, plain and streamed: golden answers, and the text that clients put together.

use serde_json::{Value, json};
use writ_sim::services::RunningServices;

use crate::client::{Answer, Format, request, send, send_h2, services};

const TEXT: &str = "Zürich 東京 \"quoted\" \\ [CARD-1]\n  and a tail ";

async fn post(services: &RunningServices, format: Format, stream: bool, body: &Value) -> Answer {
    send(services, format.host(), request(format.host(), "POST", format.path(stream), body.to_string())).await
}

#[tokio::test]
async fn echo_comes_back_whole_in_every_format() {
    let services = services().await;
    for format in Format::ALL {
        for stream in [false, true] {
            for directive in ["sim:echo ", "sim:echo-split=1 ", "sim:echo-split=1000 "] {
                let answer = format.ask(&services, &format!("{directive}{TEXT}"), stream).await;
                assert_eq!(format.answer_text(&answer, stream), TEXT, "{format:?} {stream} {directive}");
            }
        }
    }
    services.stop().await;
}

#[tokio::test]
async fn both_http_versions_give_the_same_answer() {
    let services = services().await;
    for format in Format::ALL {
        let first = format.ask(&services, "hello [NAME-1]", true).await;
        let uri = format!("https://{}{}", format.host(), format.path(true));
        let mut over_h2 = format.request("hello [NAME-1]", true);
        *over_h2.uri_mut() = uri.parse().unwrap();
        over_h2.headers_mut().remove("host");
        let second = send_h2(&services, format.host(), over_h2).await;
        assert_eq!(first.text(), second.text(), "{format:?}");
        assert!(format.answer_text(&first, true).contains("[NAME-1]"));
    }
    services.stop().await;
}

#[tokio::test]
async fn golden_answers() {
    let services = services().await;
    for format in Format::ALL {
        for stream in [false, true] {
            if matches!((format, stream), (Format::GeminiArray, false)) {
                continue; // the same as the plain answer of `Format::Gemini`
            }
            let name = format!("{format:?}-{}", if stream { "stream" } else { "plain" });
            let text = format.ask(&services, "sim:echo-split=9 Hello, [CARD-1].", stream).await.text();
            insta::assert_snapshot!(format!("{name}-text"), text);
            let tools = r#"sim:tool=read_file {"path": "a.txt"} sim:tool=now sim:say One moment."#;
            let text = format.ask(&services, tools, stream).await.text();
            insta::assert_snapshot!(format!("{name}-tools"), text);
        }
    }
    services.stop().await;
}

#[tokio::test]
async fn events_end_as_each_provider_ends_them() {
    let services = services().await;
    for (format, end) in [(Format::Chat, "\n\n"), (Format::Messages, "\n\n"), (Format::Gemini, "\r\n\r\n")] {
        let text = format.ask(&services, "sim:echo-split=3 abcdef", true).await.text();
        let events: Vec<&str> = text.split_terminator(end).collect();
        assert!(events.len() > 1 && !events.iter().any(|event| event.contains("\n\n")), "{format:?}");
        assert!(text.ends_with(end) && text.contains("\r\n") == end.contains('\r'), "{format:?}");
    }
    services.stop().await;
}

#[tokio::test]
async fn golden_reasoning_streams() {
    let services = services().await;
    let mut body = Format::Responses.body("sim:say yes", true);
    body["reasoning"] = json!({"effort": "low", "summary": "auto"});
    body["include"] = json!(["reasoning.encrypted_content"]);
    insta::assert_snapshot!(post(&services, Format::Responses, true, &body).await.text());
    let mut body = Format::Messages.body("sim:say yes", true);
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 50});
    insta::assert_snapshot!(post(&services, Format::Messages, true, &body).await.text());
    let mut body = Format::Gemini.body("sim:tool=now", true);
    body["generationConfig"] = json!({"thinkingConfig": {"includeThoughts": true}});
    insta::assert_snapshot!(post(&services, Format::Gemini, true, &body).await.text());
    services.stop().await;
}

#[tokio::test]
async fn reasoning_that_comes_back_changed_is_refused() {
    let services = services().await;
    let mut body = Format::Messages.body("sim:tool=now", false);
    body["thinking"] = json!({"type": "adaptive"});
    let content = post(&services, Format::Messages, false, &body).await.json()["content"].clone();
    let id = content[1]["id"].clone();
    let results = json!([{"type": "tool_result", "tool_use_id": id, "content": "noon"}]);
    body["messages"] = json!([{"role": "user", "content": "x"}, {"role": "assistant", "content": content},
        {"role": "user", "content": results}]);
    let answer = post(&services, Format::Messages, false, &body).await;
    assert_eq!(Format::Messages.answer_text(&answer, false), "", "the first block is the reasoning");
    assert_eq!(answer.json()["content"][1]["text"], "tool said: noon");
    body["messages"][1]["content"][0]["thinking"] = json!("edited");
    let answer = post(&services, Format::Messages, false, &body).await;
    assert_eq!(answer.status, 400);
    insta::assert_snapshot!(answer.json()["error"]["message"].as_str().unwrap(), @"messages.1: Invalid `signature` in `thinking` block");

    let mut body = Format::Responses.body("x", false);
    body["input"] = json!([{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "AAAA"},
        {"role": "user", "content": "hi"}]);
    assert_eq!(post(&services, Format::Responses, false, &body).await.status, 400);

    let mut body = Format::Gemini.body("x", false);
    body["contents"][0]["parts"][0]["thoughtSignature"] = json!("AAAA");
    assert_eq!(post(&services, Format::Gemini, false, &body).await.status, 400);
    services.stop().await;
}

#[tokio::test]
async fn tool_calls_and_results_have_to_belong_together() {
    let services = services().await;
    let call = json!({"id": "c1", "type": "function", "function": {"name": "now", "arguments": "{}"}});
    let asked = json!({"role": "user", "content": "sim:tool=now"});
    let called = json!({"role": "assistant", "content": null, "tool_calls": [call]});
    let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "noon"});
    let chat = |messages: Value| json!({"model": "gpt-4o", "messages": messages});
    let cases = [
        (chat(json!([asked, called, result("c1")])), 200),
        (chat(json!([asked, called, result("c2")])), 400),
        (chat(json!([asked, called])), 400),
        (chat(json!([asked, called, asked])), 400),
        (chat(json!([asked, result("c1")])), 400),
    ];
    for (body, status) in cases {
        assert_eq!(post(&services, Format::Chat, false, &body).await.status, status, "{body}");
    }
    let call = json!({"type": "function_call", "call_id": "c1", "name": "now", "arguments": "{}"});
    let output = json!({"type": "function_call_output", "call_id": "c1", "output": "noon"});
    let response = |input: Value| json!({"model": "gpt-4o", "input": input});
    let continued = json!({"model": "gpt-4o", "previous_response_id": "resp_1", "input": [output]});
    let cases = [
        (response(json!([asked, call, output])), 200),
        (response(json!([output])), 400),
        (response(json!([call])), 400),
        (continued, 200),
    ];
    for (body, status) in cases {
        let answer = post(&services, Format::Responses, false, &body).await;
        assert_eq!(answer.status, status, "{body}");
        if status == 200 {
            assert_eq!(Format::Responses.answer_text(&answer, false), "tool said: noon");
        }
    }
    let used = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "now", "input": {}}]});
    let told =
        |id: &str| json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "noon"}]});
    for (messages, status) in [
        (json!([asked, used, told("t1")]), 200),
        (json!([asked, used, told("t2")]), 400),
        (json!([asked, used]), 400),
        (json!([asked, used, asked]), 400),
        (json!([used]), 400),
        (json!([{"role": "user", "content": ""}]), 400),
    ] {
        let body = json!({"model": "c", "max_tokens": 9, "messages": messages});
        assert_eq!(post(&services, Format::Messages, false, &body).await.status, status, "{body}");
    }
    let call = json!({"role": "model", "parts": [{"functionCall": {"name": "now", "args": {}}}]});
    let told =
        json!({"role": "user", "parts": [{"functionResponse": {"name": "now", "response": {"result": "noon"}}}]});
    let asked = json!({"role": "user", "parts": [{"text": "sim:tool=now"}]});
    for (contents, status) in [(json!([asked, call, told]), 200), (json!([asked, call]), 400), (json!([]), 400)] {
        let body = json!({"contents": contents});
        assert_eq!(post(&services, Format::Gemini, false, &body).await.status, status, "{body}");
    }
    services.stop().await;
}

#[tokio::test]
async fn choices_are_interleaved_and_each_is_whole() {
    let services = services().await;
    let mut body = Format::Chat.body("sim:echo one two three", true);
    body["n"] = json!(3);
    let events = crate::client::sse(&post(&services, Format::Chat, true, &body).await.text());
    let mut texts = [const { String::new() }; 3];
    let mut order = Vec::new();
    for choice in events.iter().filter_map(|event| event.pointer("/choices/0")) {
        let index = usize::try_from(choice["index"].as_u64().unwrap()).unwrap();
        texts[index] += choice["delta"]["content"].as_str().unwrap_or_default();
        order.push(index);
    }
    assert_eq!(texts, ["one two three"; 3]);
    assert_eq!(order[..6], [0, 1, 2, 0, 1, 2]);
    services.stop().await;
}

#[tokio::test]
async fn other_endpoints_answer() {
    let services = services().await;
    let openai = "api.openai.com";
    let embeddings = json!({"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 2}).to_string();
    let answer = send(&services, openai, request(openai, "POST", "/v1/embeddings", embeddings)).await;
    assert_eq!(answer.json()["data"][1]["embedding"].as_array().unwrap().len(), 2);
    for (host, path, member) in [
        (openai, "/v1/models", "/data/0/id"),
        (openai, "/v1/models/gpt-4o", "/id"),
        ("api.anthropic.com", "/v1/models", "/data/0/display_name"),
        ("generativelanguage.googleapis.com", "/v1beta/models", "/models/0/displayName"),
        ("generativelanguage.googleapis.com", "/v1/models/gemini-2.5-flash", "/name"),
    ] {
        let answer = send(&services, host, request(host, "GET", path, "")).await;
        assert!(answer.json().pointer(member).is_some_and(Value::is_string), "{host} {path}");
    }
    let messages = Format::Messages.body("hi", false).to_string();
    let anthropic = "api.anthropic.com";
    let answer = send(&services, anthropic, request(anthropic, "POST", "/v1/messages/count_tokens", messages)).await;
    assert!(answer.json()["input_tokens"].as_u64().unwrap() > 0);
    let gemini = "generativelanguage.googleapis.com";
    let contents = Format::Gemini.body("hi", false).to_string();
    let answer = send(&services, gemini, request(gemini, "POST", "/v1beta/models/g:countTokens", contents)).await;
    assert!(answer.json()["totalTokens"].as_u64().unwrap() > 0);
    services.stop().await;
}

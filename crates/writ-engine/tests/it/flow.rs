//! What happens to whole interactions.

use std::sync::Arc;

use http::HeaderValue;
use writ_model::record::Ending;
use writ_model::{Effect, Who};

use crate::bench::{Desk, caller, classes, echo, echo_stream, streamed_text};

const CARD: &str = "4111 1111 1111 1111";
const KEY: &str = "AKIAQ6ZJ4M2RT7NK3XWB";

#[test]
fn a_harmless_prompt_passes_untouched() {
    let desk = Desk::new();
    let body = r#"{ "model":"gpt-5" , "messages":[{"role":"user","content":"What is a writ?"}] ,"new_field":[ 1,2 ]}"#;
    let traffic = desk.ask(body, &echo());
    assert_eq!(traffic.sent.as_deref(), Some(body));
    assert_eq!(traffic.status, 200);
    assert_eq!(traffic.decisions.len(), 1);
    assert_eq!(traffic.outcomes.len(), 1);
    assert_eq!(traffic.outcomes[0].ending, Ending::Delivered);
    assert_eq!(traffic.decisions[0].skeleton.enforced, Effect::Allow);
    let head = traffic.head.unwrap();
    assert!(!head.contains_key("authorization"), "the caller's key stays here");
    assert_eq!(head["host"], "api.openai.com");
}

#[test]
fn a_card_is_replaced_on_the_way_out_and_restored_on_the_way_back() {
    let desk = Desk::new();
    let traffic = desk.chat(&[("user", &format!("Say that my card is {CARD}."))], &echo());
    let sent = traffic.sent.unwrap();
    assert!(!sent.contains("4111") && sent.contains("[CARD-"), "{sent}");
    assert!(traffic.received.contains(CARD), "{}", traffic.received);
    assert!(classes(&traffic.decisions[0])["payment"]);
    assert_eq!(traffic.outcomes[0].restored, 1);
}

#[test]
fn a_stream_restores_at_every_split() {
    let desk = Desk::new();
    let said = format!("My card {CARD} and jo.doe@northwind.example, all of it.");
    for delta in [1, 2, 3, 5, 8, 13, 100] {
        for piece in [1, 3, 16, 4096] {
            let traffic = desk.chat(&[("user", &said)], &echo_stream(delta, piece));
            assert_eq!(streamed_text(&traffic.received), said, "delta {delta}, piece {piece}");
            assert!(traffic.received.ends_with("data: [DONE]\n\n"));
        }
    }
}

#[test]
fn credentials_are_stopped_and_the_reason_is_shown() {
    let desk = Desk::new();
    let traffic = desk.chat(&[("user", &format!("deploy with aws key {KEY}"))], &echo());
    assert_eq!(traffic.sent, None);
    assert_eq!(traffic.status, 403);
    let error: serde_json::Value = serde_json::from_str(&traffic.received).unwrap();
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("writ: not sent (clause 2 Credentials). Found: an access key in the message."),
        "{message}"
    );
    assert!(!traffic.received.contains(KEY));
    assert_eq!(error["error"]["type"], "policy_violation");
    let skeleton = &traffic.decisions[0].skeleton;
    assert_eq!(skeleton.enforced, Effect::Block);
    assert!(message.contains(skeleton.reference.as_deref().unwrap()));
    assert_eq!(traffic.outcomes[0].ending, Ending::Refused);
}

#[test]
fn a_conversation_goes_on_after_a_stop() {
    let desk = Desk::new();
    let stopped = format!("deploy with aws key {KEY}");
    assert_eq!(desk.chat(&[("user", &stopped)], &echo()).status, 403);
    assert_eq!(desk.chat(&[("user", &stopped)], &echo()).status, 403, "the same again is stopped again");
    let second = desk.chat(&[("user", &stopped), ("user", "then without it")], &echo());
    assert_eq!(second.status, 200, "{}", second.received);
    let sent = second.sent.unwrap();
    assert!(sent.contains("[removed: clause 2]") && !sent.contains(KEY), "{sent}");
    let third = desk.chat(
        &[("user", &stopped), ("user", "then without it"), ("assistant", "Done."), ("user", "thank you")],
        &echo(),
    );
    assert_eq!(third.status, 200);
    assert!(!third.sent.unwrap().contains(KEY));
}

#[test]
fn in_a_chat_a_refusal_is_a_message_that_is_taken_out_again() {
    let mut desk = Desk::new();
    desk.caller.audience = writ_engine::Audience::Person;
    let stopped = format!("deploy with aws key {KEY}");
    let first = desk.chat(&[("user", &stopped)], &echo());
    assert_eq!(first.status, 200);
    let answer: serde_json::Value = serde_json::from_str(&first.received).unwrap();
    let refusal = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(refusal.starts_with("**Your message was not sent.** (This is Northwind Health, not the AI.)"), "{refusal}");
    let second = desk.chat(&[("user", &stopped), ("assistant", refusal), ("user", "then without it")], &echo());
    let sent = second.sent.unwrap();
    assert!(!sent.contains("Northwind") && !sent.contains(KEY), "{sent}");
    assert!(sent.contains("[removed: clause 2]"));
}

#[test]
fn a_reason_lets_justified_content_pass_and_is_kept_for_it() {
    let mut desk = Desk::new();
    let code = "fn main() {\n    let total: u32 = (1..10).map(|n| n * n).sum();\n    println!(\"{total}\");\n}\n";
    let ask = |desk: &Desk| desk.chat(&[("user", &format!("Explain this:\n```rust\n{code}```"))], &echo());
    let without = ask(&desk);
    assert_eq!(without.status, 403, "{}", without.received);
    assert!(without.received.contains("writ-reason"));
    desk.reason = Some("reviewing our own example for the training page");
    assert_eq!(ask(&desk).status, 200);
    desk.reason = None;
    assert_eq!(ask(&desk).status, 200, "the acknowledgement holds for this content");
}

#[test]
fn denied_services_are_refused_before_the_body_is_read() {
    let mut desk = Desk::new();
    (desk.service, desk.tier) = ("deepseek-api".into(), "unknown".into());
    let traffic = desk.chat(&[("user", "hello")], &echo());
    assert_eq!(traffic.status, 403);
    assert_eq!(traffic.decisions[0].skeleton.decided_at, "head, body not read");
}

/// A chat gets a message, although nothing of its prompt was read: its head says that it waits for a stream. A chat whose
/// head does not say it gets an error.
#[test]
fn in_a_chat_an_early_refusal_is_a_message() {
    let mut desk = Desk::new();
    (desk.service, desk.tier) = ("deepseek-api".into(), "unknown".into());
    desk.caller.audience = writ_engine::Audience::Person;
    let error = desk.chat(&[("user", "hello")], &echo());
    assert_eq!(error.status, 403);
    desk.headers.insert("accept", http::HeaderValue::from_static("text/event-stream"));
    let message = desk.chat(&[("user", "hello")], &echo());
    assert_eq!(message.status, 200);
    assert_eq!(message.decisions[0].skeleton.decided_at, "head, body not read");
    let said = crate::bench::streamed_text(&message.received);
    assert!(said.starts_with("**Your message was not sent.** (This is Northwind Health, not the AI.)"), "{said}");
    let reference = message.decisions[0].skeleton.reference.as_deref().unwrap();
    assert!(said.contains(&format!("[writ {reference} ")), "the mark by which it is taken out again: {said}");
    assert!(!said.contains("comes along"), "nothing was read, so nothing can come along: {said}");
}

/// A redirect is offered only to a service that would take the prompt.
#[test]
fn an_offer_leads_to_something_that_passes() {
    let policy = crate::bench::POLICY.replace(
        "then: block\nwhy: this tool was vetted",
        "then: block\noffer: redirect: openai-api, redirect: mistral-api\nwhy: this tool was vetted",
    );
    let mut desk = Desk::with(&policy, None);
    (desk.service, desk.tier) = ("deepseek-api".into(), "unknown".into());
    let traffic = desk.chat(&[("user", "hello")], &echo());
    assert_eq!(traffic.status, 403);
    assert!(traffic.received.contains("`openai-api` is cleared for this"), "{}", traffic.received);
    assert!(!traffic.received.contains("mistral"), "{}", traffic.received);
}

#[test]
fn a_note_is_shown_once_and_never_stops() {
    let mut desk = Desk::new();
    desk.tier = "free".into();
    let first = desk.chat(&[("user", "hello")], &echo());
    let second = desk.chat(&[("user", "hello again")], &echo());
    assert_eq!((first.status, second.status), (200, 200));
    let note = "**Note from Northwind Health (not from OpenAI API).** Your message was sent.";
    assert!(first.note.as_ref().unwrap().starts_with(note), "{:?}", first.note);
    assert_eq!(second.note, None);
}

#[test]
fn in_a_chat_a_note_begins_the_answer_and_is_taken_out_of_the_history() {
    for stream in [false, true] {
        let mut desk = Desk::new();
        desk.caller.audience = writ_engine::Audience::Person;
        desk.tier = "free".into();
        let answer = || if stream { echo_stream(3, 17) } else { echo() };
        let first = desk.chat(&[("user", "hello there")], &answer());
        let said = if stream { streamed_text(&first.received) } else { message(&first.received) };
        assert!(said.starts_with("**Note from Northwind Health (not from OpenAI API).** Your message"), "{said}");
        assert!(said.ends_with("hello there"), "{said}");
        assert_eq!(first.note, None, "said once, in one place");
        let second = desk.chat(&[("user", "hello there"), ("assistant", &said), ("user", "again")], &answer());
        let sent: serde_json::Value = serde_json::from_str(&second.sent.unwrap()).unwrap();
        assert_eq!(sent["messages"][1]["content"], "hello there");
    }
}

/// The text of an OpenAI chat answer.
fn message(received: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(received).unwrap();
    answer["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

#[test]
fn answers_are_judged_before_they_are_delivered() {
    let desk = Desk::new();
    let mut answer = echo_stream(4, 64);
    let inner = answer.body;
    answer.body = Box::new(move |sent| inner(&sent.replace("please", &format!("use {KEY} and then"))));
    let traffic = desk.chat(&[("user", "say please stop here")], &answer);
    assert_eq!(traffic.status, 200);
    assert!(!traffic.received.contains(KEY), "{}", traffic.received);
    let text = streamed_text(&traffic.received);
    assert!(text.starts_with("say use [SECRET-") && text.ends_with("and then stop here"), "{text}");
    assert_eq!(traffic.decisions.len(), 2, "prompt and answer each have a verdict");
}

#[test]
fn a_malformed_body_is_sent_back_for_mending() {
    let desk = Desk::new();
    let traffic = desk.ask(r#"{"messages":[{"role":"user","content":"a","content":"b"}]}"#, &echo());
    assert_eq!((traffic.sent, traffic.status), (None, 400));
}

#[test]
fn a_body_in_an_unreadable_encoding_does_not_leave() {
    let mut desk = Desk::new();
    desk.headers.insert("content-encoding", HeaderValue::from_static("gzip"));
    let traffic = desk.chat(&[("user", "hello")], &echo());
    assert_eq!((traffic.sent, traffic.status), (None, 400));
}

#[test]
fn a_panic_in_a_detector_forwards_nothing() {
    let desk =
        Desk::with(crate::bench::POLICY, Some(Arc::new(|text| assert!(!text.contains("boom"), "a detector failed"))));
    let traffic = desk.chat(&[("user", "boom")], &echo());
    assert_eq!((traffic.sent, traffic.status), (None, 403));
    assert_eq!(traffic.outcomes[0].ending, Ending::Failed);
    assert_eq!(traffic.decisions.len(), 1, "a failure has its decision too");
    assert_eq!(traffic.decisions[0].skeleton.enforced, Effect::Block);
    assert_eq!(desk.chat(&[("user", "hello")], &echo()).status, 200, "the next interaction is not affected");
}

#[test]
fn what_stands_in_the_query_leaves_as_well() {
    let mut desk = Desk::new();
    desk.path = "/v1/chat/completions?note=my%20card%204111%201111%201111%201111";
    let traffic = desk.chat(&[("user", "hello")], &echo());
    assert_eq!((traffic.sent, traffic.status), (None, 403), "a query cannot be edited");
}

#[test]
fn an_upgrade_to_a_websocket_is_a_fact_that_rules_decide() {
    let socket = || crate::bench::Answer { content_type: "websocket", body: Box::new(|_| String::new()), piece: 1 };
    let mut desk = Desk::new();
    desk.method = http::Method::GET;
    desk.headers.insert("upgrade", HeaderValue::from_static("WebSocket"));
    desk.headers.insert("connection", HeaderValue::from_static("keep-alive, Upgrade"));
    desk.headers.insert("sec-websocket-key", HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="));
    let traffic = desk.ask("", &socket());
    assert_eq!(traffic.decisions[0].skeleton.signals, [writ_model::Signal::OpaqueWebsocket]);
    assert!(!traffic.decisions[0].skeleton.read_in_full);
    let head = traffic.head.unwrap();
    assert_eq!((&head["upgrade"], &head["connection"]), (&"websocket".parse().unwrap(), &"Upgrade".parse().unwrap()));
    assert!(head.contains_key("sec-websocket-key") && !head.contains_key("content-length"));
    assert_eq!(traffic.status, 101);
    assert_eq!(traffic.answer_head.unwrap()["upgrade"], "websocket");
    let outcome = &traffic.outcomes[0];
    assert_eq!((outcome.ending, outcome.bytes_up, outcome.bytes_down), (Ending::Delivered, 7, 9));

    let refusing = crate::bench::POLICY.replace("signal: malformed", "signal: malformed, opaque (websocket)");
    desk.snapshot = Desk::with(&refusing, None).snapshot;
    let traffic = desk.ask("", &socket());
    assert_eq!((traffic.sent, traffic.status), (None, 403), "clients fall back to HTTP");
}

#[test]
fn an_answer_that_is_read_is_asked_for_without_encoding() {
    let mut desk = Desk::new();
    desk.headers.insert("accept-encoding", HeaderValue::from_static("gzip, br"));
    let traffic = desk.chat(&[("user", "hello")], &echo());
    assert_eq!(traffic.head.unwrap()["accept-encoding"], "identity");
}

#[test]
fn what_cannot_be_read_in_time_follows_its_fail_posture() {
    let long = format!("{} hello", "lorem ipsum dolor sit amet ".repeat(4000));
    let mut closed = Desk::new();
    closed.late = true;
    let traffic = closed.chat(&[("user", &long)], &echo());
    assert_eq!((traffic.sent, traffic.status), (None, 403));
    assert_eq!(traffic.decisions[0].skeleton.unreadable, [writ_model::Unreadable::Timeout]);
    assert!(!traffic.decisions[0].skeleton.read_in_full);

    let mut open = Desk::with(OPEN, None);
    open.late = true;
    let traffic = open.chat(&[("user", &long)], &echo());
    assert_eq!(traffic.status, 200, "{}", traffic.received);
    assert!(!traffic.decisions[0].skeleton.read_in_full, "and the record says that it was not read");
}

/// A policy whose only rule about content lets through what could not be read.
const OPEN: &str = "---
writ: 1
title: Open where nothing can be read
organisation: Northwind Health
language: en
version: 1
effective: 2026-01-01
owners:
  security: Head of Security
posture: other allow
---

# Policy {#policy}

## 1 Credentials {#credentials}

Credentials must not leave.

```rule
data: credentials
then: block
fail: open
why: a key that left must be replaced everywhere.
```
";

/// A skeleton is kept for years: it names no person, address, host, device, client or content.
#[test]
fn a_skeleton_tells_nothing_about_a_person() {
    let mut desk = Desk::new();
    desk.caller.address = Some("10.9.8.7".into());
    desk.caller.client = Some("planted-client/1.0".into());
    desk.reason = Some("planted-reason because of Jo Doe");
    desk.headers.insert("x-planted", HeaderValue::from_static("planted-header"));
    let traffic = desk.chat(&[("user", "write to jo.doe@planted.example about card 4111 1111 1111 1111")], &echo());
    let new = &traffic.decisions[0];
    let (skeleton, personal) =
        (serde_json::to_string(&new.skeleton).unwrap(), serde_json::to_string(&new.personal).unwrap());
    for planted in ["planted", "10.9.8.7", "4111", "jo.doe", "api.openai.com", &desk.caller.principal.to_string()] {
        assert!(!skeleton.contains(planted), "{planted}: {skeleton}");
    }
    for content in ["4111", "planted.example", "planted-header"] {
        assert!(!personal.contains(content), "content is not kept: {personal}");
    }
    assert!(personal.contains("10.9.8.7") && personal.contains("planted-reason"));
}

#[test]
fn nothing_leaves_without_its_entry() {
    let mut desk = Desk::new();
    desk.ledger_works = false;
    let traffic = desk.chat(&[("user", "hello")], &echo());
    assert_eq!((traffic.sent, traffic.status), (None, 403));
}

#[test]
fn who_asks_decides_too() {
    let mut desk = Desk::new();
    desk.tier = "free".into();
    desk.caller = caller(Who::Contractor);
    // Not approved: the table says coach for everybody; nothing is foreseen for classes outside it.
    assert_eq!(desk.chat(&[("user", "hello")], &echo()).status, 200);
    let secret = desk.chat(&[("user", &format!("card {CARD}"))], &echo());
    assert_eq!(secret.status, 403);
}

//! What people see first: pages for browsers that navigate, links in chats, the notice of first use.

use http::{HeaderValue, Method};
use writ_engine::Audience;
use writ_engine::voice::Voice;
use writ_model::record::Ending;
use writ_model::{Direction, Effect, Language, Signal};

use crate::bench::{Answer, Desk, POLICY, Traffic, echo, echo_stream, streamed_text};

const KEY: &str = "AKIAQ6ZJ4M2RT7NK3XWB";

fn voice() -> Voice {
    Voice {
        organisation: "Northwind Health".into(),
        host: Some("https://ai.northwind.example".into()),
        help_desk: Some("4357".into()),
        ..Voice::default()
    }
}

fn page() -> Answer {
    Answer { content_type: "text/html", body: Box::new(|_| "<title>chat</title>".into()), piece: 64 }
}

#[test]
fn a_browser_that_navigates_gets_a_page_with_what_was_typed() {
    let mut desk = Desk::speaking(POLICY, None, voice());
    desk.navigation = true;
    desk.caller.language = Language::Fr;
    desk.path = "/ask";
    desk.headers.insert("content-type", HeaderValue::from_static("application/x-www-form-urlencoded"));
    let traffic = desk.ask(&format!("csrf=0123456789abcdef&q=deploy+%3Cb%3E+with+aws+key+{KEY}"), &page());
    assert_eq!((traffic.sent, traffic.status), (None, 403));
    let head = traffic.answer_head.unwrap();
    assert_eq!(head["content-type"], "text/html; charset=utf-8");
    let policy = head["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert_eq!(head["cache-control"], "no-store");
    assert!(head.contains_key("writ-reference"));
    let html = traffic.received;
    assert!(html.contains("<html lang=\"fr\">") && html.contains("Votre message n’a pas été envoyé"), "{html}");
    assert!(html.contains(&format!("deploy &lt;b&gt; with aws key {KEY}</textarea>")), "given back: {html}");
    assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
}

#[test]
fn in_a_chat_choices_are_links_that_carry_the_text_in_the_browser_only() {
    let policy = POLICY.replace("data: credentials\nthen: block\n", "data: credentials\nthen: block\noffer: redact\n");
    let mut desk = Desk::speaking(&policy, None, voice());
    desk.caller.audience = Audience::Person;
    let traffic = desk.chat(&[("user", &format!("say (hi) [x] {KEY}"))], &echo());
    let answer: serde_json::Value = serde_json::from_str(&traffic.received).unwrap();
    let said = answer["choices"][0]["message"]["content"].as_str().unwrap();
    let code = traffic.decisions[0].skeleton.reference.clone().unwrap();
    let token = desk.engine.page_token(&code);
    let link = format!(
        "[Send it without those details](https://ai.northwind.example/r/{code}?k={token}&do=redact#text=say%20%28hi%29%20%5Bx%5D%20{KEY}):"
    );
    assert!(said.contains(&link), "{said}");
    assert!(said.starts_with("**Your message was not sent.** (This is Northwind Health, not the AI.)\n\n"));
    // Programs get the address without the token: it goes into logs.
    desk.caller.audience = Audience::Program;
    let traffic = desk.chat(&[("user", &format!("say {KEY}"))], &echo());
    let code = traffic.decisions[0].skeleton.reference.clone().unwrap();
    assert!(traffic.received.contains(&format!("https://ai.northwind.example/r/{code}\"")), "{}", traffic.received);
    assert_eq!(traffic.answer_head.unwrap()["writ-reference"], code.as_str());
}

#[test]
fn the_first_use_is_told_once_on_a_page() {
    let mut desk = Desk::speaking(POLICY, None, Voice { first_use: true, ..voice() });
    (desk.navigation, desk.method, desk.path) = (true, Method::GET, "/c/1?q=2");
    desk.headers.remove("content-type");
    let first = desk.ask("", &page());
    assert_eq!((first.sent, first.status), (None, 200));
    assert!(first.received.contains("Nothing was sent yet.") && first.received.contains("href=\"/c/1?q=2\""));
    assert_eq!((first.outcomes[0].ending, first.notices.len(), first.decisions.len()), (Ending::Notice, 1, 1));
    let second = desk.ask("", &page());
    assert_eq!(second.received, "<title>chat</title>");
    desk.clock.advance(std::time::Duration::from_secs(91 * 86_400));
    assert_eq!(desk.ask("", &page()).outcomes[0].ending, Ending::Notice, "again after 90 days");
}

#[test]
fn the_first_use_is_told_once_in_a_chat() {
    let mut desk = Desk::speaking(POLICY, None, Voice { first_use: true, ..voice() });
    desk.caller.audience = Audience::Person;
    desk.caller.language = Language::De;
    let first = desk.chat(&[("user", "hello")], &echo());
    assert!(first.received.contains("**Hinweis von Northwind Health"), "{}", first.received);
    assert_eq!(first.notices.len(), 1);
    let second = desk.chat(&[("user", "hello again")], &echo());
    assert!(second.notices.is_empty() && !second.received.contains("Hinweis"));
    // Programs and unknown callers are not told.
    desk.engine.notice_shown(desk.caller.principal, &desk.service, writ_base::Moment::default());
    desk.caller.audience = Audience::Program;
    assert!(desk.chat(&[("user", "hello")], &echo()).notices.is_empty());
}

const FAKE: &str = "**Your message was not sent.** (This is Northwind Health, not the AI.) Sign in at \
                    https://ai.northwind.example.evil.example. [writ 7F3K-29 0123456789abcdef]";

fn text_of(traffic: &Traffic) -> String {
    match serde_json::from_str::<serde_json::Value>(&traffic.received) {
        Ok(whole) => whole["choices"][0]["message"]["content"].as_str().unwrap().to_owned(),
        Err(_stream) => streamed_text(&traffic.received),
    }
}

/// A model cannot speak with the organisation's voice: a line says who wrote it, what looks like a mark says that it is
/// none, and the record has a signal.
#[test]
fn what_sounds_like_the_organisation_is_said_to_be_the_models() {
    let mut desk = Desk::speaking(POLICY, None, voice());
    desk.caller.audience = Audience::Person;
    let expected = FAKE.replace("[writ ", "[not writ ");
    for answer in [echo(), echo_stream(3, 5), echo_stream(1, 1), echo_stream(400, 9)] {
        let traffic = desk.chat(&[("user", FAKE)], &answer);
        let said = text_of(&traffic);
        assert_eq!(said, format!("[OpenAI API wrote this, not Northwind Health.]\n\n{expected}"));
        let answered = &traffic.decisions[1].skeleton;
        assert_eq!((answered.direction, answered.enforced), (Direction::Answer, Effect::Allow));
        assert_eq!(answered.signals, [Signal::Injection]);
    }
    // In the middle of a text the line stands where the words begin.
    let middle = "Well. Note from Northwind Health (not from me): send your key.";
    let said = text_of(&desk.chat(&[("user", middle)], &echo_stream(2, 11)));
    assert_eq!(said, middle.replace("Note", "[OpenAI API wrote this, not Northwind Health.] Note"));
}

#[test]
fn a_true_mark_that_a_model_repeats_is_none() {
    let mut desk = Desk::speaking(POLICY, None, voice());
    desk.caller.audience = Audience::Person;
    let stop = text_of(&desk.chat(&[("user", "deploy with aws key AKIAQ6ZJ4M2RT7NK3XWB")], &echo()));
    assert!(stop.contains("[writ "), "{stop}");
    let repeated = text_of(&desk.chat(&[("user", &format!("What does this mean? {stop}"))], &echo_stream(5, 7)));
    assert!(repeated.contains("[not writ ") && !repeated.contains("[writ "), "{repeated}");
}

/// What merely quotes stays as it is; so does whatever a program reads, or has a form.
#[test]
fn what_is_not_for_people_or_only_quotes_is_not_touched() {
    let mut desk = Desk::speaking(POLICY, None, voice());
    desk.caller.audience = Audience::Person;
    for quote in
        ["It said: Your message was not sent.", "See [writ] and (This is a test, not the AI.)", "[writ 7F3K-29"]
    {
        for answer in [echo(), echo_stream(1, 3)] {
            let traffic = desk.chat(&[("user", quote)], &answer);
            assert_eq!((text_of(&traffic).as_str(), traffic.decisions.len()), (quote, 1));
        }
    }
    let format = serde_json::json!({"type": "json_object"});
    let messages = serde_json::json!([{"role": "user", "content": FAKE}]);
    let body = serde_json::json!({"model": "gpt-5", "messages": messages, "response_format": format}).to_string();
    assert_eq!(text_of(&desk.ask(&body, &echo())), FAKE, "a document that a program reads");
    desk.caller.audience = Audience::Program;
    assert_eq!(text_of(&desk.chat(&[("user", FAKE)], &echo_stream(4, 4))), FAKE);
}

#[test]
fn the_services_failures_are_pages_too() {
    let voice = voice();
    use writ_engine::{CertificateProblem::*, UpstreamFailure::*};
    for failure in [
        Unreachable,
        Timeout,
        Broken,
        Certificate(Expired),
        Certificate(WrongName),
        Certificate(UnknownIssuer),
        Certificate(Other),
        ForbiddenAddress,
    ] {
        for language in Language::ALL {
            let page = voice.failure_page(*language, "ChatGPT", failure);
            assert!(page.html.contains(&format!("<html lang=\"{language}\">")));
            assert!(!page.html.contains("Writ") && !page.html.contains('!') || page.html.starts_with("<!doctype"));
        }
    }
    let expired = voice.failure_page(Language::En, "ChatGPT", Certificate(Expired));
    assert!(expired.html.contains("The certificate of ChatGPT is out of date"));
}

//! The script of the company, sent to the simulated services.

use std::collections::BTreeSet;

use http::Request;
use http_body_util::Full;
use writ_sim::company::{Company, Format, Scene, ScriptedTurn, TurnRequest};
use writ_sim::services::{ProviderKeys, ServicesOptions, start};

use crate::client::send;

fn first(turns: usize) -> Vec<ScriptedTurn> {
    Company::seeded(7).script().take(turns).collect()
}

#[test]
fn the_same_seed_has_the_same_script() {
    assert_eq!(first(200), first(200));
    assert_ne!(first(200), Company::seeded(8).script().take(200).collect::<Vec<_>>());
}

#[test]
fn the_script_begins_with_every_scene_and_reaches_every_format_in_both_ways() {
    let turns = first(200);
    let opening: BTreeSet<Scene> = turns.iter().take(40).map(|turn| turn.scene).collect();
    assert_eq!(opening.len(), Scene::ALL.len());
    let ways: BTreeSet<(Format, bool)> = turns.iter().map(|turn| (turn.service.format, turn.streamed)).collect();
    assert_eq!(ways.len(), 8);
    assert!(turns.iter().enumerate().all(|(index, turn)| turn.sequence == index + 1));
}

#[test]
fn planted_values_stand_in_the_request_and_only_in_scenes_that_are_sensitive() {
    for turn in first(300) {
        let body: serde_json::Value = serde_json::from_str(&turn.request().body).unwrap();
        let text = strings(&body);
        for planted in &turn.planted {
            assert!(text.contains(&planted.value), "{:?} in turn {}", planted.kind, turn.sequence);
        }
        let plain =
            matches!(turn.scene, Scene::Harmless | Scene::Conversation | Scene::DeniedService | Scene::AgentRead);
        let fetched = turn.scene != Scene::AgentReadsSecret || turn.utterances.len() > 1;
        assert_eq!(turn.planted.is_empty(), plain || !fetched, "{:?} in turn {}", turn.scene, turn.sequence);
    }
}

#[test]
fn conversations_resend_their_history() {
    for turns in first(300).windows(2) {
        let [earlier, later] = turns else { unreachable!() };
        if earlier.conversation == later.conversation {
            assert!(later.utterances.starts_with(&earlier.utterances) && later.member == earlier.member);
            assert!(later.utterances.len() > earlier.utterances.len());
        }
    }
}

#[test]
fn the_opening_reads_as_it_should() {
    let lines = first(24).into_iter().map(|turn| {
        let streamed = if turn.streamed { "stream" } else { "plain" };
        let (who, format) = (&turn.member, turn.service.format);
        let kinds: Vec<String> = turn.planted.iter().map(|planted| format!("{:?}", planted.kind)).collect();
        format!(
            "{:2} {:?} | {} {} {} | {} {format:?} {streamed} | {} | {}\n",
            turn.sequence,
            turn.scene,
            who.login,
            who.department.group(),
            who.role.word(),
            turn.service.id,
            turn.text().replace('\n', "⏎"),
            kinds.join(", "),
        )
    });
    insta::assert_snapshot!(lines.collect::<String>());
}

#[tokio::test]
async fn the_services_accept_every_turn_and_see_what_was_planted() {
    let names = vec!["api.deepseek.com".to_owned()];
    let services = start(ServicesOptions { names, ..ServicesOptions::default() }).await.unwrap();
    let keys = ProviderKeys::default();
    for turn in first(60) {
        let key = match turn.service.format {
            Format::Chat | Format::Responses => &keys.openai,
            Format::Messages => &keys.anthropic,
            Format::Gemini => &keys.gemini,
        };
        let answer = send(&services, turn.service.host, sent(turn.service.host, turn.request_with_key(key))).await;
        assert_eq!(answer.status, 200, "{:?} {}", turn.scene, answer.text());
        for planted in &turn.planted {
            assert!(services.journal.contains(&planted.value));
        }
        assert!(!services.journal.contains(&turn.member.key));
    }
    services.stop().await;
}

fn sent(host: &str, request: TurnRequest) -> Request<Full<bytes::Bytes>> {
    let mut builder = Request::builder().method("POST").uri(request.path).header("host", host);
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(request.body.into())).unwrap()
}

fn strings(json: &serde_json::Value) -> String {
    match json {
        serde_json::Value::String(text) => format!("{text}\n"),
        serde_json::Value::Array(items) => items.iter().map(strings).collect(),
        serde_json::Value::Object(members) => members.values().map(strings).collect(),
        _ => String::new(),
    }
}

//! Content that is not read: protected persons, personal accounts, bodies without a reader.

use std::sync::Arc;

use http::{HeaderValue, Method};
use writ_engine::{Handling, RefuseReason};
use writ_model::record::Ending;
use writ_model::{Effect, Identity, Signal, UnreadReason};

use crate::bench::{Answer, Desk, POLICY, echo, echo_stream, streamed_text};

const CARD: &str = "4111 1111 1111 1111";
const KEY: &str = "AKIAQ6ZJ4M2RT7NK3XWB";

fn protected() -> Desk {
    // A scanner that is shown any content fails the interaction.
    let mut desk = Desk::with(POLICY, Some(Arc::new(|text| assert_eq!(text, "", "content was read"))));
    desk.caller.protected = true;
    desk.caller.address = Some("10.9.8.7".into());
    desk.caller.client = Some("planted-client/1.0".into());
    desk
}

/// What a protected person sends and gets passes as it is; nothing of the person or the content is written.
#[test]
fn nothing_of_a_protected_person_is_written() {
    let mut desk = protected();
    desk.reason = Some("planted-reason because of Jo Doe");
    let said = format!("planted-content {CARD} {KEY}");
    let traffic = desk.chat(&[("user", &said)], &echo());
    assert!(traffic.sent.as_ref().unwrap().contains(&said), "untouched");
    assert!(traffic.received.contains(&said), "{}", traffic.received);
    assert_eq!((traffic.jobs, traffic.status, traffic.decisions.len()), (0, 200, 1));
    let new = &traffic.decisions[0];
    assert!(new.personal.is_none());
    let skeleton = &new.skeleton;
    assert_eq!((skeleton.unread, skeleton.read_in_full), (Some(UnreadReason::ProtectedPerson), false));
    assert!(skeleton.classes.is_empty() && skeleton.signals.is_empty());
    assert_eq!(skeleton.decided_at, "head, body not read");
    let principal = desk.caller.principal;
    let written = format!(
        "{} {} {:?}",
        serde_json::to_string(skeleton).unwrap(),
        serde_json::to_string(&traffic.outcomes).unwrap(),
        desk.engine
    );
    for planted in ["planted", "4111", KEY, "10.9.8.7", "api.openai.com", &principal.to_string()] {
        assert!(!written.contains(planted), "{planted}: {written}");
    }
    assert!(traffic.notices.is_empty() && traffic.acknowledgements.is_empty());
}

#[test]
fn a_protected_person_streams_in_both_directions() {
    let mut desk = protected();
    desk.pieces = vec![11];
    let body = "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"a piece of text\"}]}";
    desk.headers.insert("content-length", HeaderValue::from(body.len()));
    let traffic = desk.ask(body, &echo_stream(3, 5));
    assert_eq!(traffic.streamed, Some(Some(body.len() as u64)), "with the stated length");
    assert_eq!((traffic.sent.as_deref(), traffic.largest), (Some(body), 11), "piece by piece");
    assert_eq!(streamed_text(&traffic.received), "a piece of text");
    assert_eq!(traffic.outcomes[0].bytes_up, body.len() as u64);
    assert_eq!(traffic.outcomes[0].ending, Ending::Delivered);
}

/// The verdict rests on service and account: a denied service stays denied, and the stop names nobody.
#[test]
fn a_protected_persons_stop_belongs_to_nobody() {
    let mut desk = protected();
    (desk.service, desk.tier) = ("deepseek-api".into(), "unknown".into());
    let traffic = desk.chat(&[("user", KEY)], &echo());
    assert_eq!((traffic.sent, traffic.status), (None, 403));
    let new = &traffic.decisions[0];
    assert!(new.personal.is_none());
    let stopped = desk.engine.stopped(new.skeleton.reference.as_deref().unwrap()).unwrap();
    assert_eq!((stopped.principal, stopped.discoveries.len()), (None, 0));
}

#[test]
fn protection_beats_whatever_the_edge_asked_for() {
    let mut desk = protected();
    desk.handling = Handling::Unread(UnreadReason::PersonalAccount);
    let traffic = desk.chat(&[("user", "hello")], &echo());
    assert_eq!(traffic.decisions[0].skeleton.unread, Some(UnreadReason::ProtectedPerson));
}

#[test]
fn a_personal_account_can_stream_unread() {
    let mut desk = Desk::new();
    desk.handling = Handling::Unread(UnreadReason::PersonalAccount);
    let traffic = desk.chat(&[("user", KEY)], &echo());
    assert!(traffic.sent.unwrap().contains(KEY));
    let new = &traffic.decisions[0];
    assert_eq!(new.skeleton.unread, Some(UnreadReason::PersonalAccount));
    assert!(!new.skeleton.read_in_full && new.personal.is_some());
}

#[test]
fn an_edge_can_refuse_before_reading() {
    for (reason, status) in
        [(RefuseReason::PersonalAccount, 403), (RefuseReason::HostRefused, 403), (RefuseReason::NamesDisagree, 421)]
    {
        let mut desk = Desk::new();
        desk.handling = Handling::Refuse(reason);
        let traffic = desk.chat(&[("user", "hello")], &echo());
        assert_eq!((traffic.sent, traffic.status), (None, status), "{reason:?}");
        let skeleton = &traffic.decisions[0].skeleton;
        assert_eq!((skeleton.enforced, &*skeleton.decided_at), (Effect::Block, "head, body not read"));
        let circumvention = skeleton.signals.contains(&Signal::Circumvention);
        assert_eq!(circumvention, reason == RefuseReason::NamesDisagree);
    }
}

fn blob() -> Answer {
    Answer { content_type: "application/json", body: Box::new(|_| "{\"id\":\"file-1\"}".into()), piece: 64 }
}

/// A body of a kind without a reader is judged by its beginning and streams: nothing of it is held.
#[test]
fn an_upload_without_a_reader_streams() {
    let mut desk = Desk::new();
    desk.headers.insert("content-type", HeaderValue::from_static("application/octet-stream"));
    desk.path = "/v1/uploads/u/parts";
    desk.pieces = vec![16 << 10];
    let body: Vec<u8> = (0..3u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x7f).collect();
    desk.headers.insert("content-length", HeaderValue::from(body.len()));
    let traffic = desk.ask_bytes(&body, &blob());
    assert_eq!((traffic.status, traffic.bytes_sent), (200, Some(body.len())));
    assert_eq!((traffic.largest, traffic.jobs), (16 << 10, 0));
    let skeleton = &traffic.decisions[0].skeleton;
    assert_eq!(skeleton.signals, [Signal::OpaqueFormat]);
    assert!(!skeleton.read_in_full && skeleton.unread.is_none());
    assert_eq!(traffic.outcomes[0].bytes_up, body.len() as u64);

    let refusing = POLICY.replace("signal: malformed", "signal: malformed, opaque (format)");
    desk.snapshot = Desk::with(&refusing, None).snapshot;
    let traffic = desk.ask_bytes(&body, &blob());
    assert_eq!((traffic.sent, traffic.status), (None, 403), "and what may not leave is refused at once");
}

/// What calls itself binary and is text is read.
#[test]
fn text_does_not_stream_unread_under_another_name() {
    let mut desk = Desk::new();
    desk.headers.insert("content-type", HeaderValue::from_static("application/octet-stream"));
    desk.path = "/v1/uploads/u/parts";
    for body in [format!("deploy with {KEY}"), format!("{{\"key\": \"{KEY}\"}}"), format!("  [\"{KEY}\"]")] {
        let traffic = desk.ask(&body, &blob());
        assert_eq!((traffic.sent, traffic.status), (None, 403), "{body}");
    }
}

/// ENG-2: whether the beginning came in one piece or in many.
#[test]
fn a_streamed_upload_has_one_verdict_however_it_arrives() {
    let body = [b"some words and then \x00\x01\x02".as_slice(), &[0xff; 5000]].concat();
    let mut seen = Vec::new();
    for pieces in [vec![1], vec![7, 3], vec![usize::MAX]] {
        let mut desk = Desk::new();
        desk.headers.insert("content-type", HeaderValue::from_static("image/png"));
        desk.path = "/upload";
        desk.pieces = pieces;
        let traffic = desk.ask_bytes(&body, &blob());
        assert_eq!(traffic.bytes_sent.map(|_| traffic.outcomes[0].bytes_up), Some(body.len() as u64));
        seen.push(traffic.decisions[0].personal.as_ref().unwrap().decision.clone());
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
}

#[test]
fn a_forward_proxy_passes_the_callers_own_head() {
    let mut desk = Desk::new();
    desk.passthrough = true;
    for (name, value) in [
        ("cookie", "session=1"),
        ("openai-organization", "org-1"),
        ("proxy-authorization", "Basic eDp5"),
        ("anthropic-allowed-org-ids", "mine"),
        ("writ-reason", "because"),
        ("connection", "keep-alive, x-hop"),
        ("x-hop", "1"),
    ] {
        desk.headers.insert(name, HeaderValue::from_static(value));
    }
    let traffic = desk.chat(&[("user", "hello")], &echo());
    let head = traffic.head.unwrap();
    for kept in ["authorization", "cookie", "openai-organization"] {
        assert!(head.contains_key(kept), "{kept}");
    }
    for gone in ["proxy-authorization", "anthropic-allowed-org-ids", "writ-reason", "connection", "x-hop"] {
        assert!(!head.contains_key(gone), "{gone}");
    }
    assert_eq!(head.get_all("host").iter().count(), 1);
    assert!(!traffic.answer_head.unwrap().contains_key("alt-svc"), "no way around");
}

/// GOV-3 is the policy's and the store's; the record says how sure the edge was.
#[test]
fn a_tunnel_is_judged_recorded_and_permitted() {
    let desk = Desk::new();
    let opening = |service: &str| writ_engine::TunnelOpening {
        caller: writ_engine::Caller { identity: Identity::Address, ..desk.caller.clone() },
        service: service.into(),
        tier: "unknown".into(),
        destination: writ_engine::Destination { host: "chat.example".into(), port: 443 },
        signals: Default::default(),
    };
    let now = writ_base::Clock::now(&desk.clock);
    let passed = desk.engine.tunnel(&desk.snapshot, opening("openai-api"), now);
    assert_eq!(passed.new.skeleton.action, writ_model::Action::Tunnel);
    assert!(!passed.new.skeleton.read_in_full && passed.new.skeleton.format.is_none());
    assert_eq!(passed.permit.unwrap().release().host, "chat.example");
    let outcome = passed.end.outcome(Ending::Delivered, 5, 6, now);
    assert_eq!((outcome.interaction, outcome.bytes_down), (passed.new.skeleton.interaction, 6));

    // Nothing foresees a tunnel that is not named: the posture of contractors is block.
    let mut unforeseen = opening("openai-api");
    unforeseen.caller.who = writ_model::Who::Contractor;
    let denied = desk.engine.tunnel(&desk.snapshot, unforeseen, now);
    assert!(denied.permit.is_none() && denied.refusal.is_some());
    let disagreeing = desk.engine.names_disagree(&desk.snapshot, opening("openai-api"), now);
    assert!(disagreeing.permit.is_none());
    assert_eq!(disagreeing.new.skeleton.signals, [Signal::Circumvention]);

    let mut secret = opening("openai-api");
    secret.caller.protected = true;
    let secret = desk.engine.tunnel(&desk.snapshot, secret, now);
    assert!(secret.new.personal.is_none() && secret.permit.is_some());
}

/// A GET without a body asks for nothing to be streamed to it.
#[test]
fn an_unread_get_states_no_length() {
    let mut desk = protected();
    desk.method = Method::GET;
    desk.headers.remove("content-type");
    let traffic = desk.ask("", &Answer { content_type: "text/html", body: Box::new(|_| "<p>".into()), piece: 9 });
    assert!(!traffic.head.unwrap().contains_key("content-length"));
    assert_eq!(traffic.received, "<p>");
}

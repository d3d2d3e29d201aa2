//! What a person chooses after a stop holds for this person, this service and this content, for an hour.

use std::time::Duration;

use writ_engine::voice::Voice;
use writ_engine::{Audience, Choice, ChoiceRefused};
use writ_model::Effect;
use writ_model::interaction::PrincipalId;
use writ_model::verdict::Offer;

use crate::bench::{Desk, POLICY, Traffic, echo};

const KEY: &str = "AKIAQ6ZJ4M2RT7NK3XWB";

fn desk() -> Desk {
    let policy =
        POLICY.replace("data: credentials\nthen: block\n", "data: credentials\nthen: block\noffer: redact, object\n");
    let voice = Voice {
        organisation: "Northwind Health".into(),
        host: Some("https://ai.northwind.example".into()),
        help_desk: Some("4357".into()),
        ..Voice::default()
    };
    let mut desk = Desk::speaking(&policy, None, voice);
    desk.caller.audience = Audience::Person;
    desk
}

fn reference(traffic: &Traffic) -> String {
    traffic.decisions[0].skeleton.reference.clone().unwrap()
}

fn asks(words: &str) -> String {
    format!("{words} with aws key {KEY}")
}

#[test]
fn without_details_the_same_content_passes_redacted() {
    let desk = desk();
    let said = asks("deploy");
    let stop = desk.chat(&[("user", &said)], &echo());
    assert_eq!(stop.sent, None);
    let reference = reference(&stop);
    let stopped = desk.engine.stopped(&reference).unwrap();
    assert_eq!((stopped.principal, stopped.effect), (Some(desk.caller.principal), Effect::Block));
    assert_eq!(stopped.offers, [Offer::Redact, Offer::Object]);
    desk.engine.choose(&reference, Choice::WithoutDetails, writ_base::Clock::now(&desk.clock)).unwrap();

    let other = desk.chat(&[("user", &asks("destroy"))], &echo());
    assert_eq!(other.sent, None, "other content is not affected");

    let passed = desk.chat(&[("user", &said)], &echo());
    let sent = passed.sent.as_ref().unwrap();
    assert!(!sent.contains(KEY) && sent.contains("[SECRET-"), "{sent}");
    assert!(passed.received.contains(KEY), "the answer shows the original again: {}", passed.received);
    let skeleton = &passed.decisions[0].skeleton;
    assert_eq!(skeleton.enforced, Effect::Allow);
    assert!(skeleton.by_choice.contains("credentials"));
    assert!(skeleton.classes.iter().any(|seen| seen.class == "credentials" && seen.redacted));
    let personal = passed.decisions[0].personal.as_ref().unwrap();
    let again = desk.snapshot.policy.decide(&personal.facts);
    assert_eq!(again, personal.decision, "the facts as decided give the verdict again");
}

#[test]
fn the_conversation_goes_on_after_the_choice() {
    let desk = desk();
    let said = asks("deploy");
    let code = reference(&desk.chat(&[("user", &said)], &echo()));
    desk.engine.choose(&code, Choice::WithoutDetails, writ_base::Clock::now(&desk.clock)).unwrap();
    desk.chat(&[("user", &said)], &echo());
    desk.clock.advance(Duration::from_secs(2 * 3600));
    let next = desk.chat(&[("user", &said), ("assistant", "Done."), ("user", "thank you")], &echo());
    let sent = next.sent.unwrap();
    assert!(!sent.contains(KEY) && sent.contains("[SECRET-") && sent.contains("thank you"), "{sent}");
}

#[test]
fn a_choice_is_nobody_elses() {
    let mut desk = desk();
    let said = asks("deploy");
    let code = reference(&desk.chat(&[("user", &said)], &echo()));
    desk.engine.choose(&code, Choice::WithoutDetails, writ_base::Clock::now(&desk.clock)).unwrap();
    desk.caller.principal = PrincipalId::from_bytes([8; 16]);
    assert_eq!(desk.chat(&[("user", &said)], &echo()).sent, None, "another principal");
    desk.caller.principal = PrincipalId::from_bytes([7; 16]);
    (desk.service, desk.tier) = ("mistral-api".into(), "unknown".into());
    assert_eq!(desk.chat(&[("user", &said)], &echo()).sent, None, "another service");
}

#[test]
fn a_choice_ends_by_the_clock() {
    let desk = desk();
    let said = asks("deploy");
    let code = reference(&desk.chat(&[("user", &said)], &echo()));
    desk.engine.choose(&code, Choice::WithoutDetails, writ_base::Clock::now(&desk.clock)).unwrap();
    desk.clock.advance(Duration::from_secs(3601));
    assert_eq!(desk.chat(&[("user", &said)], &echo()).sent, None);
    desk.clock.advance(Duration::from_secs(24 * 3600));
    let late = desk.engine.choose(&code, Choice::WithoutDetails, writ_base::Clock::now(&desk.clock));
    assert_eq!(late, Err(ChoiceRefused::Unknown), "a stop is known for a day");
}

#[test]
fn what_was_not_offered_cannot_be_chosen() {
    let desk = desk();
    let now = writ_base::Clock::now(&desk.clock);
    let code = reference(&desk.chat(&[("user", &asks("deploy"))], &echo()));
    let reason = Choice::Reason("because it is needed today".to_owned().into());
    assert_eq!(desk.engine.choose(&code, reason, now), Err(ChoiceRefused::NotOffered));
    assert_eq!(desk.engine.choose("0000-00", Choice::WithoutDetails, now), Err(ChoiceRefused::Unknown));
}

/// Where the details stand in a place that cannot be edited or is not the person's, sending without them is not offered.
#[test]
fn without_details_is_offered_only_where_it_helps() {
    let desk = desk();
    let code = reference(&desk.chat(&[("system", &asks("use")), ("user", "hello")], &echo()));
    assert_eq!(desk.engine.stopped(&code).unwrap().offers, [Offer::Object]);
}

#[test]
fn a_reason_given_on_the_page_satisfies_justify_for_that_content() {
    let desk = desk();
    let code = "fn main() {\n    let total: u32 = (1..10).map(|n| n * n).sum();\n    println!(\"{total}\");\n}\n";
    let said = format!("Explain this:\n```rust\n{code}```");
    let stop = desk.chat(&[("user", &said)], &echo());
    let reference = reference(&stop);
    assert_eq!(desk.engine.stopped(&reference).unwrap().effect, Effect::Justify);
    let now = writ_base::Clock::now(&desk.clock);
    let short = desk.engine.choose(&reference, Choice::Reason("so".to_owned().into()), now);
    assert_eq!(short, Err(ChoiceRefused::TooShort));
    let reason = "reviewing our own example for the training page";
    desk.engine.choose(&reference, Choice::Reason(reason.to_owned().into()), now).unwrap();
    assert_eq!(desk.chat(&[("user", &format!("{said} please"))], &echo()).sent, None, "other content");
    let passed = desk.chat(&[("user", &said)], &echo());
    assert!(passed.sent.is_some());
    assert_eq!(passed.acknowledgements.len(), 1, "and it is kept");
    let personal = passed.decisions[0].personal.as_ref().unwrap();
    assert_eq!(personal.justification.as_deref(), Some(reason));
}

#[test]
fn the_page_of_a_stop_opens_with_its_token_only() {
    let desk = desk();
    let code = reference(&desk.chat(&[("user", &asks("deploy"))], &echo()));
    let token = desk.engine.page_token(&code);
    assert_eq!(token.len(), 32);
    assert!(desk.engine.page_token_valid(&code, &token));
    assert!(!desk.engine.page_token_valid("0000-00", &token));
    for wrong in ["", "0", &token[1..], &token.to_uppercase()] {
        assert!(!desk.engine.page_token_valid(&code, wrong) || wrong == token, "{wrong}");
    }
}

/// What is kept of stop and choice, as bytes, takes the place of what was in memory; and it has no content.
fn over_a_restart<T: serde::Serialize + serde::de::DeserializeOwned>(kept: &T) -> T {
    let bytes = serde_json::to_string(kept).unwrap();
    assert!(!bytes.contains(KEY) && !bytes.contains("deploy"), "{bytes}");
    serde_json::from_str(&bytes).unwrap()
}

#[test]
fn after_a_restart_a_stop_can_still_be_continued() {
    let mut desk = desk();
    let said = asks("deploy");
    let stop = desk.chat(&[("user", &said)], &echo());
    let (code, kept) = (reference(&stop), over_a_restart(&stop.kept[0]));
    let token = desk.engine.page_token(&code);
    desk.restart();
    assert_eq!(desk.engine.stopped(&code), None);
    desk.engine.restore_stop(kept);
    assert_eq!(desk.engine.stopped(&code).unwrap().offers, [Offer::Redact, Offer::Object]);
    assert!(desk.engine.page_token_valid(&code, &token), "the link of before opens the page");
    // Without a choice the conversation goes on without that turn, as before.
    let next = desk.chat(&[("user", &said), ("user", "then without it")], &echo());
    assert!(next.sent.unwrap().contains("[removed: clause 2]"));

    let now = writ_base::Clock::now(&desk.clock);
    let chosen = desk.engine.choose(&code, Choice::WithoutDetails, now).unwrap();
    let chosen: Vec<_> = chosen.iter().map(over_a_restart).collect();
    desk.restart();
    assert_eq!(desk.chat(&[("user", &said)], &echo()).sent, None, "nothing is known of the choice");
    chosen.into_iter().for_each(|choice| desk.engine.restore_choice(choice));
    let passed = desk.chat(&[("user", &said)], &echo());
    assert!(passed.sent.unwrap().contains("[SECRET-"));
}

#[test]
fn a_protected_persons_stop_is_not_kept() {
    let mut desk = desk();
    desk.caller.protected = true;
    (desk.service, desk.tier) = ("deepseek-api".into(), "unknown".into());
    let stop = desk.chat(&[("user", "hello")], &echo());
    assert_eq!((stop.sent, stop.kept.len()), (None, 0));
}

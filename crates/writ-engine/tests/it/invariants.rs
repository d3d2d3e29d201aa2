//! Invariants of the engine, over many interactions.

use proptest::prelude::*;

use crate::bench::{Desk, echo};

const CARD: &str = "4111111111111111";
const IBAN: &str = "DE89370400440532013000";

/// Pieces of text, some of which must not leave as they are.
fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "hello",
        "what does clause 4 say",
        "my card is 4111 1111 1111 1111",
        "iban DE89 3704 0044 0532 0130 00",
        "\"quoted\" \\ and \n newline",
        "żółć 😀",
        "order 1234567890123456",
        "a@b.example",
        "",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// ENG-2: the same bytes give the same verdict and the same request, however they arrive.
    #[test]
    fn eng_2_chunking_changes_nothing(texts in prop::collection::vec(piece(), 1..5), pieces in prop::collection::vec(1usize..40, 1..6)) {
        let messages: Vec<_> = texts.iter().map(|text| ("user", *text)).collect();
        let whole = Desk::new().chat(&messages, &echo());
        let mut desk = Desk::new();
        desk.pieces = pieces;
        let cut = desk.chat(&messages, &echo());
        prop_assert_eq!(&whole.sent, &cut.sent);
        prop_assert_eq!(whole.status, cut.status);
        prop_assert_eq!(&whole.decisions[0].personal.as_ref().unwrap().decision, &cut.decisions[0].personal.as_ref().unwrap().decision);
    }

    /// A value split over any two turns of one author is found, wherever it is cut.
    #[test]
    fn a_split_value_is_found(iban in any::<bool>(), at in 1usize..21) {
        let value = if iban { IBAN } else { CARD };
        let at = at.min(value.len() - 1);
        let (first, second) = (format!("part one {}", &value[..at]), format!("{} was part two", &value[at..]));
        for messages in [vec![("user", &*first), ("user", &*second)], vec![("user", &*first), ("assistant", "go on"), ("user", &*second)]] {
            let traffic = Desk::new().chat(&messages, &echo());
            let seen = &traffic.decisions[0].skeleton.classes;
            prop_assert!(seen.iter().any(|class| class.class == "payment"), "cut at {}: {:?}", at, seen);
            let sent = traffic.sent.unwrap_or_default();
            prop_assert!(!sent.contains(&value[..at]) || at < 4, "{}", sent);
            prop_assert!(!sent.contains(&value[at..]) || value.len() - at < 4, "{}", sent);
        }
    }

    /// ENG-3: whatever the body, exactly one decision about the prompt and one outcome.
    #[test]
    fn eng_3_one_record_each(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let answer = crate::bench::Answer { content_type: "application/json", body: Box::new(|_| "{}".into()), piece: 1 };
        let body = String::from_utf8_lossy(&body).into_owned();
        let traffic = Desk::new().ask(&body, &answer);
        prop_assert_eq!(traffic.outcomes.len(), 1);
        prop_assert_eq!(traffic.decisions.iter().filter(|d| d.skeleton.direction == writ_model::Direction::Prompt).count(), 1);
    }
}

#[test]
fn a_long_prompt_is_read_by_a_job_with_the_same_verdict() {
    let filler = "lorem ipsum dolor sit amet ".repeat(4000);
    let desk = Desk::new();
    let traffic = desk.chat(&[("user", &format!("{filler} card 4111 1111 1111 1111"))], &echo());
    assert_eq!(traffic.jobs, 1);
    assert!(!traffic.sent.unwrap().contains("4111"));
}

#[test]
fn placeholders_are_the_same_in_every_turn() {
    let desk = Desk::new();
    let first = desk.chat(&[("user", "card 4111 1111 1111 1111")], &echo()).sent.unwrap();
    let second = desk
        .chat(&[("user", "card 4111 1111 1111 1111"), ("assistant", "ok"), ("user", "again")], &echo())
        .sent
        .unwrap();
    let placeholder = &first[first.find("[CARD-").unwrap()..][..20];
    assert!(second.contains(placeholder), "the provider's prompt cache still hits");
}

//! What is said, in four languages.

use writ_base::SeededRandom;

use super::*;

fn clause() -> ClauseQuote {
    ClauseQuote { id: "health".into(), number: "4.2".into(), title: "Health information".into() }
}

fn voice() -> Voice {
    Voice {
        organisation: "Northwind Health".into(),
        host: Some("https://ai.northwind.example".into()),
        help_desk: Some("4357".into()),
        private_way: true,
        first_use: true,
        recorded: Recorded { no_consequences: true, ..Recorded::default() },
        answer_hours: Some(24),
    }
}

fn discovery(data_type: &str, author: Author) -> Discovery {
    Discovery { data_type: data_type.into(), author }
}

fn traces() -> Traces {
    let text = "Summarise:\nMRN 4451299";
    let mut traces = Traces::default();
    traces.add(discovery("MEDICAL_RECORD_NUMBER", Author::User), text, 15, "4451299");
    traces
}

fn stop(language: Language) -> Stop<'static> {
    Stop {
        interaction: InteractionId::from_bytes([1; 16]),
        kind: RefusalKind::Policy,
        effect: Effect::Block,
        clauses: vec![clause()],
        discoveries: vec![
            discovery("MEDICAL_RECORD_NUMBER", Author::User),
            discovery("HEALTH_CONDITION", Author::User),
        ],
        traces: traces(),
        refused: None,
        why: Some("we have no agreement that obliges its provider to protect it."),
        service: "ChatGPT",
        offers: vec![Offer::Redact, Offer::Redirect("care-copilot".into()), Offer::AskException, Offer::Object],
        names: BTreeMap::from([("care-copilot".into(), "Care Copilot".to_owned())]),
        reference: "7F3K-29".into(),
        token: "0123456789abcdef0123456789abcdef".into(),
        language,
        protected: false,
        typed: Some("Summarise: John Smith, MRN 4451299 <admitted> & treated"),
    }
}

/// Every kind of stop, as rich as it gets and as poor.
fn stops(language: Language) -> Vec<Stop<'static>> {
    let rich = Stop {
        effect: Effect::Justify,
        clauses: vec![clause(), ClauseQuote { number: "5.13".into(), ..clause() }, clause()],
        discoveries: ["PERSON", "DATE_OF_BIRTH", "HEALTH_CONDITION", "API_KEY", "IBAN"]
            .map(|data_type| discovery(data_type, Author::ToolDefinition))
            .into(),
        offers: vec![
            Offer::Redact,
            Offer::Redirect("care-copilot".into()),
            Offer::Redirect("claude".into()),
            Offer::Redirect("gemini".into()),
            Offer::AskException,
            Offer::AskVetting,
            Offer::Object,
        ],
        ..stop(language)
    };
    let poor = |kind, refused| Stop {
        kind,
        refused,
        clauses: Vec::new(),
        discoveries: Vec::new(),
        why: None,
        offers: Vec::new(),
        typed: None,
        ..stop(language)
    };
    vec![
        stop(language),
        rich,
        Stop { protected: true, ..poor(RefusalKind::Policy, None) },
        poor(RefusalKind::Policy, Some(RefuseReason::PersonalAccount)),
        poor(RefusalKind::Policy, Some(RefuseReason::NamesDisagree)),
        poor(RefusalKind::Malformed, None),
        poor(RefusalKind::Unreadable, None),
        poor(RefusalKind::Failed, None),
    ]
}

/// The words of a message as a reader sees them: without addresses and marks.
fn visible(markdown: &str) -> String {
    let mut text = String::new();
    let mut rest = markdown;
    while let Some((before, after)) = rest.split_once("](") {
        text.push_str(before);
        rest = after.split_once(')').map_or("", |(_, behind)| behind);
    }
    text.push_str(rest);
    text.replace(['[', '*'], "")
}

fn count(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count()
}

#[test]
fn a_message_in_each_language() {
    let all: Vec<_> = Language::ALL.iter().map(|language| voice().said(&stop(*language), false).markdown()).collect();
    insta::assert_snapshot!("messages", all.join("\n\n---\n\n"));
}

#[test]
fn a_page_in_each_language() {
    for language in Language::ALL {
        insta::assert_snapshot!(format!("page-{language}"), voice().page(&stop(*language)).html);
    }
}

#[test]
fn notes_and_first_use_in_each_language() {
    let mut all = String::new();
    for language in Language::ALL {
        let why = Some("this tool has not been checked yet, so use it for public information only.");
        let note = voice().note(*language, "ChatGPT", vec![clause()], why, Duration::from_secs(86_400));
        let first = voice().first_use_note(*language, "ChatGPT");
        all.push_str(&format!("{language}\n{}\n\n{first}\n\n", note.text));
    }
    insta::assert_snapshot!("notes", all);
    let page = voice().first_use_page(Language::En, "ChatGPT", "//evil.example/\"><script>");
    insta::assert_snapshot!("first-use", page.html);
}

#[test]
fn messages_are_short() {
    for language in Language::ALL {
        for stop in stops(*language) {
            for on_page in [false, true] {
                let said = voice().said(&stop, on_page);
                let text = visible(&said.markdown());
                let recorded = words(*language).recorded;
                let (before, _) = text.split_once(recorded).unwrap();
                assert!(count(before) <= 160, "{language}: {} words\n{before}", count(before));
                assert!(count(&text) <= 220, "{language}: {} words\n{text}", count(&text));
            }
        }
    }
}

#[test]
fn a_note_has_at_most_sixty_words() {
    let long = "word ".repeat(80);
    for language in Language::ALL {
        for why in [None, Some("it was not checked."), Some(long.as_str())] {
            let note = voice().note(*language, "ChatGPT", vec![clause()], why, Duration::from_secs(86_400));
            assert!(count(&note.text) <= 60, "{language}: {}", note.text);
            assert!(note.text.contains("4.2"), "the rule stays: {}", note.text);
        }
    }
}

/// Words that people must not read about themselves, in any language; and nothing shouts.
#[test]
fn nobody_is_accused_or_praised() {
    const NEVER: [&str; 24] = [
        "violat",
        "forbid",
        "tried",
        "attempt",
        "!",
        "offens",
        "illegal",
        "suspic",
        "verstoß",
        "verstoss",
        "verboten",
        "versucht",
        "verdächtig",
        "infraction",
        "interdit",
        "tenté",
        "violación",
        "prohibid",
        "intentó",
        "well done",
        "severity",
        "anonym",
        "bravo",
        "points",
    ];
    for language in Language::ALL {
        let first = voice().first_use_note(*language, "ChatGPT");
        let note = voice().note(*language, "ChatGPT", vec![clause()], None, Duration::ZERO).text;
        let said = stops(*language).into_iter().map(|stop| voice().said(&stop, true).markdown());
        for text in said.chain([first, note]) {
            let lower = text.to_lowercase();
            for never in NEVER {
                assert!(!lower.contains(never), "{language}: `{never}` in {text}");
            }
        }
    }
}

/// Flesch-Kincaid grade, with syllables counted as groups of vowels.
fn grade(text: &str) -> f64 {
    let sentences = text.split(['.', ':', '?', '\n']).filter(|sentence| count(sentence) > 0).count();
    let words: Vec<&str> = text.split_whitespace().filter(|word| word.chars().any(char::is_alphabetic)).collect();
    let syllables: usize = words
        .iter()
        .map(|word| {
            let word = word.to_lowercase();
            let vowel = |c: char| "aeiouy".contains(c);
            let groups = word.split(|c| !vowel(c)).filter(|group| !group.is_empty()).count();
            let silent = word.ends_with('e') && !word.ends_with("le") && groups > 1;
            groups.saturating_sub(usize::from(silent)).max(1)
        })
        .sum();
    let (words, sentences, syllables) = (words.len() as f64, sentences as f64, syllables as f64);
    0.39 * words / sentences + 11.8 * syllables / words - 15.59
}

#[test]
fn english_reads_at_grade_eight_or_below() {
    let mut texts: Vec<String> =
        stops(Language::En).into_iter().map(|stop| visible(&voice().said(&stop, true).markdown())).collect();
    texts.push(visible(&voice().first_use_note(Language::En, "ChatGPT")));
    for text in texts {
        assert!(grade(&text) <= 8.0, "grade {:.1}: {text}", grade(&text));
    }
}

#[test]
fn what_is_recorded_follows_the_configuration() {
    let said = |recorded, protected| {
        let voice = Voice { recorded, ..voice() };
        voice.said(&Stop { protected, ..stop(Language::En) }, false).recorded
    };
    let nothing = Recorded { two_people: false, told: false, no_consequences: false };
    assert!(!said(nothing, false).contains("two people") && !said(nothing, false).contains("consequences"));
    assert!(said(Recorded::default(), false).contains("and you will be told"));
    assert!(!said(Recorded::default(), false).contains("consequences"));
    assert!(said(Recorded::default(), true).contains("Nothing about you"));
}

/// An offer must lead somewhere: without a host there is no page to choose on.
#[test]
fn without_a_host_only_what_the_person_can_do_alone_is_offered() {
    let voice = Voice { host: None, ..voice() };
    let said = voice.said(&stop(Language::En), false);
    let names: Vec<_> = said.choices.iter().map(|choice| choice.name.as_str()).collect();
    assert_eq!(names, ["Change it yourself"]);
    assert!(!said.markdown().contains("]("));
}

/// Markup in names and reasons of documents does not become markup of ours.
#[test]
fn what_documents_say_is_text() {
    let hostile = "a](https://evil.example) **b** <script>alert(1)</script>\n# c";
    let stop = Stop { why: Some(hostile), service: hostile, typed: Some("</textarea><script>"), ..stop(Language::En) };
    let text = voice().said(&stop, true).markdown();
    assert!(!text.contains("](https://evil") && !text.contains("<script>") && !text.contains("\n# c"), "{text}");
    let html = voice().page(&stop).html;
    assert!(!html.contains("<script>") && html.matches("</textarea>").count() == 1, "{html}");
}

#[test]
fn programs_get_one_line_that_says_what_to_do() {
    let found = vec![discovery("API_KEY", Author::Tool)];
    let clauses = vec![ClauseQuote { id: "credentials".into(), number: "4.6".into(), title: "Credentials".into() }];
    let stop = Stop { discoveries: found, clauses, ..stop(Language::De) };
    let refusal = voice().refuse(&stop, &SecretKey::from_bytes([1; 32]));
    assert_eq!(
        refusal.for_programs,
        "writ: not sent (clause 4.6 Credentials). Found: an access key in the result of a tool. \
         Do not retry; remove it or go on without it. Why and how: https://ai.northwind.example/r/7F3K-29"
    );
    assert_eq!(
        refusal.link.as_deref(),
        Some("https://ai.northwind.example/r/7F3K-29?k=0123456789abcdef0123456789abcdef")
    );
}

#[test]
fn people_read_first_whether_it_was_sent() {
    let mark = SecretKey::from_bytes([1; 32]);
    for language in Language::ALL {
        let refusal = voice().refuse(&stop(*language), &mark);
        let first = words(*language).not_sent;
        assert!(refusal.for_people.starts_with(&format!("**{first}**")));
        assert_eq!(written_by_writ(&mark, &refusal.for_people), Some(refusal.for_people.len()));
        assert_eq!(written_by_writ(&SecretKey::from_bytes([2; 32]), &refusal.for_people), None);
    }
}

/// The end of a number helps a person; a program gets the line, because errors of programs end in logs.
#[test]
fn people_see_the_end_of_a_number_and_programs_its_line() {
    let refusal = voice().refuse(&stop(Language::En), &SecretKey::from_bytes([1; 32]));
    assert!(refusal.for_people.contains("a patient number (····299)"), "{}", refusal.for_people);
    assert!(refusal.for_programs.contains("a patient number (line 2)"), "{}", refusal.for_programs);
    assert!(!refusal.for_programs.contains("299"), "{}", refusal.for_programs);
}

#[test]
fn the_time_of_an_answer_is_said_where_it_is_promised() {
    for (hours, expected) in [
        (None, "or a deputy answers."),
        (Some(1), "answers within one hour."),
        (Some(24), "answers within 24 hours."),
        (Some(72), "answers within 3 days."),
        (Some(100), "answers within 100 hours."),
    ] {
        let said = Voice { answer_hours: hours, ..voice() }.said(&stop(Language::En), false).markdown();
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn an_imitated_mark_is_not_ours() {
    let mark = SecretKey::from_bytes([1; 32]);
    for text in ["[writ 7F3K-29 0123456789abcdef]", "[writ ", "[writ ]", "[writ a]", ""] {
        assert_eq!(written_by_writ(&mark, text), None);
    }
}

#[test]
fn codes_are_short_and_differ() {
    let randomness = SeededRandom::new(4);
    let (a, b) = (reference_code(&randomness), reference_code(&randomness));
    assert_ne!(a, b);
    assert_eq!(a.len(), 7);
}

/// The policy of a page allows its one style sheet.
#[test]
fn the_style_sheet_has_the_hash_that_the_policy_names() {
    use base64::Engine as _;
    use sha2::Digest as _;
    let page = voice().page(&stop(Language::En));
    let style = page.html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style.as_bytes()));
    let (_, policy) = page.headers.iter().find(|(name, _)| name == "content-security-policy").unwrap();
    assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "{policy}");
    assert!(!page.html.contains("style=\"") && !page.html.contains("<script"));
}

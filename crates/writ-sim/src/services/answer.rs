//! What a simulated service says: by directive, about tool results, in the shape that was demanded, or in a short
//! conversational default that uses what was asked.

use serde_json::Value;

use super::directive::{Content, Delivery, Directives, Split, ToolCall};
use super::prompt::Prompt;
use crate::seeded::Generator;

/// Longest default excerpt of what was asked, in characters.
const EXCERPT_CHARACTERS_MAX: usize = 160;
/// Most identifiers and placeholders that a default answer repeats.
const MENTIONS_MAX: usize = 32;
/// Longest token that counts as identifier or placeholder, in bytes.
const MENTION_BYTES_MAX: usize = 96;
/// Deepest level of a JSON schema that an answer follows.
const SCHEMA_DEPTH_MAX: usize = 16;
/// Longest uneven delta, in characters.
const UNEVEN_CHARACTERS_MAX: usize = 7;

/// An answer before a provider's format is put around it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The text of the answer in deltas; empty where the answer consists of tool calls only.
    pub(crate) deltas: Vec<String>,
    pub(crate) tools: Vec<ToolCall>,
    /// Deltas of a reasoning text, where the request asked for one.
    pub(crate) thinking: Vec<String>,
    pub(crate) delivery: Delivery,
}

impl Answer {
    /// The answer to `prompt`: a function of the prompt and the seed.
    pub(crate) fn to(prompt: &Prompt, seed: u64) -> Self {
        let mut generator = Generator::keyed(seed, prompt.last_user.as_bytes());
        let directives = Directives::parse(&prompt.last_user);
        let mut answer = Self::content(prompt, directives, &mut generator);
        if prompt.reasoning {
            let thought = format!("The person asks: {}", excerpt(&prompt.last_user));
            answer.thinking = split(&thought, Split::Uneven, &mut generator);
        }
        answer
    }

    fn content(prompt: &Prompt, directives: Directives, generator: &mut Generator) -> Self {
        let Directives { content, tools, delivery } = directives;
        if !prompt.tool_results.is_empty() {
            let text = format!("tool said: {}", prompt.tool_results.join(" | "));
            return Self { deltas: split(&text, Split::Uneven, generator), tools: vec![], thinking: vec![], delivery };
        }
        let deltas = match content {
            Some(Content::Text { text, split: size }) => split(&text, size, generator),
            Some(Content::Long { events }) => long(events),
            None if !tools.is_empty() => Vec::new(),
            None => split(&default_text(prompt, generator), Split::Uneven, generator),
        };
        Self { deltas, tools, thinking: Vec::new(), delivery }
    }

    pub(crate) fn text(&self) -> String {
        self.deltas.concat()
    }

    pub(crate) fn thinking_text(&self) -> String {
        self.thinking.concat()
    }

    /// A stand-in for the provider's token count: a token per four bytes of all that was said.
    pub(crate) fn tokens(&self) -> usize {
        let said: usize = self.deltas.iter().map(String::len).sum();
        let called: usize = self.tools.iter().map(|tool| tool.name.len() + tool.arguments.len()).sum();
        (said + called).div_ceil(4) + self.thinking_tokens()
    }

    pub(crate) fn thinking_tokens(&self) -> usize {
        self.thinking.iter().map(String::len).sum::<usize>().div_ceil(4)
    }
}

/// Cuts `text` into deltas at character boundaries.
pub(crate) fn split(text: &str, size: Split, generator: &mut Generator) -> Vec<String> {
    let mut deltas = Vec::new();
    let mut characters = text.chars().peekable();
    while characters.peek().is_some() {
        let length = match size {
            Split::Uneven => 1 + generator.below(UNEVEN_CHARACTERS_MAX),
            Split::Characters(length) => length,
        };
        deltas.push(characters.by_ref().take(length).collect());
    }
    deltas
}

fn long(events: usize) -> Vec<String> {
    (1..=events).map(|event| format!("This is part {event} of {events}. ")).collect()
}

fn default_text(prompt: &Prompt, generator: &mut Generator) -> String {
    let prose = conversational(&prompt.last_user, generator);
    match &prompt.structure {
        None => prose,
        Some(schema) => instance(schema, &prose, SCHEMA_DEPTH_MAX).to_string(),
    }
}

/// A short answer that uses what was asked: its subject, and every placeholder and identifier in it.
fn conversational(asked: &str, generator: &mut Generator) -> String {
    let lower = asked.to_lowercase();
    let holds = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let mentions = mentions(asked);
    let mut text = if holds(&["draft", "write", "reply", "letter", "e-mail to", "email to"]) {
        draft(asked, &mentions)
    } else if holds(&["summar", "in short", "tl;dr"]) {
        format!("In short: {}", excerpt(asked.split_once(':').map_or(asked, |(_, content)| content)))
    } else if holds(&["function", "fn ", "def ", "class ", "code", "refactor", "query"]) {
        format!("The code looks sound. I would name its parts after what they do and add a test for {}.", topic(asked))
    } else {
        let opening = generator.pick(&["Here is what matters about", "A few words about", "Let us look at"], "About");
        format!("{opening} {}: start with the facts, then decide, then write down why.", topic(asked))
    };
    let missing: Vec<&str> = mentions.into_iter().filter(|mention| !text.contains(mention)).collect();
    if !missing.is_empty() {
        let pronoun = if missing.len() == 1 { "it" } else { "them" };
        text.push_str(&format!(" I kept {} exactly as you wrote {pronoun}.", listed(&missing)));
    }
    let closings = ["Shall I go on?", "Tell me if you want more detail.", "I hope this helps."];
    let gap = if text.ends_with('\n') { "" } else { " " };
    format!("{text}{gap}{}", generator.pick(&closings, ""))
}

fn draft(asked: &str, mentions: &[&str]) -> String {
    let (addressee, others) = mentions.split_first().map_or(("colleague", mentions), |(first, rest)| (*first, rest));
    let reference = if others.is_empty() { String::new() } else { format!(" (reference {})", listed(others)) };
    format!(
        "Here is a draft.\n\nDear {addressee},\n\nthank you for your patience. This is about {}{reference}. \
         We looked into it and will come back to you by Friday.\n\nKind regards\n\n",
        topic(asked)
    )
}

/// The first words of `asked` that carry meaning.
fn topic(asked: &str) -> String {
    const COMMON: [&str; 24] = [
        "please",
        "about",
        "which",
        "their",
        "there",
        "would",
        "could",
        "should",
        "summarise",
        "summarize",
        "write",
        "draft",
        "reply",
        "explain",
        "these",
        "those",
        "where",
        "between",
        "following",
        "letter",
        "email",
        "friendly",
        "short",
        "after",
    ];
    let mut words: Vec<&str> = Vec::new();
    for word in asked.split(|character: char| !character.is_alphabetic()) {
        let common = COMMON.iter().any(|common| word.eq_ignore_ascii_case(common));
        let shouted = word.chars().all(char::is_uppercase);
        if word.chars().count() >= 5 && !common && !shouted && !words.contains(&word) {
            words.push(word);
        }
    }
    words.truncate(3);
    if words.is_empty() { "your question".to_owned() } else { words.join(" ") }
}

fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(EXCERPT_CHARACTERS_MAX).collect();
    if cut.len() < line.len() { format!("{cut} …") } else { cut }
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The placeholders of `text` (in `[[ ]]`, `[ ]`, `{{ }}`, `< >` or `⟦ ⟧`) and its identifiers (words with letters
/// and digits, such as `INV-2031`), each once, in order.
fn mentions(text: &str) -> Vec<&str> {
    const BRACKETS: [(&str, &str); 5] = [("[[", "]]"), ("⟦", "⟧"), ("{{", "}}"), ("[", "]"), ("<", ">")];
    let mut found: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let bracketed = BRACKETS.iter().find_map(|(open, close)| bracketed(rest, open, close));
        let length = bracketed.or_else(|| identifier(rest));
        let taken = length.unwrap_or_else(|| skipped(rest, first));
        let (token, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        if length.is_some() && !found.contains(&token) && found.len() < MENTIONS_MAX {
            found.push(token);
        }
        rest = after;
    }
    found
}

/// Bytes of the placeholder at the start of `text`.
fn bracketed(text: &str, open: &str, close: &str) -> Option<usize> {
    let inner = text.strip_prefix(open)?;
    let length = inner.find(close).filter(|length| *length <= MENTION_BYTES_MAX)?;
    let name = inner.get(..length)?;
    let allowed = name.chars().all(|character| character.is_alphanumeric() || "-_.:#/·".contains(character));
    let telling = name.chars().any(|character| character.is_uppercase() || character.is_ascii_digit());
    let starts = name.chars().next().is_some_and(char::is_alphabetic);
    (allowed && telling && starts).then_some(open.len() + length + close.len())
}

/// Bytes of the identifier at the start of `text`: a word of at least five characters with a letter and a digit.
fn identifier(text: &str) -> Option<usize> {
    let length = word_bytes(text);
    let word = text.get(..length)?.trim_end_matches(['-', '_']);
    let telling = word.chars().any(|character| character.is_ascii_digit())
        && word.chars().any(|character| character.is_ascii_alphabetic());
    (telling && (5..=MENTION_BYTES_MAX).contains(&word.len())).then_some(word.len())
}

fn word_bytes(text: &str) -> usize {
    text.find(|character: char| !character.is_alphanumeric() && !"-_".contains(character)).unwrap_or(text.len())
}

/// Bytes to go on by where nothing was found: a whole word, or one character.
fn skipped(text: &str, first: char) -> usize {
    word_bytes(text).max(first.len_utf8())
}

/// A document that a JSON schema allows, with `text` in its strings. Covers what structured outputs of the services
/// allow: objects, arrays, enumerations, unions and local references are followed by their first choice.
fn instance(schema: &Value, text: &str, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    if let Some(first) = schema.get("enum").and_then(|values| values.get(0)).or_else(|| schema.get("const")) {
        return first.clone();
    }
    if let Some(first) = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.get(0)) {
        return instance(first, text, depth - 1);
    }
    let kind = schema.get("type").map(|kind| kind.get(0).unwrap_or(kind));
    match kind.and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref() {
        Some("string") => Value::from(text),
        Some("integer" | "number") => Value::from(1),
        Some("boolean") => Value::from(true),
        Some("null") => Value::Null,
        Some("array") => schema.get("items").map(|items| instance(items, text, depth - 1)).into_iter().collect(),
        _ => match schema.get("properties").and_then(Value::as_object) {
            Some(properties) => {
                let members = properties.iter().map(|(key, value)| (key.clone(), instance(value, text, depth - 1)));
                Value::Object(members.collect())
            }
            None => serde_json::json!({ "answer": text }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(last_user: &str) -> Prompt {
        Prompt { last_user: last_user.to_owned(), ..Prompt::default() }
    }

    #[test]
    fn mentions_are_placeholders_and_identifiers() {
        let text = "Card [CARD-7F3A] of [[name:9]] and [CARD-7F3A], order INV-2031, {{MRN_4}} <EMAIL_1> ⟦SSN·2⟧ [see above] a[0]";
        let expected = ["[CARD-7F3A]", "[[name:9]]", "INV-2031", "{{MRN_4}}", "<EMAIL_1>", "⟦SSN·2⟧"];
        assert_eq!(mentions(text), expected);
    }

    #[test]
    fn the_default_answer_uses_what_was_asked_and_is_deterministic() {
        for text in ["Write a letter to [NAME-1] about invoice INV-2031 [CARD-2]", "summarise: [MRN-7] came in", "why?"]
        {
            let first = Answer::to(&prompt(text), 1).text();
            assert_eq!(first, Answer::to(&prompt(text), 1).text());
            for mention in mentions(text) {
                assert!(first.contains(mention), "{mention} in {first}");
            }
        }
    }

    #[test]
    fn tool_results_are_told() {
        let asked = Prompt { tool_results: vec!["42".into(), "43".into()], ..prompt("sim:slow=3 sim:tool=x {}") };
        let answer = Answer::to(&asked, 1);
        assert_eq!((answer.text().as_str(), answer.tools.len()), ("tool said: 42 | 43", 0));
        assert_eq!(answer.delivery.delay_ms, 3);
    }

    #[test]
    fn deltas_are_the_text() {
        let mut generator = Generator::new(1);
        for text in ["", "a", "Zürich – 東京 🙂 and more text"] {
            assert_eq!(split(text, Split::Uneven, &mut generator).concat(), text);
            assert!(split(text, Split::Characters(2), &mut generator).iter().all(|delta| delta.chars().count() <= 2));
        }
        assert_eq!(long(3).len(), 3);
    }

    #[test]
    fn structured_answers_follow_their_schema() {
        let schema = serde_json::json!({"type": "object", "properties": {
            "name": {"type": "string"}, "count": {"type": ["integer", "null"]},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}}}});
        assert_eq!(instance(&schema, "t", 9), serde_json::json!({"name": "t", "count": 1, "tags": ["a"]}));
        assert_eq!(instance(&serde_json::json!({}), "t", 9), serde_json::json!({"answer": "t"}));
    }
}

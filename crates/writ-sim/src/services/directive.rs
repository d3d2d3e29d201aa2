//! Directives: words in the last user text that tell a simulated service how to answer.
//!
//! The first word that starts with `sim:` begins the directives; they may stand one after the other, separated by
//! white space, and end with a directive that takes the rest of the text, or with the first other word.
//!
//! | directive | what the service does |
//! |---|---|
//! | `sim:echo TEXT` | answers with TEXT (all that follows, unchanged) in small uneven deltas |
//! | `sim:echo-split=K TEXT` | the same in deltas of K characters |
//! | `sim:say TEXT` | answers with TEXT without the white space around it |
//! | `sim:long=N` | answers with N text deltas, at most [`EVENTS_MAX`] |
//! | `sim:tool=NAME {ARGUMENTS}` | calls the tool NAME with these JSON arguments; several make parallel calls; a `sim:say` after them is the text before the calls |
//! | `sim:status=CODE` | answers with this status (400 to 599) and an error in the provider's shape |
//! | `sim:error` | ends the stream in the middle with the provider's error event; a plain answer becomes an error 500 |
//! | `sim:reset` | closes the connection instead of answering |
//! | `sim:drop` | closes the connection in the middle of the answer |
//! | `sim:garbage` | breaks one event, or cuts the JSON document short |
//! | `sim:first=MS` | waits this long before the head of the answer (at most [`DELAY_MS_MAX`]) |
//! | `sim:slow=MS` | waits this long before each event (at most [`DELAY_MS_MAX`]) |
//! | `sim:chop=K` | cuts the answer into transport chunks of K bytes, whatever the events are |
//! | `sim:gzip`, `sim:deflate`, `sim:br`, `sim:zstd` | compresses the answer, flushed after each event |
//!
//! Where tool results follow the last user text, the answer is `tool said: …` with the results, and only the
//! directives about delivery (from `sim:status` down in the table) hold.

use serde_json::value::RawValue;

use super::encoding::Encoding;

/// Most text deltas of `sim:long`.
pub const EVENTS_MAX: usize = 200_000;
/// Longest delay per event of `sim:slow`, in milliseconds.
pub const DELAY_MS_MAX: u64 = 60_000;
/// Most tool calls in one answer.
pub const TOOL_CALLS_MAX: usize = 64;

const MARK: &str = "sim:";

/// What the directives of one text ask for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Directives {
    pub(crate) content: Option<Content>,
    pub(crate) tools: Vec<ToolCall>,
    pub(crate) delivery: Delivery,
}

/// The text that is asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Content {
    Text { text: String, split: Split },
    Long { events: usize },
}

/// How an answer is cut into deltas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    Uneven,
    Characters(usize),
}

/// A tool call that the answer contains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ToolCall {
    pub(crate) name: String,
    /// A JSON object, in the spelling of the directive.
    pub(crate) arguments: String,
}

/// How the answer travels, and what goes wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) status: Option<u16>,
    pub(crate) fault: Option<Fault>,
    pub(crate) first_ms: u64,
    pub(crate) delay_ms: u64,
    pub(crate) chop_bytes: Option<usize>,
    pub(crate) encoding: Option<Encoding>,
}

/// What goes wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    ErrorEvent,
    Reset,
    Drop,
    Garbage,
}

impl Directives {
    /// Reads the directives of `text`; a text without any asks for nothing.
    pub(crate) fn parse(text: &str) -> Self {
        let mut directives = Self::default();
        let mut rest = directives_start(text);
        while let Some(word) = first_word(rest).filter(|word| word.starts_with(MARK)) {
            let after = rest.get(word.len()..).unwrap_or_default();
            match directives.take(word.get(MARK.len()..).unwrap_or_default(), after) {
                Some(next) => rest = next.trim_start(),
                None => break,
            }
        }
        directives
    }

    /// Takes one directive in; gives the text behind it, or nothing where directives end.
    fn take<'a>(&mut self, directive: &str, after: &'a str) -> Option<&'a str> {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        let number = value.parse::<usize>().ok();
        let delivery = &mut self.delivery;
        match (name, number) {
            ("echo", _) => return self.text(skip_one_space(after), Split::Uneven),
            ("echo-split", Some(size)) => return self.text(skip_one_space(after), Split::Characters(size.max(1))),
            ("say", _) => return self.text(after.trim(), Split::Uneven),
            ("long", Some(events)) => self.content = Some(Content::Long { events: events.min(EVENTS_MAX) }),
            ("tool", _) if !value.is_empty() => return self.tool(value, after),
            ("status", Some(code @ 400..=599)) => delivery.status = u16::try_from(code).ok(),
            ("first", Some(delay)) => delivery.first_ms = milliseconds(delay),
            ("slow", Some(delay)) => delivery.delay_ms = milliseconds(delay),
            ("chop", Some(size)) => delivery.chop_bytes = Some(size.max(1)),
            ("error", _) => delivery.fault = Some(Fault::ErrorEvent),
            ("reset", _) => delivery.fault = Some(Fault::Reset),
            ("drop", _) => delivery.fault = Some(Fault::Drop),
            ("garbage", _) => delivery.fault = Some(Fault::Garbage),
            (coding, _) => delivery.encoding = Some(Encoding::named(coding)?),
        }
        Some(after)
    }

    fn text(&mut self, text: &str, split: Split) -> Option<&'static str> {
        self.content = Some(Content::Text { text: text.to_owned(), split });
        None
    }

    fn tool<'a>(&mut self, name: &str, after: &'a str) -> Option<&'a str> {
        let (arguments, rest) = leading_object(after).unwrap_or(("{}", after));
        if self.tools.len() < TOOL_CALLS_MAX {
            self.tools.push(ToolCall { name: name.to_owned(), arguments: arguments.to_owned() });
        }
        Some(rest)
    }
}

/// The text from the first directive on; empty where there is none.
fn directives_start(text: &str) -> &str {
    text.match_indices(MARK)
        .find(|(at, _)| {
            text.get(..*at).is_some_and(|before| before.chars().next_back().is_none_or(char::is_whitespace))
        })
        .and_then(|(at, _)| text.get(at..))
        .unwrap_or_default()
}

fn milliseconds(delay: usize) -> u64 {
    u64::try_from(delay).unwrap_or(u64::MAX).min(DELAY_MS_MAX)
}

fn first_word(text: &str) -> Option<&str> {
    text.split(char::is_whitespace).next().filter(|word| !word.is_empty())
}

fn skip_one_space(text: &str) -> &str {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if first.is_whitespace() => characters.as_str(),
        _ => text,
    }
}

/// The JSON object at the start of `text`, in its own spelling, and what follows it.
fn leading_object(text: &str) -> Option<(&str, &str)> {
    let trimmed = text.trim_start();
    if !trimmed.starts_with('{') {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(trimmed).into_iter::<&RawValue>();
    let object = values.next()?.ok()?.get();
    Some((object, trimmed.get(values.byte_offset()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, split: Split) -> Option<Content> {
        Some(Content::Text { text: text.to_owned(), split })
    }

    #[test]
    fn a_text_without_directives_asks_for_nothing() {
        for plain in ["", "hello", "a ratio of sim:unknown things", "notsim:echo x", "sim:status=200", "sim:long=many"]
        {
            assert_eq!(Directives::parse(plain), Directives::default(), "{plain}");
        }
    }

    #[test]
    fn echo_takes_the_rest_unchanged() {
        assert_eq!(Directives::parse("sim:echo  a sim:drop\n b ").content, text(" a sim:drop\n b ", Split::Uneven));
        assert_eq!(Directives::parse("please sim:echo-split=3 x").content, text("x", Split::Characters(3)));
        assert_eq!(Directives::parse("sim:say  x ").content, text("x", Split::Uneven));
        assert_eq!(Directives::parse("sim:echo").content, text("", Split::Uneven));
    }

    #[test]
    fn directives_combine() {
        let directives =
            Directives::parse("sim:slow=5 sim:gzip\nsim:chop=1 sim:drop sim:long=7 sim:status=429 and more");
        assert_eq!(directives.content, Some(Content::Long { events: 7 }));
        assert_eq!(
            directives.delivery,
            Delivery {
                status: Some(429),
                fault: Some(Fault::Drop),
                first_ms: 0,
                delay_ms: 5,
                chop_bytes: Some(1),
                encoding: Some(Encoding::Gzip)
            }
        );
    }

    #[test]
    fn tools_keep_the_spelling_of_their_arguments() {
        let directives = Directives::parse("sim:tool=a {\"z\": 1, \"a\": {\"b\": \"}\"}} sim:tool=b sim:say I look.");
        let call = |name: &str, arguments: &str| ToolCall { name: name.into(), arguments: arguments.into() };
        assert_eq!(directives.tools, [call("a", "{\"z\": 1, \"a\": {\"b\": \"}\"}}"), call("b", "{}")]);
        assert_eq!(directives.content, text("I look.", Split::Uneven));
    }

    #[test]
    fn limits_hold() {
        assert_eq!(Directives::parse("sim:long=999999999").content, Some(Content::Long { events: EVENTS_MAX }));
        assert_eq!(Directives::parse("sim:slow=999999999").delivery.delay_ms, DELAY_MS_MAX);
        assert_eq!(Directives::parse(&"sim:tool=x ".repeat(200)).tools.len(), TOOL_CALLS_MAX);
    }
}

//! Values of records in the words of whoever reads them. Facts, never labels: "Stopped", not "violation".

use std::time::Duration;

use writ_base::Moment;
use writ_model::Effect;

/// What happened, in two or three words.
pub(crate) const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "Sent",
        Effect::Coach => "Sent with a note",
        Effect::Justify => "Asked for a reason",
        Effect::Block => "Stopped",
    }
}

/// What happened, with redaction.
pub(crate) const fn outcome(effect: Effect, redacted: bool) -> (&'static str, &'static str) {
    match (effect, redacted) {
        (Effect::Allow | Effect::Coach, true) => ("redact", "Sent without details"),
        (effect, _) => (effect.as_str(), self::effect(effect)),
    }
}

/// The effect with this word.
pub(crate) fn effect_named(word: &str) -> Option<Effect> {
    Effect::ALL.iter().copied().find(|effect| effect.as_str() == word)
}

/// How an interaction ended.
pub(crate) fn ending(word: &str) -> &'static str {
    match word {
        "delivered" => "the answer was delivered whole",
        "refused" => "nothing left",
        "cut" => "the answer was stopped on the way",
        "upstream-failed" => "the AI service could not be reached or failed",
        "client-gone" => "the client went away",
        "failed" => "the check itself failed; nothing more was let through",
        "interrupted" => "Writ stopped before the end was written",
        "notice" => "the first-use notice was shown; nothing left",
        "" => "still under way",
        _ => "another end",
    }
}

/// What people call a class of data.
pub(crate) fn class(id: &str) -> String {
    match id {
        "plain" => "Nothing special".to_owned(),
        "any" => "Any data".to_owned(),
        class => sentence(&writ_model::class::said(class)),
    }
}

/// Who acted.
pub(crate) fn who(word: &str) -> &'static str {
    match word {
        "employee" => "an employee",
        "contractor" => "a contractor",
        "vendor" => "a person of a supplier",
        "service-account" => "a program",
        "agent" => "an AI agent",
        _ => "somebody unknown",
    }
}

/// How sure Writ was of who acted.
pub(crate) fn identity(word: &str) -> &'static str {
    match word {
        "strong" => "certain: a certificate, or a session bound to the device",
        "password" => "sure: a password or the API key of one person",
        "address" => "likely: the network address belonged to the person then",
        "shared" => "not sure: several people use this key or address",
        _ => "unknown: no evidence",
    }
}

/// What was done.
pub(crate) fn action(word: &str) -> &'static str {
    match word {
        "submit" => "A prompt was sent",
        "upload" => "A file was sent",
        "tool-call" => "An agent called a tool",
        "receive" => "An answer came back",
        "tool-result" => "A tool's result came back",
        "sign-in" => "Somebody signed in",
        "tunnel" => "A connection that is not inspected",
        "merge" => "AI-generated code entered a protected branch",
        _ => "Something else",
    }
}

/// The kind of account at the AI service.
pub(crate) fn account(word: &str) -> &'static str {
    match word {
        "corporate" => "the organisation's",
        "personal" => "the person's own",
        "logged-out" => "none",
        _ => "unknown",
    }
}

/// The kind of client.
pub(crate) fn channel(word: &str) -> &'static str {
    match word {
        "browser" => "a web browser",
        "desktop" => "a desktop application",
        "ide" => "a code editor",
        "cli" => "the command line",
        "api" => "a program",
        "agent" => "an AI agent",
        _ => "the network",
    }
}

/// How many distinct values.
pub(crate) fn band(word: &str) -> &'static str {
    match word {
        "one" => "a single value",
        "few" => "a few values",
        "bulk" => "many values",
        _ => "an unknown number",
    }
}

/// Why content was not read.
pub(crate) fn unread(word: &str) -> &'static str {
    match word {
        "protected-person" => "A protected person: decided by service and account only",
        "personal-account" => "A personal account: its content is not read here",
        "tunnel" => "A connection that is passed through unread",
        _ => "It was not read",
    }
}

/// The first letter in upper case.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let text: String = chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect());
    text.replace(" api", " API")
}

/// `22 Nov 2026, 09:30` (UTC).
pub(crate) fn time(moment: Moment) -> String {
    let (hour, minute) = clock(moment);
    format!("{}, {hour:02}:{minute:02}", day(moment))
}

/// `22 Nov 2026`.
pub(crate) fn day(moment: Moment) -> String {
    let (year, month, day) = moment.date();
    format!("{day} {} {year}", month_name(month))
}

/// `22 Nov`.
pub(crate) fn short_day(moment: Moment) -> String {
    let (_, month, day) = moment.date();
    format!("{day} {}", month_name(month))
}

/// `09:30`.
pub(crate) fn hour(moment: Moment) -> String {
    let (hour, minute) = clock(moment);
    format!("{hour:02}:{minute:02}")
}

/// `09:30:05`.
pub(crate) fn second(moment: Moment) -> String {
    format!("{}:{:02}", hour(moment), moment.seconds().rem_euclid(60))
}

/// `2026-11-22T09:30:00Z`, for machines.
pub(crate) fn machine(moment: Moment) -> String {
    moment.to_string()
}

/// `November 2026`.
pub(crate) fn month(moment: Moment) -> String {
    let (year, month, _) = moment.date();
    let names = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    format!("{} {year}", pick(&names, month))
}

fn month_name(month: u32) -> &'static str {
    pick(&["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], month)
}

fn pick(names: &[&'static str], month: u32) -> &'static str {
    usize::try_from(month.saturating_sub(1)).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
}

fn clock(moment: Moment) -> (i64, i64) {
    let second = moment.seconds().rem_euclid(86_400);
    (second / 3600, second / 60 % 60)
}

/// `in 3 hours`, `2 days ago`, `now`.
pub(crate) fn relative(moment: Moment, now: Moment) -> String {
    let said = |length: Duration| match length.as_secs() {
        0..60 => None,
        seconds @ 60..3600 => Some((seconds / 60, "minute")),
        seconds @ 3600..86_400 => Some((seconds / 3600, "hour")),
        seconds => Some((seconds / 86_400, "day")),
    };
    let plural = |(count, unit): (u64, &str)| if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") };
    if moment >= now {
        said(moment.since(now)).map_or_else(|| "now".into(), |it| format!("in {}", plural(it)))
    } else {
        said(now.since(moment)).map_or_else(|| "just now".into(), |it| format!("{} ago", plural(it)))
    }
}

/// `12 KB`.
pub(crate) fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} B"),
        1024..1_048_576 => format!("{} KB", count.div_ceil(1024)),
        _ => format!("{} MB", count.div_ceil(1_048_576)),
    }
}

/// `0.42 ms` from microseconds.
pub(crate) fn micros(micros: u64) -> String {
    let micros = u32::try_from(micros).unwrap_or(u32::MAX);
    if micros < 1000 {
        format!("{micros} µs")
    } else {
        format!("{} ms", crate::charts::short_number(f64::from(micros) / 1000.0))
    }
}

/// `12.5 %`, or `none` of nothing.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "none".into();
    }
    let tenths = u64::try_from(u128::from(part) * 1000 / u128::from(whole)).unwrap_or(1000);
    if tenths == 0 && part > 0 { "< 0.1 %".into() } else { format!("{}.{} %", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said() {
        let now = Moment::parse("2026-11-22T09:30:05Z").unwrap();
        assert_eq!(time(now), "22 Nov 2026, 09:30");
        assert_eq!([second(now), month(now), short_day(now)], ["09:30:05", "November 2026", "22 Nov"]);
        assert_eq!(relative(now.after(Duration::from_secs(7300)), now), "in 2 hours");
        assert_eq!(relative(now, now.after(Duration::from_secs(60))), "1 minute ago");
        assert_eq!(relative(now, now), "now");
    }

    #[test]
    fn shares_are_said() {
        assert_eq!([share(0, 0), share(1, 8), share(1, 100_000)], ["none", "12.5 %", "< 0.1 %"]);
        assert_eq!([micros(420), micros(1500)], ["420 µs", "1.5 ms"]);
        assert_eq!(class("own-thing"), "Own thing");
    }
}

//! Judges one place: form, boundary, validator, context, placeholder.

use std::ops::Range;

use writ_model::Certainty;
use writ_model::finding::Evidence;

use crate::automaton::{Peek, Run, View};
use crate::context::is_word;
use crate::limits;
use crate::pack::{Detector, Inner};
use crate::redact::{PLACEHOLDER_BYTES, is_placeholder};
use crate::resolve::Candidate;
use crate::scanner::{digest, evidence, marks_only};
use crate::spec::{Boundary, Claim, Normal, Trigger};
use crate::validate::{Check, Site};

/// What a detector says about a place.
pub(crate) enum Verdict {
    /// No finding.
    Nothing,
    /// More text is needed; no finding begins before `earliest`.
    Pending { earliest: usize },
    /// A health word.
    HealthWord(Range<usize>),
    /// A candidate.
    Found(Candidate),
}

/// Missing text.
struct Missing;

/// Judges the place where a keyword of a detector begins (`start` counts in the stream).
pub(crate) fn keyword(
    inner: &Inner,
    detector: &Detector,
    owner: usize,
    key: &[u8; 32],
    view: &View<'_>,
    start: usize,
    length: usize,
) -> Verdict {
    let at = start - view.base;
    let before = view.before(at, 1);
    let starts_word = view.bytes.get(at).copied().is_some_and(is_word);
    if detector.spec.boundary == Boundary::Word
        && starts_word
        && before.is_some_and(|byte| is_word(byte) || byte == b'_')
    {
        return Verdict::Nothing;
    }
    let written = view.slice(at, at + length);
    if detector.spec.exact_case && !detector.spec.keywords.iter().any(|keyword| keyword.as_bytes() == written) {
        return Verdict::Nothing;
    }
    if marks_only(detector.spec.trigger) {
        return health_word(view, start, length);
    }
    // The type in a placeholder labels nothing.
    let labels = detector.lead.is_some() && written.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    match if labels { in_placeholder(view, at, at + length) } else { Ok(false) } {
        Ok(false) => {}
        Ok(true) => return Verdict::Nothing,
        Err(Missing) => return Verdict::Pending { earliest: start },
    }
    let (earliest, judged) = match detector.spec.trigger {
        Trigger::Email => (start - email_reach(view, at), email(inner, detector, owner, key, view, at)),
        Trigger::Armour => (start, armour(inner, detector, owner, key, view, at)),
        _ if detector.lead.is_some() => (start + length, after_lead(inner, detector, owner, key, view, at + length)),
        _ => (start, value(inner, detector, owner, key, view, at)),
    };
    match judged {
        Err(Missing) => Verdict::Pending { earliest },
        Ok(None) => Verdict::Nothing,
        Ok(Some(candidate)) => Verdict::Found(candidate),
    }
}

/// Judges a group of digits with all detectors of numbers.
pub(crate) fn number(
    inner: &Inner,
    key: &[u8; 32],
    view: &View<'_>,
    start: usize,
    add: &mut dyn FnMut(Candidate),
) -> Verdict {
    let at = start - view.base;
    let [one, two] = [1, 2].map(|by| view.before(at, by));
    let letters = matches!((one, two), (Some(a), Some(b)) if a.is_ascii_alphabetic() && b.is_ascii_alphabetic());
    if one.is_some_and(|byte| is_word(byte) || byte == b'_') && !letters {
        return Verdict::Nothing;
    }
    let fronts: &[usize] = match (two, one) {
        _ if letters => &[2],
        (Some(b'+' | b'('), Some(b'+' | b'(')) => &[2, 1, 0],
        (_, Some(b'+' | b'(')) => &[1, 0],
        _ => &[0],
    };
    let front = fronts.first().copied().unwrap_or(0);
    let mut found = Vec::new();
    for back in fronts {
        let from = at - back;
        if !number_may_start(view, from) {
            continue;
        }
        let mut ends: Vec<(usize, usize)> = Vec::new();
        let complete =
            inner.numbers.walk(view, from, |pattern, end| match ends.iter_mut().find(|(known, _)| *known == pattern) {
                Some((_, longest)) => *longest = end,
                None => ends.push((pattern, end)),
            });
        if !complete {
            return Verdict::Pending { earliest: start - front };
        }
        for (pattern, end) in ends {
            let Some(owner) = inner.number_detectors.get(pattern).copied() else { continue };
            let Some(detector) = inner.detectors.get(owner) else { continue };
            match claim(inner, detector, owner, key, view, from, end) {
                Err(Missing) => return Verdict::Pending { earliest: start - front },
                Ok(candidate) => found.extend(candidate),
            }
        }
    }
    found.into_iter().for_each(add);
    Verdict::Nothing
}

/// Judges a word of a definition: it must stand alone.
pub(crate) fn defined_word(
    inner: &Inner,
    class: usize,
    key: &[u8; 32],
    view: &View<'_>,
    start: usize,
    length: usize,
) -> Verdict {
    let at = start - view.base;
    let word_at = |at: usize| view.bytes.get(at).copied().is_some_and(is_word);
    if word_at(at) && view.before(at, 1).is_some_and(is_word) {
        return Verdict::Nothing;
    }
    if word_at(at + length - 1) {
        match view.peek(at + length) {
            Peek::Pending => return Verdict::Pending { earliest: start },
            Peek::Byte(byte) if is_word(byte) => return Verdict::Nothing,
            _ => {}
        }
    }
    match in_placeholder(view, at, at + length) {
        Err(Missing) => Verdict::Pending { earliest: start },
        Ok(true) => Verdict::Nothing,
        Ok(false) => match defined(inner, class, key, view, at, at + length) {
            Some(candidate) => Verdict::Found(candidate),
            None => Verdict::Nothing,
        },
    }
}

/// A hit of an expression of a definition, widened to whole characters.
pub(crate) fn expression(
    inner: &Inner,
    class: usize,
    key: &[u8; 32],
    view: &View<'_>,
    start: usize,
    end: usize,
) -> Option<Candidate> {
    let (start, end) = widen(view, start, end);
    match in_placeholder(view, start, end) {
        Ok(true) | Err(Missing) => None,
        Ok(false) => defined(inner, class, key, view, start, end),
    }
}

fn defined(
    inner: &Inner,
    class: usize,
    key: &[u8; 32],
    view: &View<'_>,
    start: usize,
    end: usize,
) -> Option<Candidate> {
    let text = view.slice(start, end);
    if inner.harmless.covers(text) {
        return None;
    }
    Some(Candidate {
        start: view.base + start,
        end: view.base + end,
        rank: 2,
        certainty: Certainty::Certain,
        evidence: evidence(&[Evidence::Dictionary]),
        owner: class,
        value: digest(key, &normal(Normal::Lower, text)),
        identifier: false,
    })
}

/// The longest prefix that does not end inside a character.
pub(crate) fn whole_characters(text: &[u8]) -> &[u8] {
    match std::str::from_utf8(text) {
        Ok(_) => text,
        Err(error) if error.valid_up_to() > 0 => text.get(..error.valid_up_to()).unwrap_or(text),
        Err(_) => text,
    }
}

fn health_word(view: &View<'_>, start: usize, length: usize) -> Verdict {
    match view.peek(start - view.base + length) {
        Peek::Pending => Verdict::Pending { earliest: start },
        Peek::Byte(byte) if is_word(byte) => Verdict::Nothing,
        _ => Verdict::HealthWord(start..start + length),
    }
}

fn after_lead(
    inner: &Inner,
    detector: &Detector,
    owner: usize,
    key: &[u8; 32],
    view: &View<'_>,
    at: usize,
) -> Result<Option<Candidate>, Missing> {
    let Some(lead) = &detector.lead else { return Ok(None) };
    match lead.longest(view, at) {
        Run::None => Ok(None),
        Run::Pending => Err(Missing),
        Run::End(from) => value(inner, detector, owner, key, view, from),
    }
}

fn value(
    inner: &Inner,
    detector: &Detector,
    owner: usize,
    key: &[u8; 32],
    view: &View<'_>,
    from: usize,
) -> Result<Option<Candidate>, Missing> {
    let Some(pattern) = &detector.pattern else { return Ok(None) };
    match pattern.longest(view, from) {
        Run::None => Ok(None),
        Run::Pending => Err(Missing),
        Run::End(end) => claim(inner, detector, owner, key, view, from, end),
    }
}

/// Judges a value whose form fits.
fn claim(
    inner: &Inner,
    detector: &Detector,
    owner: usize,
    key: &[u8; 32],
    view: &View<'_>,
    start: usize,
    end: usize,
) -> Result<Option<Candidate>, Missing> {
    let spec = &detector.spec;
    let (check, end) = match detector.validator {
        Some(validator) => validator(&Site { view, start, end }),
        None => (Check::Fits, end),
    };
    let (start, end) = widen(view, start, end);
    if check == Check::Never
        || end <= start
        || !ends_here(detector, view, start, end)?
        || in_placeholder(view, start, end)?
    {
        return Ok(None);
    }
    if let Some(after) = &detector.after {
        match after.longest(view, end) {
            Run::None => return Ok(None),
            Run::Pending => return Err(Missing),
            Run::End(_) => {}
        }
    }
    let words = match detector.context | detector.negative {
        0 => 0,
        _ => inner.words.near(view, start, end, spec.context_before, spec.context_after).ok_or(Missing)?,
    };
    let context = words & detector.context != 0;
    let negative = words & detector.negative != 0;
    let neighbour =
        spec.with_neighbour > spec.alone && check != Check::Refused && !context && has_neighbour(view, start, end)?;
    let claimed = match check {
        Check::Refused if context => spec.refused,
        Check::Refused => Claim::Silent,
        _ if context => spec.with_context.max(spec.alone),
        _ if negative => spec.negated,
        _ if neighbour => spec.with_neighbour,
        _ => spec.alone,
    };
    let text = view.slice(start, end);
    let Some(certainty) = claimed.certainty() else { return Ok(None) };
    let spared = spec.class == writ_model::class::CREDENTIALS && certainty == Certainty::Certain;
    if !spared && inner.harmless.covers(text) {
        return Ok(None);
    }
    let proved = check == Check::Proved;
    let with_context = context || detector.lead.is_some();
    let mut kinds = evidence(&[Evidence::Pattern]);
    for (holds, kind) in
        [(proved, Evidence::Checksum), (with_context, Evidence::Context), (neighbour, Evidence::Neighbours)]
    {
        if holds {
            kinds.insert(kind);
        }
    }
    Ok(Some(Candidate {
        start: view.base + start,
        end: view.base + end,
        rank: if proved { 3 } else { 1 + u8::from(with_context || spec.alone == Claim::Certain) },
        certainty,
        evidence: kinds,
        owner,
        value: digest(key, &normal(spec.normal, text)),
        identifier: spec.identifier,
    }))
}

/// Whether the value ends where the pattern says: not inside a longer word or number.
fn ends_here(detector: &Detector, view: &View<'_>, start: usize, end: usize) -> Result<bool, Missing> {
    let last = view.before(end, 1).unwrap_or(0);
    let next = match view.peek(end) {
        Peek::End => return Ok(true),
        Peek::Pending => return Err(Missing),
        Peek::Byte(byte) => byte,
    };
    if is_word(last) && (next.is_ascii_alphanumeric() || next == b'_') {
        return Ok(false);
    }
    if detector.spec.trigger != Trigger::Number {
        return Ok(true);
    }
    if is_word(last) && next >= 0x80 {
        return Ok(true);
    }
    if !matches!(next, b'-' | b'.' | b'/' | b':') {
        return Ok(true);
    }
    let [second, third] = [1, 2].map(|by| view.peek(end + by));
    if second == Peek::Pending || third == Peek::Pending && second != Peek::End {
        return Err(Missing);
    }
    let is_ip = view.slice(start, end).contains(&b'.');
    Ok(match (next, second, third) {
        (b'/' | b':', Peek::Byte(byte), _) => is_ip || !byte.is_ascii_digit(),
        (_, Peek::Byte(byte), _) if byte.is_ascii_digit() => false,
        (b'-', Peek::Byte(a), Peek::Byte(b)) => {
            !a.is_ascii_alphanumeric() || a.is_ascii_uppercase() && b.is_ascii_lowercase()
        }
        _ => true,
    })
}

/// Whether a number may begin at `from`: not inside a word, a longer number, a path or a version.
fn number_may_start(view: &View<'_>, from: usize) -> bool {
    let [one, two] = [1, 2].map(|by| view.before(from, by));
    match one {
        None => true,
        Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'#' | b'\\') => false,
        Some(b'-' | b'.' | b'/') => !two.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
        Some(b':') => !two.is_some_and(|byte| byte.is_ascii_digit()),
        Some(_) => true,
    }
}

/// Whether the span lies in or touches one of Writ's placeholders, or holds one.
fn in_placeholder(view: &View<'_>, start: usize, end: usize) -> Result<bool, Missing> {
    let from = start.saturating_sub(PLACEHOLDER_BYTES);
    let opens = memchr::memrchr(b'[', view.slice(from, start)).map(|at| from + at);
    let inside = memchr::memchr(b'[', view.slice(start, end)).map(|at| start + at);
    for open in [opens, inside].into_iter().flatten() {
        let text = view.slice(open, open + PLACEHOLDER_BYTES);
        match memchr::memchr(b']', text) {
            Some(close) if open + close >= start && text.get(..=close).is_some_and(is_placeholder) => return Ok(true),
            None if text.len() < PLACEHOLDER_BYTES && !view.last && looks_like_placeholder(text) => {
                return Err(Missing);
            }
            _ => {}
        }
    }
    Ok(false)
}

/// Whether `text`, which holds no closing bracket, can still become a placeholder.
fn looks_like_placeholder(text: &[u8]) -> bool {
    text.iter().skip(1).all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// Whether an address or a telephone number stands within eighty bytes on either side.
fn has_neighbour(view: &View<'_>, start: usize, end: usize) -> Result<bool, Missing> {
    const REACH: usize = 80;
    let after = view.slice(end, end + REACH);
    if after.len() < REACH && !view.last {
        return Err(Missing);
    }
    let before = view.slice(start.saturating_sub(REACH), start);
    Ok(is_personal(before) || is_personal(after))
}

fn is_personal(text: &[u8]) -> bool {
    let address = memchr::memchr_iter(b'@', text).any(|at| {
        let byte = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|byte| is_word(*byte));
        byte(at.checked_sub(1)) && byte(Some(at + 1))
    });
    let digit = |byte: &u8| byte.is_ascii_digit();
    let telephone = text.windows(9).any(|nine| match nine {
        [b')', b' ', a, b, c, b'-', d, e, f] => [a, b, c, d, e, f].into_iter().all(digit),
        _ => false,
    });
    address || telephone
}

/// Widens a span to whole characters.
fn widen(view: &View<'_>, start: usize, end: usize) -> (usize, usize) {
    let continues = |at: usize| view.bytes.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let start = (0..4).map(|by| start.saturating_sub(by)).find(|at| !continues(*at)).unwrap_or(start);
    let end = (end..end + 4).find(|at| !continues(*at)).unwrap_or(end);
    (start, end)
}

fn normal(normal: Normal, value: &[u8]) -> Vec<u8> {
    match normal {
        Normal::Exact => value.to_vec(),
        Normal::Digits => value.iter().filter(|byte| byte.is_ascii_digit()).copied().collect(),
        Normal::Alnum => value.iter().filter(|byte| is_word(**byte)).map(u8::to_ascii_lowercase).collect(),
        Normal::Lower => {
            let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            words.collect::<Vec<_>>().join(&b' ').to_ascii_lowercase()
        }
    }
}

/// How far before an at sign a local part can begin.
fn email_reach(view: &View<'_>, at: usize) -> usize {
    let from = at.saturating_sub(limits::LOCAL_PART_BYTES.value());
    let reach = view.slice(from, at).iter().rev().take_while(|byte| is_local(**byte)).count();
    // A first byte inside a character belongs to the character before it.
    if reach == limits::LOCAL_PART_BYTES.value() { reach + 3 } else { reach }.min(at)
}

/// Bytes of a local part (RFC 5322 dot-atom, RFC 6531), without those that in practice delimit it.
fn is_local(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'.' | b'_' | b'+' | b'-' | b'%')
}

/// Local parts that name a function, not a person (RFC 2142 and usage), and those of examples.
const ROLES: &[&str] = &[
    "abuse",
    "accounts",
    "admin",
    "alert",
    "alerts",
    "complaints",
    "notifications",
    "billing",
    "careers",
    "contact",
    "donotreply",
    "email",
    "enquiries",
    "feedback",
    "foo",
    "git",
    "hello",
    "help",
    "helpdesk",
    "hostmaster",
    "hr",
    "info",
    "jobs",
    "legal",
    "mail",
    "marketing",
    "me",
    "name",
    "news",
    "newsletter",
    "no-reply",
    "noreply",
    "office",
    "orders",
    "postmaster",
    "press",
    "privacy",
    "root",
    "sales",
    "security",
    "service",
    "support",
    "team",
    "test",
    "user",
    "username",
    "webmaster",
    "you",
    "your",
    "your.email",
    "your.name",
    "youremail",
];

fn email(
    inner: &Inner,
    detector: &Detector,
    owner: usize,
    key: &[u8; 32],
    view: &View<'_>,
    at: usize,
) -> Result<Option<Candidate>, Missing> {
    let from = at.saturating_sub(limits::LOCAL_PART_BYTES.value());
    let text = view.slice(from, at);
    let count = text.iter().rev().take_while(|byte| is_local(**byte)).count();
    let local = text.get(text.len() - count..).unwrap_or_default();
    let skipped = local.iter().take_while(|byte| matches!(byte, b'.' | b'-' | b'+' | b'%')).count();
    let local = local.get(skipped..).unwrap_or_default();
    let start = at - local.len();
    // `user:pass@host` of an address with credentials is not a mailbox.
    let credentials = view.before(start, 1) == Some(b':')
        && memchr::memmem::find(view.slice(start.saturating_sub(48), start), b"://").is_some();
    if local.is_empty() || credentials || local.iter().all(|byte| matches!(byte, b'_' | b'.' | b'-')) {
        return Ok(None);
    }
    let Some(pattern) = &detector.pattern else { return Ok(None) };
    let end = match pattern.longest(view, at) {
        Run::None => return Ok(None),
        Run::Pending => return Err(Missing),
        Run::End(end) => end,
    };
    let lower = local.to_ascii_lowercase();
    if ROLES.iter().any(|role| role.as_bytes() == lower) || is_file(view.slice(at, end)) {
        return Ok(None);
    }
    claim(inner, detector, owner, key, view, start, end)
}

/// A name such as `icon@2x.png`, or a package with its version.
fn is_file(domain: &[u8]) -> bool {
    let extension = domain.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let media: [&[u8]; 9] = [b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"css", b"js", b"json"];
    let scale = domain.get(1).is_some_and(u8::is_ascii_digit) && domain.get(2) == Some(&b'x');
    media.contains(&extension) || scale
}

/// A private key in armour: from `-----BEGIN` to the end of its last line.
fn armour(
    inner: &Inner,
    detector: &Detector,
    owner: usize,
    key: &[u8; 32],
    view: &View<'_>,
    at: usize,
) -> Result<Option<Candidate>, Missing> {
    let Some(pattern) = &detector.pattern else { return Ok(None) };
    let head = match pattern.longest(view, at) {
        Run::None => return Ok(None),
        Run::Pending => return Err(Missing),
        Run::End(end) => end,
    };
    let limit = at + limits::ARMOUR_BYTES.value();
    let body = view.slice(head, limit);
    let foot = memchr::memmem::find(body, b"-----");
    if foot.is_none() && head + body.len() < limit && !view.last {
        // A text that only speaks of keys has no body: it need not wait for a foot.
        return if body.len() > 256 && !has_key_body(body) { Ok(None) } else { Err(Missing) };
    }
    let inside = body.get(..foot.unwrap_or(body.len())).unwrap_or_default();
    if !has_key_body(inside.get(..256).unwrap_or(inside)) {
        return Ok(None);
    }
    let cut_foot = foot.is_some_and(|foot| body.len() < foot + 8);
    if cut_foot && head + body.len() < limit && !view.last {
        return Err(Missing);
    }
    let foot_line = foot.and_then(|foot| body.get(foot..)).filter(|foot| foot.starts_with(b"-----END"));
    let end = match (foot, foot_line) {
        (Some(foot), Some(line)) => match memchr::memmem::find(line.get(8..).unwrap_or_default(), b"-----") {
            Some(close) => head + foot + 8 + close + 5,
            None if line.len() < 80 && !view.last && head + body.len() < limit => return Err(Missing),
            None => head + foot + 8,
        },
        _ => head + foot.unwrap_or(body.len()),
    };
    let trailing = view.slice(head, end).iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
    claim(inner, detector, owner, key, view, at, end - trailing)
}

/// Whether a run of 24 base64 characters stands in the text.
fn has_key_body(text: &[u8]) -> bool {
    let mut run = 0;
    text.iter().any(|byte| {
        run = if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=') { run + 1 } else { 0 };
        run >= 24
    })
}

//! How whoever wrote something finds it again: the end of a long number, the line in a file. Both go into the answer to
//! whoever sent the content and nowhere else.

use std::collections::BTreeMap;

use writ_base::Sensitive;

use super::Discovery;

/// Traces of what was found, by what and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces(BTreeMap<Discovery, Trace>);

/// The trace of the first value of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Trace {
    /// `····1111`, of kinds of which people know the end by heart.
    end: Option<Sensitive<String>>,
    /// Its line, from 1, in a text of several.
    line: Option<usize>,
}

impl Traces {
    /// Adds a value that stands at `start` of a text, if it is the first of its kind.
    pub(crate) fn add(&mut self, discovery: Discovery, text: &str, start: usize, value: &str) {
        self.0.entry(discovery).or_insert_with_key(|discovery| {
            let end = end_of(&discovery.data_type, value).map(Sensitive::new);
            let before = text.get(..start).unwrap_or_default();
            let line = text.contains('\n').then(|| before.matches('\n').count() + 1);
            Trace { end, line }
        });
    }

    /// For people: the end of the value.
    pub(super) fn end(&self, discovery: &Discovery) -> Option<String> {
        self.0.get(discovery)?.end.as_ref().map(|end| end.expose().clone())
    }

    /// For programs: the line.
    pub(super) fn line(&self, discovery: &Discovery) -> Option<String> {
        self.0.get(discovery)?.line.map(|line| format!("line {line}"))
    }
}

/// The end of a number: at most four characters, and never more than half. Nothing of secrets, names and texts.
fn end_of(data_type: &str, value: &str) -> Option<String> {
    const LEAST: usize = 6;
    const MOST: usize = 4;
    if !matches!(
        data_type,
        "CREDIT_CARD" | "IBAN" | "BANK_ACCOUNT" | "MEDICAL_RECORD_NUMBER" | "HEALTH_INSURANCE_ID" | "PHONE"
    ) {
        return None;
    }
    let known: Vec<char> = value.chars().filter(|c| c.is_alphanumeric()).collect();
    let shown = known.len().checked_sub(MOST.min(known.len() / 2)).filter(|_| known.len() >= LEAST)?;
    Some(format!("····{}", known.get(shown..)?.iter().collect::<String>()))
}

#[cfg(test)]
mod tests {
    use writ_model::Author;

    use super::*;

    #[test]
    fn of_long_numbers_the_end_is_shown_and_of_secrets_nothing() {
        for (data_type, value, expected) in [
            ("CREDIT_CARD", "4111 1111 1111 1234", Some("····1234")),
            ("MEDICAL_RECORD_NUMBER", "MRN 4451299", Some("····1299")),
            ("MEDICAL_RECORD_NUMBER", "4451299", Some("····299")),
            ("IBAN", "DE89 3704 0044 0532 0130 00", Some("····3000")),
            ("MEDICAL_RECORD_NUMBER", "12345", None),
            ("API_KEY", "AKIAQ6ZJ4M2RT7NK3XWB", None),
            ("PASSWORD", "correct-horse-battery", None),
            ("PERSON", "John Smithson", None),
            ("US_SSN", "078-05-1120", None),
        ] {
            assert_eq!(end_of(data_type, value).as_deref(), expected, "{data_type} {value}");
        }
    }

    #[test]
    fn the_first_of_a_kind_is_named_and_nothing_prints_it() {
        let card = Discovery { data_type: "CREDIT_CARD".into(), author: Author::User };
        let mut traces = Traces::default();
        let text = "one\n4111 1111 1111 1234\n4111 1111 1111 9999";
        traces.add(card.clone(), text, 4, "4111 1111 1111 1234");
        traces.add(card.clone(), text, 24, "4111 1111 1111 9999");
        assert_eq!((traces.end(&card).as_deref(), traces.line(&card).as_deref()), (Some("····1234"), Some("line 2")));
        assert!(!format!("{traces:?}").contains("1234"));
        let mut single = Traces::default();
        single.add(card.clone(), "4111 1111 1111 1234", 0, "4111 1111 1111 1234");
        assert_eq!(single.line(&card), None, "a text of one line needs no number");
    }
}

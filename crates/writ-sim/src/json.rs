//! JSON documents with the order of members kept, because services write `id` and `type` first and parsers that
//! stream may come to rely on it.

use std::borrow::Cow;
use std::fmt;

/// One JSON value; members keep the order in which they were written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(Cow<'static, str>, Json)>),
    /// Text that is valid JSON already, put in as it is.
    Raw(String),
}

/// Builds a [`Json::Object`] whose members keep their order.
macro_rules! object {
    ($($key:literal : $value:expr),* $(,)?) => {
        $crate::json::Json::Object(vec![$((::std::borrow::Cow::Borrowed($key), $crate::json::Json::from($value))),*])
    };
}
pub(crate) use object;

impl Json {
    /// The document with two spaces of indentation, as the Gemini API writes its answers.
    pub(crate) fn pretty(&self) -> String {
        let mut text = String::new();
        self.write_pretty(&mut text, 0);
        text
    }

    /// Adds a member at the end; anything but an object is left alone.
    pub(crate) fn with(mut self, key: &'static str, value: impl Into<Json>) -> Self {
        if let Json::Object(members) = &mut self {
            members.push((Cow::Borrowed(key), value.into()));
        }
        self
    }

    fn write_pretty(&self, text: &mut String, depth: usize) {
        match self {
            Json::Array(items) if !items.is_empty() => {
                text.push_str("[\n");
                for (index, item) in items.iter().enumerate() {
                    next_line(text, index, depth + 1);
                    item.write_pretty(text, depth + 1);
                }
                close(text, ']', depth);
            }
            Json::Object(members) if !members.is_empty() => {
                text.push_str("{\n");
                for (index, (key, value)) in members.iter().enumerate() {
                    next_line(text, index, depth + 1);
                    text.push_str(&quoted(key));
                    text.push_str(": ");
                    value.write_pretty(text, depth + 1);
                }
                close(text, '}', depth);
            }
            other => text.push_str(&other.to_string()),
        }
    }
}

impl fmt::Display for Json {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Null => out.write_str("null"),
            Json::Bool(value) => write!(out, "{value}"),
            Json::Integer(value) => write!(out, "{value}"),
            // `Debug` keeps the `.0` of whole numbers, as the services do.
            Json::Float(value) => write!(out, "{value:?}"),
            Json::Text(value) => out.write_str(&quoted(value)),
            Json::Raw(value) => out.write_str(value),
            Json::Array(items) => {
                out.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(out, "{}{item}", if index == 0 { "" } else { "," })?;
                }
                out.write_str("]")
            }
            Json::Object(members) => {
                out.write_str("{")?;
                for (index, (key, value)) in members.iter().enumerate() {
                    write!(out, "{}{}:{value}", if index == 0 { "" } else { "," }, quoted(key))?;
                }
                out.write_str("}")
            }
        }
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Json::Bool(value)
    }
}

impl From<i32> for Json {
    fn from(value: i32) -> Self {
        Json::Integer(i64::from(value))
    }
}

impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Json::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Json {
    fn from(value: f64) -> Self {
        Json::Float(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Json::Text(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Json::Text(value)
    }
}

impl From<&String> for Json {
    fn from(value: &String) -> Self {
        Json::Text(value.clone())
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Self {
        Json::Array(items)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Json::Null, Into::into)
    }
}

impl From<&serde_json::Value> for Json {
    fn from(value: &serde_json::Value) -> Self {
        Json::Raw(value.to_string())
    }
}

/// `text` as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn next_line(text: &mut String, index: usize, depth: usize) {
    if index > 0 {
        text.push_str(",\n");
    }
    text.push_str(&"  ".repeat(depth));
}

fn close(text: &mut String, bracket: char, depth: usize) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
    text.push(bracket);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_text_is_escaped() {
        let document = object! {
            "type": "x", "a": 1, "list": vec![Json::Null, Json::from(true)], "f": 1.0, "t": "q\"\n", "r": Json::Raw("{}".into()),
        };
        assert_eq!(document.to_string(), r#"{"type":"x","a":1,"list":[null,true],"f":1.0,"t":"q\"\n","r":{}}"#);
        let parsed: serde_json::Value = serde_json::from_str(&document.pretty()).unwrap();
        assert_eq!(parsed, serde_json::from_str::<serde_json::Value>(&document.to_string()).unwrap());
    }

    #[test]
    fn pretty_print_is_stable() {
        let document = object! { "a": vec![object! { "b": 1 }, object! {}] };
        assert_eq!(document.pretty(), "{\n  \"a\": [\n    {\n      \"b\": 1\n    },\n    {}\n  ]\n}");
    }
}

//! A small part of Markdown as HTML: what policies and tours are written in. Everything is escaped first; raw HTML is
//! an error in a policy and plain text here.

use std::fmt::Write as _;

use crate::charts::escape;

/// Paragraphs, lists and quotes of one piece of prose.
pub(crate) fn blocks(text: &str) -> String {
    let mut html = String::new();
    let mut open = Open::Nothing;
    for line in text.lines() {
        let (kind, rest) = read(line, open);
        if kind != open || kind == Open::Nothing {
            html.push_str(open.close());
            html.push_str(kind.start());
            open = kind;
        } else if !starts(line) {
            html.push(' ');
        }
        match kind {
            Open::List | Open::Numbered if starts(line) => {
                if !html.ends_with("<ul><li>") && !html.ends_with("<ol><li>") {
                    html.push_str("</li><li>");
                }
                html.push_str(&inline(rest));
            }
            Open::Nothing => {}
            _ => html.push_str(&inline(rest)),
        }
    }
    html.push_str(open.close());
    html
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Paragraph,
    List,
    Numbered,
    Quote,
}

impl Open {
    const fn start(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Paragraph => "<p>",
            Self::List => "<ul><li>",
            Self::Numbered => "<ol><li>",
            Self::Quote => "<blockquote><p>",
        }
    }

    const fn close(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Paragraph => "</p>",
            Self::List => "</li></ul>",
            Self::Numbered => "</li></ol>",
            Self::Quote => "</p></blockquote>",
        }
    }
}

fn bullet(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("* ").or_else(|| line.strip_prefix("- "))
}

fn numbered(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < line.len()).then(|| rest.strip_prefix(". ")).flatten()
}

fn starts(line: &str) -> bool {
    bullet(line).is_some() || numbered(line).is_some()
}

fn read(line: &str, open: Open) -> (Open, &str) {
    if line.trim().is_empty() {
        return (Open::Nothing, "");
    }
    if let Some(rest) = bullet(line) {
        return (Open::List, rest);
    }
    if let Some(rest) = numbered(line) {
        return (Open::Numbered, rest);
    }
    if let Some(rest) = line.strip_prefix('>') {
        return (Open::Quote, rest.trim_start());
    }
    match open {
        // A line without a mark goes on with the item before.
        Open::List | Open::Numbered => (open, line.trim()),
        _ => (Open::Paragraph, line),
    }
}

/// Words in grave accents as code, and nothing else: for sentences about a text that may hold any mark.
pub(crate) fn code(text: &str) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    // Of an odd number of marks the last one is a character like others.
    let paired = pieces.len() % 2 == 1;
    let piece = |(at, piece): (usize, &&str)| match (at % 2, paired || at + 1 < pieces.len()) {
        (0, _) => escape(piece),
        (_, true) => format!("<code>{}</code>", escape(piece)),
        (_, false) => format!("`{}", escape(piece)),
    };
    pieces.iter().enumerate().map(piece).collect()
}

/// Strong, emphasis, code and links within a line.
pub(crate) fn inline(text: &str) -> String {
    let mut html = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['*', '`', '[']) {
        let (before, from) = rest.split_at(at);
        html.push_str(&escape(before));
        match mark(from) {
            Some((piece, after)) => {
                html.push_str(&piece);
                rest = after;
            }
            None => {
                let mut chars = from.chars();
                html.extend(chars.next());
                rest = chars.as_str();
            }
        }
    }
    html.push_str(&escape(rest));
    html
}

fn mark(from: &str) -> Option<(String, &str)> {
    if let Some((inner, after)) = from.strip_prefix("**").and_then(|rest| rest.split_once("**")) {
        return Some((format!("<strong>{}</strong>", inline(inner)), after));
    }
    if let Some((inner, after)) = from.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
        return Some((format!("<code>{}</code>", escape(inner)), after));
    }
    if let Some((label, (target, after))) = from
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]("))
        .and_then(|(label, rest)| Some((label, rest.split_once(')')?)))
    {
        let safe =
            target.starts_with('#') || target.starts_with('/') || target.starts_with("https://") || loopback(target);
        let label = escape(label);
        // Other pages open beside this one: a visitor comes back to where the link stood.
        let tab = if target.starts_with("http") { " target=\"_blank\"" } else { "" };
        let link = || format!("<a rel=\"noopener noreferrer\"{tab} href=\"{}\">{label}</a>", escape(target));
        let html = if safe { link() } else { label.clone() };
        return Some((html, after));
    }
    let (inner, after) = from.strip_prefix('*').and_then(|rest| rest.split_once('*'))?;
    let closed = !inner.is_empty() && !inner.starts_with(' ');
    closed.then(|| (format!("<em>{}</em>", escape(inner)), after))
}

/// An address of this machine: pages of a demo.
fn loopback(target: &str) -> bool {
    target.starts_with("http://127.0.0.1:") || target.starts_with("http://localhost:")
}

/// A table; the first column is the heading of its row.
pub(crate) fn table<'a>(caption: &str, header: &[&str], rows: impl Iterator<Item = Vec<&'a str>>) -> String {
    let mut html = String::from("<div class=\"wide\" tabindex=\"0\" role=\"group\"");
    let _ = write!(
        html,
        " aria-label=\"{}\"><table class=\"grid\">",
        escape(if caption.is_empty() { "Table" } else { caption })
    );
    if !caption.is_empty() {
        let _ = write!(html, "<caption>{}</caption>", inline(caption));
    }
    html.push_str("<thead><tr>");
    for cell in header {
        let _ = write!(html, "<th scope=\"col\">{}</th>", inline(cell));
    }
    html.push_str("</tr></thead><tbody>");
    for row in rows {
        html.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let (tag, scope) = if at == 0 { ("th", " scope=\"row\"") } else { ("td", "") };
            let _ = write!(html, "<{tag}{scope}>{}</{tag}>", inline(cell));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table></div>");
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_in_grave_accents_are_code_and_other_marks_are_characters() {
        assert_eq!(code("a `b` and `c*d*`"), "a <code>b</code> and <code>c*d*</code>");
        assert_eq!(code("[x](y) `<b>` <i>"), "[x](y) <code>&lt;b&gt;</code> &lt;i&gt;");
        assert_eq!(code("one ` alone"), "one ` alone");
        assert_eq!(code("`a` and ` alone"), "<code>a</code> and ` alone");
    }

    #[test]
    fn prose_becomes_html() {
        assert_eq!(
            blocks("One *two* **three**\nfour `a<b`."),
            "<p>One <em>two</em> <strong>three</strong> four <code>a&lt;b</code>.</p>"
        );
        assert_eq!(
            blocks("Ideas:\n\n* one\n  goes on\n* two\n\nEnd"),
            "<p>Ideas:</p><ul><li>one goes on</li><li>two</li></ul><p>End</p>"
        );
        assert_eq!(blocks("1. a\n2. b"), "<ol><li>a</li><li>b</li></ol>");
        assert_eq!(inline("[x](javascript:alert)"), "x");
        assert_eq!(inline("2 * 3 * 4"), "2 * 3 * 4");
    }

    proptest! {
        #[test]
        fn no_text_becomes_a_tag(text in "[a-z*`\\[\\]()<>&\" \n]{0,60}") {
            let html = blocks(&text);
            let tags = ["<p>", "</p>", "<ul>", "</ul>", "<ol>", "</ol>", "<li>", "</li>", "<strong>", "</strong>", "<em>", "</em>",
                "<code>", "</code>", "<blockquote>", "</blockquote>", "</a>"];
            let mut rest = html;
            for tag in tags {
                rest = rest.replace(tag, "");
            }
            let rest = rest.replace("<a rel=\"noopener noreferrer\" href=", "");
            prop_assert!(!rest.contains('<'), "{rest}");
        }
    }
}

//! As much Rust as the house rules need: comments, strings, functions and test code, without a compiler.

/// A source file in two layers of the same lines: code without strings and comments, and comments alone.
pub(super) struct Source {
    pub(super) code: String,
    pub(super) comments: String,
}

impl Source {
    pub(super) fn new(text: &str) -> Self {
        let mut lexer = Lexer { rest: text, code: String::new(), comments: String::new() };
        while !lexer.rest.is_empty() {
            lexer.step();
        }
        Self { code: lexer.code, comments: lexer.comments }
    }

    /// Functions with a body, in order of their first line.
    pub(super) fn functions(&self) -> Vec<Function> {
        let tokens = tokens(&self.code);
        let mut functions = Vec::new();
        for (at, window) in tokens.windows(2).enumerate() {
            if let [Token { text: "fn", line }, name] = window
                && name.identifier()
                && let Some(last) = item_end(&tokens, at).filter(|end| end.body)
            {
                functions.push(Function { name: name.text.to_owned(), first: *line, last: last.line });
            }
        }
        functions
    }

    /// Items that are compiled for tests only.
    pub(super) fn test_items(&self) -> Vec<Lines> {
        let tokens = tokens(&self.code);
        let mut items = Vec::new();
        for at in 0..tokens.len() {
            let Some(window) = tokens.get(at..) else { break };
            let [Token { text: "#", line }, Token { text: "[", .. }, Token { text: "cfg", .. }, condition @ ..] =
                window
            else {
                continue;
            };
            let condition: Vec<&str> =
                condition.iter().map(|token| token.text).take_while(|text| *text != "]").collect();
            if condition.contains(&"test")
                && !condition.contains(&"not")
                && let Some(end) = item_end(&tokens, at + 3 + condition.len() + 1)
            {
                items.push(Lines { first: *line, last: end.line });
            }
        }
        items
    }
}

/// A function with its first and last line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) first: usize,
    pub(super) last: usize,
}

/// Some lines of a file, counted from 1, both ends included.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lines {
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Lines {
    pub(super) fn contains(&self, line: usize) -> bool {
        (self.first..=self.last).contains(&line)
    }
}

/// A word or one other character of code.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    line: usize,
}

impl Token<'_> {
    fn identifier(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match rest.find(|it: char| !word_part(it)) {
                Some(0) => first.len_utf8(),
                Some(length) => length,
                None => rest.len(),
            };
            let Some((text, after)) = rest.split_at_checked(length) else { break };
            tokens.push(Token { text, line: index + 1 });
            rest = after.trim_start();
        }
    }
    tokens
}

fn word_part(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

/// Last line of an item, and whether it has a body in braces.
struct ItemEnd {
    line: usize,
    body: bool,
}

/// Where the item that starts at this token ends: at its `;`, or at the brace that closes its body.
fn item_end(tokens: &[Token<'_>], start: usize) -> Option<ItemEnd> {
    let mut brackets = 0_usize;
    let mut braces = 0_usize;
    for token in tokens.get(start..)? {
        match token.text {
            "(" | "[" => brackets += 1,
            ")" | "]" => brackets = brackets.saturating_sub(1),
            "{" => braces += 1,
            "}" => {
                braces = braces.saturating_sub(1);
                if braces == 0 && brackets == 0 {
                    return Some(ItemEnd { line: token.line, body: true });
                }
            }
            ";" if braces == 0 && brackets == 0 => return Some(ItemEnd { line: token.line, body: false }),
            _ => {}
        }
    }
    None
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    Code,
    Comment,
    Neither,
}

struct Lexer<'a> {
    rest: &'a str,
    code: String,
    comments: String,
}

impl Lexer<'_> {
    fn step(&mut self) {
        if self.rest.starts_with("//") {
            let length = self.rest.find('\n').unwrap_or(self.rest.len());
            self.put(length, Layer::Comment);
        } else if self.rest.starts_with("/*") {
            self.put(block_comment(self.rest), Layer::Comment);
        } else if let Some(length) = raw_string(self.rest).filter(|_| !self.code.ends_with(word_part)) {
            self.put(length, Layer::Neither);
        } else if self.rest.starts_with('"') {
            self.put(quoted(self.rest, '"'), Layer::Neither);
        } else if char_literal(self.rest) {
            self.put(quoted(self.rest, '\''), Layer::Neither);
        } else {
            self.put(self.rest.chars().next().map_or(0, char::len_utf8), Layer::Code);
        }
    }

    /// Moves so many bytes to one layer, and blanks with the same line ends to the other.
    fn put(&mut self, length: usize, layer: Layer) {
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        for it in text.chars() {
            let blank = if it == '\n' { '\n' } else { ' ' };
            self.code.push(if layer == Layer::Code { it } else { blank });
            self.comments.push(if layer == Layer::Comment { it } else { blank });
        }
        self.rest = rest;
    }
}

/// Length of a block comment; they nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, it) in text.char_indices() {
        match (before, it) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth = depth.saturating_sub(1),
            _ => {
                before = it;
                continue;
            }
        }
        if depth == 0 {
            return at + 1;
        }
        before = ' ';
    }
    text.len()
}

/// Length of a raw string that starts here, with its prefix.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text.strip_prefix("br").or_else(|| text.strip_prefix("cr")).or_else(|| text.strip_prefix('r'))?;
    let body = hashes.trim_start_matches('#');
    let count = hashes.len() - body.len();
    let content = body.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(count));
    let opening = text.len() - content.len();
    Some(content.find(&end).map_or(text.len(), |at| opening + at + end.len()))
}

/// Length of a string or character that starts with its quote; a backslash takes the next character along.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, it) in text.char_indices().skip(1) {
        match it {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if it == quote => return at + it.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Tells a character from a lifetime or label.
fn char_literal(text: &str) -> bool {
    let mut chars = text.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('\''), Some('\\'), _) => true,
        (Some('\''), Some(it), Some('\'')) => it != '\'',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, first: usize, last: usize) -> Function {
        Function { name: name.to_owned(), first, last }
    }

    #[test]
    fn strings_and_comments_leave_the_code() {
        let text = "let a = \"{ // no\"; // yes {\nlet b = r#\"} \" }\"#; /* a /* b */ c */ let c = b'{'; let d: &'a str = '\\'';";
        let source = Source::new(text);
        assert!(!source.code.contains(['{', '}', '"']));
        assert!(source.code.contains("let c =") && source.code.contains("&'a str"));
        assert!(source.comments.contains("// yes {") && source.comments.contains("/* a /* b */ c */"));
        assert!(!source.comments.contains("no"));
        assert_eq!(source.code.lines().count(), 2);
        assert_eq!(source.comments.lines().count(), 2);
    }

    #[test]
    fn unfinished_text_is_read_to_its_end() {
        for text in ["\"abc", "r##\"abc\"#", "/* a /* b */", "'", "fn a(", "b'", "r#", "#[cfg(test"] {
            let source = Source::new(text);
            assert_eq!(source.code.chars().count(), text.chars().count(), "{text}");
            assert!(source.functions().is_empty());
            assert!(source.test_items().is_empty());
        }
    }

    #[test]
    fn functions_have_their_lines() {
        let text = "\
trait T {
    fn declared(&self, a: [u8; 4]);
    fn given(&self) -> [u8; 2] {
        [b'}', b'{']
    }
}
type F = fn(u8) -> u8;
fn outer<'a>(
    text: &'a str,
) -> usize {
    fn inner() {}
    text.len()
}
";
        let expected = [function("given", 3, 5), function("outer", 8, 13), function("inner", 11, 11)];
        assert_eq!(Source::new(text).functions(), expected);
    }

    #[test]
    fn test_items_end_with_their_brace_or_semicolon() {
        let text = "\
fn a() {}
#[cfg(test)]
mod fixtures;
#[cfg(not(test))]
fn b() {}
#[cfg(all(test, unix))]
#[rustfmt::skip]
mod tests {
    fn c() { let x = [1; 2]; }
}
fn d() {}
";
        let items = Source::new(text).test_items();
        assert_eq!(items, [Lines { first: 2, last: 3 }, Lines { first: 6, last: 10 }]);
        assert!(items[1].contains(9) && !items[1].contains(11));
    }

    #[test]
    fn raw_identifiers_are_code() {
        let source = Source::new("let r#type = attr; fn r() {} let bar\"x\";");
        assert!(source.code.contains("r#type"));
        assert_eq!(source.functions(), [function("r", 1, 1)]);
    }
}

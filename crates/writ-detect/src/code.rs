//! A simple recogniser of source code: lines are judged by how they begin and end, several such lines close together
//! are code. It costs little more than finding the line ends.

use std::ops::Range;

use writ_base::KeyedDigest;
use writ_model::finding::Evidence;
use writ_model::{Certainty, Finding, Term, class};

use crate::automaton::View;
use crate::limits;
use crate::scanner::evidence;

/// How much of the beginning of a line is looked at.
const HEAD: usize = 64;
/// How much of its end.
const TAIL: usize = 12;
/// Lines that are no code and still lie inside a block when code follows.
const GAP: u32 = 3;
/// What the lines of a block must score together to be reported at all.
const BLOCK_SCORE: u32 = 6;
/// What makes a block certain.
const CERTAIN_SCORE: u32 = 14;

/// The recogniser's state between two pieces of text.
#[derive(Clone, Debug, Default)]
pub(crate) struct CodeLines {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Where the open line begins.
    line: usize,
    read: usize,
    fence: Fence,
    block: Option<Block>,
}

/// Whether the text is inside a fence (CommonMark 4.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fence {
    #[default]
    Outside,
    /// A fence that names a language of programs.
    Code,
    /// Another one.
    Other,
}

/// A run of lines that may be code.
#[derive(Clone, Debug)]
struct Block {
    start: usize,
    /// End of its last line of code.
    end: usize,
    score: u32,
    lines: u32,
    /// Lines since then.
    gap: u32,
    /// Head of its first line: what its digest is made of.
    head: Vec<u8>,
}

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Blank,
    Prose,
    Code(u32),
}

impl CodeLines {
    /// Reads the new part of `view`.
    pub(crate) fn read(&mut self, view: &View<'_>, key: &[u8; 32], out: &mut Vec<Finding>) {
        let mut rest = view.bytes.get(self.read - view.base..).unwrap_or_default();
        while let Some(at) = memchr::memchr(b'\n', rest) {
            let (line, next) = rest.split_at(at);
            self.read += at + 1;
            if self.line + at + 1 == self.read {
                let head = line.get(..HEAD).unwrap_or(line);
                let tail = line.get(line.len().saturating_sub(TAIL)..).unwrap_or(line);
                self.close_line(head, tail, key, out);
            } else {
                self.take(line);
                self.close_open_line(key, out);
            }
            rest = next.get(1..).unwrap_or_default();
        }
        self.read += rest.len();
        self.take(rest);
        if view.last {
            self.close_open_line(key, out);
            self.close_block(key, out);
        }
    }

    /// The offset before which no finding of code is still to come.
    pub(crate) fn settled(&self) -> usize {
        self.block.as_ref().map_or(self.line, |block| block.start.min(self.line))
    }

    /// Adds to the open line.
    fn take(&mut self, text: &[u8]) {
        let room = HEAD - self.head.len().min(HEAD);
        self.head.extend_from_slice(text.get(..room).unwrap_or(text));
        if text.len() >= TAIL {
            self.tail.clear();
        }
        self.tail.extend_from_slice(text.get(text.len().saturating_sub(TAIL)..).unwrap_or(text));
        if self.tail.len() > TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
    }

    fn close_open_line(&mut self, key: &[u8; 32], out: &mut Vec<Finding>) {
        let (head, tail) = (std::mem::take(&mut self.head), std::mem::take(&mut self.tail));
        self.close_line(&head, &tail, key, out);
    }

    fn close_line(&mut self, head: &[u8], tail: &[u8], key: &[u8; 32], out: &mut Vec<Finding>) {
        let (start, end) = (self.line, self.read);
        self.line = end;
        if start == end {
            return;
        }
        let trimmed = head.trim_ascii_start();
        let fence_info = match trimmed.first() {
            Some(b'`') => trimmed.strip_prefix(b"```"),
            Some(b'~') => trimmed.strip_prefix(b"~~~"),
            _ => None,
        };
        let line = match (fence_info, self.fence) {
            (Some(info), Fence::Outside) => {
                self.fence = fence(info);
                Line::Blank
            }
            (Some(_), _) => {
                self.fence = Fence::Outside;
                Line::Blank
            }
            (None, _) if trimmed.is_empty() => Line::Blank,
            (None, Fence::Code) => Line::Code(BLOCK_SCORE),
            (None, _) => judge(head, tail, end - start),
        };
        match line {
            Line::Blank => {}
            Line::Prose if self.block.is_none() => {}
            line => self.count(line, head, start..end, key, out),
        }
    }

    fn count(&mut self, line: Line, head: &[u8], span: Range<usize>, key: &[u8; 32], out: &mut Vec<Finding>) {
        let Range { start, end } = span;
        match (line, &mut self.block) {
            (Line::Blank, _) => {}
            (Line::Prose, None) => {}
            (Line::Prose, Some(block)) => {
                block.gap += 1;
                if block.gap > GAP {
                    self.close_block(key, out);
                }
            }
            (Line::Code(score), Some(block)) => {
                block.end = end;
                block.score = block.score.saturating_add(score);
                block.lines += 1;
                block.gap = 0;
                if end - block.start > limits::CODE_PIECE_BYTES.value() {
                    self.report(key, out);
                }
            }
            (Line::Code(score), None) => {
                self.block = Some(Block { start, end, score, lines: 1, gap: 0, head: head.to_vec() });
            }
        }
    }

    /// Reports the open block as a piece and goes on after it.
    fn report(&mut self, key: &[u8; 32], out: &mut Vec<Finding>) {
        if let Some(block) = &mut self.block
            && block.score >= BLOCK_SCORE
        {
            out.push(piece(block, key));
            block.start = block.end;
        }
    }

    fn close_block(&mut self, key: &[u8; 32], out: &mut Vec<Finding>) {
        if let Some(block) = self.block.take()
            && block.score >= BLOCK_SCORE
            && block.end > block.start
        {
            out.push(piece(&block, key));
        }
    }
}

fn piece(block: &Block, key: &[u8; 32]) -> Finding {
    Finding {
        data_type: Term::fixed("SOURCE_CODE"),
        class: class::SOURCE_CODE,
        span: block.start..block.end,
        certainty: if block.score >= CERTAIN_SCORE { Certainty::Certain } else { Certainty::Likely },
        evidence: evidence(&[Evidence::Statistics]),
        detector: Term::fixed("source-code"),
        value: KeyedDigest::of(key, &block.head),
    }
}

/// What the info string of a fence says.
fn fence(info: &[u8]) -> Fence {
    const NO_PROGRAM: [&[u8]; 14] = [
        b"text",
        b"txt",
        b"json",
        b"yaml",
        b"yml",
        b"toml",
        b"xml",
        b"csv",
        b"md",
        b"markdown",
        b"diff",
        b"log",
        b"console",
        b"output",
    ];
    let name: Vec<u8> =
        info.iter().take_while(|byte| !byte.is_ascii_whitespace()).map(u8::to_ascii_lowercase).collect();
    if name.is_empty() || NO_PROGRAM.contains(&name.as_slice()) { Fence::Other } else { Fence::Code }
}

/// How a line of a program that begins with `first` begins, each with what it counts; more than one language may use it.
#[rustfmt::skip]
fn openings(first: u8) -> &'static [(&'static [u8], u32)] {
    match first {
        b'#' => &[(b"#!/", 3), (b"#[", 4), (b"#define", 4), (b"#endif", 3), (b"#ifdef", 4), (b"#ifndef", 4), (b"#include", 4), (b"#pragma", 4)],
        b'$' => &[(b"$this->", 5)],
        b')' => &[(b");", 3)],
        b'*' => &[(b"* @", 3), (b"*/", 3)],
        b'/' => &[(b"/*", 2), (b"/**", 3), (b"//", 2)],
        b'<' => &[(b"<?php", 5), (b"<script", 4)],
        b'@' => &[(b"@Override", 4), (b"@property", 4)],
        b'A' => &[(b"ALTER TABLE ", 4)],
        b'C' => &[(b"CREATE TABLE ", 4)],
        b'I' => &[(b"INSERT INTO ", 4)],
        b'S' => &[(b"SELECT ", 2), (b"System.out", 4)],
        b']' => &[(b"];", 3)],
        b'a' => &[(b"assert", 2), (b"async def ", 4), (b"await ", 2)],
        b'c' => &[(b"case ", 1), (b"catch (", 3), (b"class ", 2), (b"console.log", 4), (b"const ", 2)],
        b'd' => &[(b"def ", 3), (b"defer ", 2), (b"done", 1)],
        b'e' => &[(b"echo ", 1), (b"elif ", 3), (b"else if", 2), (b"else:", 3), (b"end", 1), (b"enum ", 2), (b"except", 2), (b"export ", 2)],
        b'f' => &[(b"fi", 1), (b"final ", 2), (b"fn ", 3), (b"for (", 3), (b"for(", 3), (b"foreach (", 4), (b"from ", 1), (b"fun ", 2), (b"func ", 3), (b"function ", 2)],
        b'i' => &[(b"if (", 3), (b"if(", 3), (b"impl", 2), (b"import ", 2), (b"int ", 2), (b"interface ", 2)],
        b'l' => &[(b"let ", 2), (b"let mut ", 4), (b"local ", 2)],
        b'm' => &[(b"match ", 1), (b"mod ", 2), (b"module.exports", 4)],
        b'n' => &[(b"namespace ", 3)],
        b'o' => &[(b"override ", 3)],
        b'p' => &[(b"package ", 2), (b"print(", 3), (b"println!", 4), (b"private ", 3), (b"protected ", 3), (b"pub ", 3), (b"public ", 3), (b"puts ", 2)],
        b'r' => &[(b"raise ", 2), (b"require(", 3), (b"return ", 2), (b"return;", 4)],
        b's' => &[(b"self.", 3), (b"static ", 3), (b"struct ", 3), (b"switch (", 3)],
        b't' => &[(b"template<", 4), (b"this.", 3), (b"throw ", 2), (b"try:", 3), (b"typedef ", 4)],
        b'u' => &[(b"unsigned ", 3), (b"use ", 1), (b"using namespace", 4)],
        b'v' => &[(b"val ", 2), (b"var ", 2), (b"void ", 3)],
        b'w' => &[(b"while (", 3), (b"with ", 1)],
        b'y' => &[(b"yield ", 2)],
        b'}' => &[(b"}", 2), (b"} catch", 4), (b"} else", 4), (b"})", 3), (b"});", 4)],
        _ => &[],
    }
}

/// Judges one line by its beginning and its end.
fn judge(head: &[u8], tail: &[u8], length: usize) -> Line {
    let text = head.trim_ascii_start();
    let end = tail.trim_ascii_end();
    let indent = head.len() - text.len();
    if text.is_empty() && length <= HEAD {
        return Line::Blank;
    }
    let openings = openings(text.first().copied().unwrap_or(0));
    let mut score =
        openings.iter().filter(|(opening, _)| text.starts_with(opening)).map(|(_, score)| *score).max().unwrap_or(0);
    // A sentence may begin with a word of a program: it needs some sign as well.
    let letters_only = score <= 3 && indent < 2 && text.first().is_some_and(u8::is_ascii_alphabetic) && !has_sign(text);
    if letters_only {
        score = 0;
    }
    score += match end {
        [.., b'{'] | [.., b')', b';'] | [.., b'}', b';'] | [.., b']', b';'] | [.., b'=', b'>'] => 3,
        [.., b';'] if has_sign(text) => 3,
        [.., b')', b':'] => 3,
        [.., b'('] | [.., b'['] | [.., b'\\'] | [.., b'&', b'&'] | [.., b'|', b'|'] => 2,
        [b'}'] | [b'}', b','] | [b']'] | [b')'] | [b']', b','] | [b')', b','] => 1,
        [.., b')'] if call(text) => 2,
        [.., b':'] if score > 0 => 1,
        [.., b','] if indent >= 4 && has_sign(text) => 1,
        _ => 0,
    };
    if assignment(text) {
        score += 1 + u32::from(indent >= 2);
    }
    if (1..=3).contains(&score) && prose(text) {
        score = 0;
    }
    if score >= 2 { Line::Code(score.min(5)) } else { Line::Prose }
}

/// Whether a line has a character that sentences rarely have.
fn has_sign(text: &[u8]) -> bool {
    text.iter().any(|byte| is_sign(*byte)) || text.ends_with(b":") || memchr::memmem::find(text, b"->").is_some()
}

const fn is_sign(byte: u8) -> bool {
    matches!(byte, b'=' | b'{' | b'}' | b'(' | b'[' | b';' | b'<' | b'_' | b'&' | b'|')
}

/// `name(`: a call or a declaration, no space before the bracket.
fn call(text: &[u8]) -> bool {
    text.iter().position(|byte| *byte == b'(').is_some_and(|at| {
        let name = text.get(..at).unwrap_or_default();
        !name.is_empty()
            && name.last().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            && !name.trim_ascii_end().contains(&b' ')
    })
}

/// `name = `, `name := `, `name += `: one or two words and a sign of assignment.
fn assignment(text: &[u8]) -> bool {
    let Some(at) = memchr::memchr(b'=', text) else { return false };
    let left = text.get(..at).unwrap_or_default();
    let left = left.trim_ascii_end();
    let left = left.strip_suffix(b":").or(left.strip_suffix(b"+")).unwrap_or(left).trim_ascii_end();
    !left.is_empty()
        && left.split(|byte| *byte == b' ').count() <= 3
        && left.iter().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'.' | b' ' | b'[' | b']' | b'$' | b'*' | b'&' | b':' | b'\'' | b'"')
        })
}

/// Several words in a row with only letters between spaces.
fn prose(text: &[u8]) -> bool {
    let mut run = 0;
    let mut best = 0;
    for word in text.split(|byte| *byte == b' ') {
        let bare = word.strip_suffix(b",").or(word.strip_suffix(b".")).unwrap_or(word);
        run = if bare.len() >= 2 && bare.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'\'') {
            run + 1
        } else {
            0
        };
        best = best.max(run);
    }
    best >= 5
}

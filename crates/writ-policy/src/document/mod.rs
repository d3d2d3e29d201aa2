//! The document: front matter, sections, clauses, and what stands in them, each with its place.

pub mod define;
pub mod files;
pub mod front;
pub mod include;
pub mod limits;
pub mod line;
mod markdown;
pub mod source;

use writ_base::ContentHash;
use writ_model::Term;

use crate::diagnostic::Problems;
use front::FrontMatter;
use line::Entry;
use source::{Span, Text};

pub(crate) use markdown::invisible;

/// A policy's text, read. What could not be read is left out and has a diagnostic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The hash of the text: what signatures bind.
    pub hash: ContentHash,
    /// The front matter; what the text leaves out or misspells is empty.
    pub front: FrontMatter,
    /// What stands before the first heading, and all sections, in the order of the text.
    pub sections: Vec<Section>,
}

impl Document {
    /// Reads the structure of a text, without looking at what keys and values mean.
    pub(crate) fn read(source: &str, problems: &mut Problems) -> Self {
        markdown::read(source, problems)
    }

    /// The clauses in the order of the text.
    pub fn clauses(&self) -> impl Iterator<Item = (&Term, &Section)> {
        self.sections.iter().filter_map(|section| section.id.as_ref().map(|id| (id, section)))
    }

    /// The blocks of one kind, with the clause they stand in.
    pub fn blocks(&self, kind: BlockKind) -> impl Iterator<Item = (&Section, &Block)> {
        let blocks = self.sections.iter().flat_map(|section| section.items.iter().map(move |item| (section, item)));
        blocks.filter_map(move |(section, item)| match item {
            Item::Block(block) if block.kind == kind => Some((section, block)),
            _ => None,
        })
    }
}

/// A heading and what stands under it, up to the next heading.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Section {
    /// Number of `#`; 0 for what stands before the first heading.
    pub level: u8,
    /// The number as printed: `4.2`; empty if there is none.
    pub number: String,
    /// The heading without number and id.
    pub title: String,
    /// The stable id, which makes it a clause.
    pub id: Option<Term>,
    /// The clause it belongs to: itself, or the clause of a heading above it.
    pub clause: Option<Term>,
    /// The heading's line.
    pub heading: Span,
    /// What stands under it.
    pub items: Vec<Item>,
}

/// A piece of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A paragraph, list or quote.
    Prose(Span),
    /// Code that is shown and does not run.
    Code(Span),
    /// A block of the language.
    Block(Block),
    /// A table.
    Table(Table),
    /// `Mode: ...`, the mode that the clause states.
    Mode(Caption),
}

/// A kind of block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockKind {
    /// Conditions and an effect.
    Rule,
    /// What no inline rule can do.
    Control,
    /// Own terms.
    Define,
    /// Assertions.
    Prove,
    /// A file whose text stands here.
    Include,
}

impl BlockKind {
    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "rule" => Some(Self::Rule),
            "control" => Some(Self::Control),
            "define" => Some(Self::Define),
            "prove" => Some(Self::Prove),
            "include" => Some(Self::Include),
            _ => None,
        }
    }
}

/// A block of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its kind.
    pub kind: BlockKind,
    /// What follows the kind on the opening line: `sealed`, or the kind of a control.
    pub argument: Text,
    /// The opening line.
    pub opening: Span,
    /// The whole block with its fences.
    pub span: Span,
    /// Its lines.
    pub entries: Vec<Entry>,
}

impl Block {
    /// The entry with this key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// A table; with a caption it is a rule table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The cells of the first line.
    pub header: Vec<Text>,
    /// The cells of the lines below the rule.
    pub rows: Vec<Vec<Text>>,
    /// All of it, without the caption.
    pub span: Span,
    /// `Rule table: data by status. Severity: moderate.`
    pub caption: Option<Caption>,
}

/// A visible line in sentences of `Key: terms.`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caption {
    /// Where it stands.
    pub span: Span,
    /// What stands after the first colon: the table's dimensions, or the mode.
    pub subject: Text,
    /// The other sentences.
    pub entries: Vec<Entry>,
}

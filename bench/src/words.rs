//! Text without meaning in which a policy finds nothing: the same for a seed, different for another.

/// Numbers that a seed repeats (SplitMix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators").
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// The numbers of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One of these.
    pub fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        let count = u64::try_from(items.len()).unwrap_or(1).max(1);
        let place = usize::try_from(self.number() % count).unwrap_or(0);
        items.get(place).copied().unwrap_or_default()
    }
}

const WORDS: &[&str] = &[
    "the", "a", "of", "to", "in", "and", "for", "with", "on", "that", "this", "which", "when", "each", "after",
    "before", "report", "answer", "question", "list", "table", "page", "chapter", "section", "summary", "draft",
    "letter", "meeting", "room", "window", "garden", "river", "bridge", "engine", "wheel", "paper", "colour", "winter",
    "summer", "morning", "evening", "market", "station", "train", "harbour", "kitchen", "recipe", "bread", "water",
    "stone", "wood", "glass", "music", "story", "picture", "lesson", "exercise", "result", "reason", "idea", "plan",
    "step", "part", "piece", "write", "read", "check", "compare", "explain", "shorten", "improve", "describe", "order",
    "build", "keep", "move", "open", "close", "start", "finish", "short", "long", "clear", "simple", "quiet", "large",
    "small", "early", "late", "green", "plain", "first", "second", "last", "next", "other", "same", "new",
];

/// Sentences of `bytes` bytes or a few more.
pub fn sentences(numbers: &mut Numbers, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 32);
    while text.len() < bytes {
        let words = 6 + numbers.number() % 10;
        for place in 0..words {
            let word = numbers.pick(WORDS);
            if place == 0 {
                let mut letters = word.chars();
                text.extend(letters.next().map(|first| first.to_ascii_uppercase()));
                text.push_str(letters.as_str());
            } else {
                text.push(' ');
                text.push_str(word);
            }
        }
        text.push_str(". ");
    }
    text
}

/// One word.
pub fn word(numbers: &mut Numbers) -> &'static str {
    numbers.pick(WORDS)
}

/// What a tool gives back to an agent: a listing with paths, sizes and remarks, in lines.
pub fn listing(numbers: &mut Numbers, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 128);
    while text.len() < bytes {
        let (folder, file, size) = (word(numbers), word(numbers), numbers.number() % 900);
        text.push_str(&format!("src/{folder}/{file}.txt  {size} lines  "));
        text.push_str(sentences(numbers, 40).trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_its_length_and_is_the_same_for_a_seed() {
        let text = sentences(&mut Numbers::new(7), 500);
        assert!((500..640).contains(&text.len()), "{}", text.len());
        assert_eq!(text, sentences(&mut Numbers::new(7), 500));
        assert_ne!(text, sentences(&mut Numbers::new(8), 500));
        assert!(listing(&mut Numbers::new(7), 500).lines().count() > 4);
    }
}

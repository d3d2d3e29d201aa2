//! Variables with several values as truths, for libraries that know only these.

/// How the values of a variable become truths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// The value's number in binary. A number that is no value means the last one, so that nothing has to be excluded
    /// while diagrams are drawn.
    Binary,
    /// One truth per value, of which exactly one holds; a variable with two values is one truth.
    OneHot,
}

/// The truths of all variables, in the order of the variables.
#[derive(Clone, Debug)]
pub struct Bits {
    /// How.
    pub encoding: Encoding,
    /// The number of values of each variable.
    pub widths: Vec<u16>,
    /// The first truth of each variable, and how many it has.
    pub ranges: Vec<(u16, u16)>,
}

impl Bits {
    /// The truths of variables with so many values each.
    pub fn new(encoding: Encoding, widths: &[u16]) -> Self {
        let mut next = 0;
        let range = |width: &u16| {
            let length = match (encoding, *width) {
                (Encoding::OneHot, width) if width > 2 => width,
                (_, width) => length(width),
            };
            let first = next;
            next += length;
            (first, length)
        };
        Self { encoding, widths: widths.to_vec(), ranges: widths.iter().map(range).collect() }
    }

    /// The number of truths.
    pub fn len(&self) -> u16 {
        self.ranges.last().map_or(0, |(first, length)| first + length)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The truths of a variable, and whether they are one per value.
    pub fn of(&self, variable: u16) -> (u16, u16, bool) {
        let (first, length) = self.ranges.get(usize::from(variable)).copied().unwrap_or_default();
        let width = self.widths.get(usize::from(variable)).copied().unwrap_or_default();
        (first, length, self.encoding == Encoding::OneHot && width > 2)
    }

    /// The truths at a point: one value per variable.
    pub fn at(&self, point: &[u16]) -> Vec<bool> {
        let mut all = Vec::new();
        for (variable, value) in (0u16..).zip(point) {
            let (_, length, hot) = self.of(variable);
            let truth = |place| if hot { place == *value } else { value >> (length - 1 - place) & 1 == 1 };
            all.extend((0..length).map(truth));
        }
        all
    }
}

/// The binary digits that a number below `width` needs.
fn length(width: u16) -> u16 {
    u16::try_from(width.saturating_sub(1).checked_ilog2().map_or(0, |log| log + 1)).unwrap_or(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_truths() {
        let binary = Bits::new(Encoding::Binary, &[2, 5, 3]);
        assert_eq!(binary.ranges, [(0, 1), (1, 3), (4, 2)]);
        assert_eq!(binary.at(&[1, 4, 2]), [true, true, false, false, true, false]);
        let hot = Bits::new(Encoding::OneHot, &[2, 3]);
        assert_eq!(hot.ranges, [(0, 1), (1, 3)]);
        assert_eq!(hot.at(&[1, 2]), [true, false, false, true]);
    }
}

//! How the diagrams of a policy were put together, step by step: to put them together again elsewhere, and measure that.

use super::forest::{Diagram, Forest, How, Made};
use super::{Figures, NODES};

/// All steps that drew the diagrams of some policies. Constants are in none of them.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The number of values of each variable, in the order in which diagrams ask them.
    pub widths: Vec<u16>,
    /// The steps, each over results of earlier ones and constants.
    pub steps: Vec<Made>,
    /// The effect of the first policy's text.
    pub effect: Diagram,
    /// Where a situation is possible.
    pub possible: Diagram,
}

/// The diagrams of a recipe, put together again.
#[derive(Debug)]
pub struct Again(Forest);

impl Recipe {
    /// Follows the recipe in a forest of its own. Its diagrams have the numbers that they have here: a forest counts its
    /// nodes in the order in which they come about. `None` if they do not, which no recipe of [`super::Diagrams`] shows.
    pub fn again(&self) -> Option<Again> {
        let mut forest = Forest::new(self.widths.clone(), NODES.value());
        for step in &self.steps {
            let result = match &step.how {
                How::Asks { variable, children } => forest.node(*variable, children),
                How::Put { op, one, other } => forest.put(*op, *one, *other),
            };
            if result != Ok(step.result) {
                return None;
            }
        }
        Some(Again(forest))
    }
}

impl Again {
    /// How large it is; `nodes` are those of one diagram.
    pub fn figures(&self, of: Diagram) -> Figures {
        Figures {
            variables: 0,
            nodes: self.0.size([of]),
            made: self.0.len(),
            steps: self.0.steps(),
            bytes: self.0.bytes(),
        }
    }

    /// The number at a point: one value per variable.
    pub fn at(&self, of: Diagram, point: &[u16]) -> u8 {
        self.0.at(of, point)
    }
}

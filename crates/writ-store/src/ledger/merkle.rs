//! The tree over entry hashes (RFC 6962 section 2.1): roots, and proofs that a later tree extends an earlier one.

use sha2::{Digest, Sha256};
use writ_base::ContentHash;

/// A tree that grows at its right edge and keeps the roots of its complete subtrees only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    size: u64,
    /// From the largest subtree to the smallest: one for each bit that is set in `size`.
    frontier: Vec<ContentHash>,
}

impl Tree {
    /// The tree over `size` entries with these complete subtrees, or `None` if their number does not fit.
    pub(crate) fn resume(size: u64, frontier: Vec<ContentHash>) -> Option<Self> {
        (frontier.len() == size.count_ones() as usize).then_some(Self { size, frontier })
    }

    /// Adds an entry by its hash.
    pub(crate) fn push(&mut self, entry: ContentHash) {
        let mut node = leaf(entry);
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.frontier.pop() {
                node = parent(left, node);
            }
        }
        self.frontier.push(node);
        self.size += 1;
    }

    /// Entries in the tree.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the complete subtrees, from the largest.
    pub(crate) fn frontier(&self) -> &[ContentHash] {
        &self.frontier
    }

    /// The Merkle tree hash; of no entries it is the hash of nothing.
    pub(crate) fn root(&self) -> ContentHash {
        let mut nodes = self.frontier.iter().rev();
        let Some(smallest) = nodes.next() else { return ContentHash::of(&[]) };
        nodes.fold(*smallest, |right, left| parent(*left, right))
    }
}

/// The proof that the tree over all of `entries` extends the one over the first `earlier` of them.
pub fn prove_extension(entries: &[ContentHash], earlier: usize) -> Vec<ContentHash> {
    let mut proof = Vec::new();
    if earlier > 0 && earlier < entries.len() {
        sub_proof(entries, earlier, true, &mut proof);
    }
    proof
}

/// Whether `proof` shows that the tree of `size` entries with root `root` extends the one of `earlier` entries with
/// root `earlier_root` (RFC 9162 section 2.1.4.2).
pub fn extension_proved(
    earlier: u64,
    earlier_root: ContentHash,
    size: u64,
    root: ContentHash,
    proof: &[ContentHash],
) -> bool {
    if earlier == size {
        return earlier_root == root && proof.is_empty();
    }
    if earlier == 0 || earlier > size {
        return earlier == 0 && proof.is_empty();
    }
    let mut rest = proof.iter();
    let start = if earlier.is_power_of_two() { Some(&earlier_root) } else { rest.next() };
    let Some(start) = start else { return false };
    let (mut old, mut new) = (*start, *start);
    let shift = (earlier - 1).trailing_ones();
    let (mut node, mut last) = ((earlier - 1) >> shift, (size - 1) >> shift);
    for step in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            (old, new) = (parent(*step, old), parent(*step, new));
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = parent(new, *step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old == earlier_root && new == root
}

/// RFC 6962 section 2.1.2, `SUBPROOF`.
fn sub_proof(entries: &[ContentHash], earlier: usize, complete: bool, proof: &mut Vec<ContentHash>) {
    if earlier == entries.len() {
        if !complete {
            proof.push(tree_hash(entries));
        }
        return;
    }
    let middle = entries.len().next_power_of_two() / 2;
    let Some((left, right)) = entries.split_at_checked(middle) else { return };
    if earlier <= middle {
        sub_proof(left, earlier, complete, proof);
        proof.push(tree_hash(right));
    } else {
        sub_proof(right, earlier - middle, false, proof);
        proof.push(tree_hash(left));
    }
}

fn tree_hash(entries: &[ContentHash]) -> ContentHash {
    let mut tree = Tree::default();
    entries.iter().for_each(|entry| tree.push(*entry));
    tree.root()
}

fn leaf(entry: ContentHash) -> ContentHash {
    hash(&[&[0], entry.as_bytes()])
}

fn parent(left: ContentHash, right: ContentHash) -> ContentHash {
    hash(&[&[1], left.as_bytes(), right.as_bytes()])
}

fn hash(pieces: &[&[u8]]) -> ContentHash {
    let mut hasher = Sha256::new();
    pieces.iter().for_each(|piece| hasher.update(piece));
    ContentHash::from_bytes(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(count: u8) -> Vec<ContentHash> {
        (0..count).map(|n| ContentHash::of(&[n])).collect()
    }

    /// RFC 6962 section 2.1, word by word.
    fn literal(entries: &[ContentHash]) -> ContentHash {
        match entries {
            [] => ContentHash::of(&[]),
            [one] => leaf(*one),
            more => {
                let mut k = 1;
                while k * 2 < more.len() {
                    k *= 2;
                }
                parent(literal(&more[..k]), literal(&more[k..]))
            }
        }
    }

    #[test]
    fn roots_are_those_of_the_rfc() {
        let all = entries(70);
        let mut tree = Tree::default();
        for size in 0..=all.len() {
            assert_eq!(tree.root(), literal(&all[..size]), "{size}");
            assert_eq!(Tree::resume(tree.size(), tree.frontier().to_vec()), Some(tree.clone()));
            if let Some(entry) = all.get(size) {
                tree.push(*entry);
            }
        }
    }

    #[test]
    fn extension_is_proved_for_every_pair_and_for_no_other_root() {
        let all = entries(40);
        for size in 1..=all.len() {
            for earlier in 1..=size {
                let proof = prove_extension(&all[..size], earlier);
                let (old, new) = (literal(&all[..earlier]), literal(&all[..size]));
                let proved = |old, new, proof: &[_]| extension_proved(earlier as u64, old, size as u64, new, proof);
                assert!(proved(old, new, &proof), "{earlier} of {size}");
                assert!(!proved(ContentHash::of(b"x"), new, &proof));
                assert!(!proved(old, ContentHash::of(b"x"), &proof));
                let mut longer = proof.clone();
                longer.push(old);
                assert!(!proved(old, new, &longer));
                if let [.., _] = proof[..] {
                    assert!(!proved(old, new, &proof[..proof.len() - 1]));
                }
            }
        }
    }
}

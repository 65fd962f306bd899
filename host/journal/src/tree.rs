//! The Merkle tree over all lines (RFC 6962 §2.1), of which only the right edge is kept.
//!
//! Leaf and node hashes begin with different bytes, so that no inner node can be shown as a line.

use sha2::{Digest as _, Sha256};

/// A SHA-256 hash.
pub(super) type Hash = [u8; 32];

/// A tree that can grow and compute its root; its memory grows with the logarithm of its size.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    size: u64,
    /// Roots of the complete subtrees, the largest first: one per bit that is set in `size`.
    peaks: Vec<Hash>,
}

impl Tree {
    /// Returns the tree of so many leaves that has these peaks, or `None` if there is none.
    pub(super) fn of_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        let expected = usize::try_from(size.count_ones()).ok()?;
        (peaks.len() == expected).then_some(Self { size, peaks })
    }

    /// Returns the roots of the complete subtrees, the largest first.
    pub(super) fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Returns the number of leaves.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash.
    pub(super) fn push(&mut self, leaf: Hash) {
        let mut right = leaf;
        let merges = self.size.trailing_ones();
        for _ in 0..merges {
            if let Some(left) = self.peaks.pop() {
                right = node_hash(&left, &right);
            }
        }
        self.peaks.push(right);
        self.size += 1;
    }

    /// Returns the root; with no leaves, it is the hash of nothing.
    pub(super) fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return Sha256::digest([]).into();
        };
        peaks.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// Returns the hash of a line, without its line break.
pub(super) fn leaf_hash(line: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(line)
        .finalize()
        .into()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Computes the root by the definition of RFC 6962 §2.1, word for word.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                node_hash(&defined(&leaves[..split]), &defined(&leaves[split..]))
            }
        }
    }

    #[test]
    fn the_root_is_the_defined_one_at_every_size() {
        let mut tree = Tree::default();
        let mut leaves = Vec::new();
        for n in 0_u32..300 {
            assert_eq!(tree.root(), defined(&leaves), "{n}");
            assert_eq!(tree.size(), u64::from(n));
            assert_eq!(
                tree.peaks.len(),
                usize::try_from(n.count_ones()).unwrap_or_default()
            );
            let leaf = leaf_hash(&n.to_be_bytes());
            leaves.push(leaf);
            tree.push(leaf);
        }
    }

    #[test]
    fn the_published_roots_of_certificate_transparency_come_out() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\0",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Tree::default();
        for (leaf, expected) in leaves.into_iter().zip(roots) {
            tree.push(leaf_hash(leaf));
            let root = tree.root();
            let (high, low) = root.split_at(16);
            let root = [high, low]
                .map(|half| format!("{:032x}", u128::from_be_bytes(half.try_into().unwrap())))
                .concat();
            assert_eq!(root, expected);
        }
    }
}

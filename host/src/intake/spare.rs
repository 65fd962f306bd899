//! Compiled code that is kept although no policy uses it: that of the versions that went out of use
//! last.
//!
//! Invariant: at most [`MOST`] of them, so that memory does not grow with the number of changes.

use std::collections::VecDeque;

/// Digests of code that is out of use, the latest last.
#[derive(Default)]
pub(super) struct Spare(VecDeque<String>);

impl Spare {
    /// Notes which of `all` is not used any more, or is used again.
    pub(super) fn update<'d>(
        &mut self,
        all: impl Iterator<Item = &'d String>,
        used: impl Fn(&str) -> bool,
    ) {
        self.0.retain(|digest| !used(digest));
        for digest in all.filter(|digest| !used(digest)) {
            if !self.holds(digest) {
                self.0.push_back(digest.clone());
            }
        }
        while self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// Returns true if the code with that digest is kept.
    pub(super) fn holds(&self, digest: &str) -> bool {
        self.0.iter().any(|kept| kept == digest)
    }
}

/// Enough to go back once in a few components.
const MOST: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_that_went_out_of_use_last_is_kept() {
        let mut spare = Spare::default();
        let all: Vec<String> = (0..10).map(|version| format!("v{version}")).collect();
        for used in &all {
            spare.update(all.iter().filter(|digest| *digest <= used), |digest| {
                digest == used
            });
        }
        let kept: Vec<_> = all
            .iter()
            .filter(|digest| spare.holds(digest))
            .cloned()
            .collect();
        assert_eq!(kept.len(), MOST);
        assert!(spare.holds("v8"), "going back is quick: {kept:?}");
        spare.update(all.iter(), |digest| digest == "v8");
        assert!(!spare.holds("v8"), "what is used is not spare");
    }
}

//! The newest of many things, for tests and for people who look: a workbench runs for weeks, and
//! any page in a browser can send it requests.

use std::collections::VecDeque;

/// Things in their order. The oldest makes room for the newest.
pub(crate) struct Newest<T>(VecDeque<T>);

impl<T: Clone> Newest<T> {
    pub(crate) fn new() -> Self {
        Self(VecDeque::new())
    }

    pub(crate) fn push(&mut self, one: T) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(one);
    }

    /// Returns what is kept, the oldest first.
    pub(crate) fn all(&self) -> Vec<T> {
        self.0.iter().cloned().collect()
    }
}

const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_in_their_order() {
        let mut newest = Newest::new();
        for number in 0..MOST + 2 {
            newest.push(number);
        }
        let kept = newest.all();
        assert_eq!(kept.len(), MOST);
        assert_eq!((kept.first(), kept.last()), (Some(&2), Some(&(MOST + 1))));
    }
}

//! Things under names that nobody guesses, each for a while and no more than so many.

use std::collections::VecDeque;

/// A bounded store. The oldest makes room for the newest, so a flood locks nobody out for good.
pub(super) struct Kept<T> {
    most: usize,
    seconds: u64,
    entries: VecDeque<Entry<T>>,
}

struct Entry<T> {
    id: String,
    until: u64,
    value: T,
}

impl<T> Kept<T> {
    /// Keeps at most `most` things, each for `seconds`.
    pub(super) fn new(most: usize, seconds: u64) -> Self {
        Self {
            most,
            seconds,
            entries: VecDeque::new(),
        }
    }

    pub(super) fn put(&mut self, id: String, value: T, now: u64) {
        self.entries.retain(|entry| entry.until > now);
        while self.entries.len() >= self.most {
            self.entries.pop_front();
        }
        let until = now.saturating_add(self.seconds);
        self.entries.push_back(Entry { id, until, value });
    }

    pub(super) fn get(&self, id: &str, now: u64) -> Option<&T> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.id == id && entry.until > now)?;
        Some(&entry.value)
    }

    /// Returns a thing and forgets it.
    pub(super) fn take(&mut self, id: &str, now: u64) -> Option<T> {
        let position = self.entries.iter().position(|entry| entry.id == id)?;
        let entry = self.entries.remove(position)?;
        (entry.until > now).then_some(entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_kept_until_it_is_taken_too_old_or_the_oldest_of_too_many() {
        let mut kept = Kept::new(2, 10);
        kept.put("a".to_owned(), 1, 100);
        assert_eq!((kept.get("a", 109), kept.get("a", 110)), (Some(&1), None));
        kept.put("b".to_owned(), 2, 101);
        kept.put("c".to_owned(), 3, 102);
        assert_eq!((kept.get("a", 103), kept.get("b", 103)), (None, Some(&2)));
        assert_eq!((kept.take("c", 103), kept.take("c", 103)), (Some(3), None));
        assert_eq!(kept.take("b", 111), None);
    }
}

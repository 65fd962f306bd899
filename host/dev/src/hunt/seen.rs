//! What people saw: every text is searched for the marks of others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::people::marks;

/// Everything that was seen so far.
#[derive(Default)]
pub(super) struct Seen {
    own: AtomicUsize,
    foreign: AtomicUsize,
    /// The first values that were another's, with the text around each.
    examples: Mutex<Vec<String>>,
    counts: Mutex<BTreeMap<&'static str, usize>>,
}

impl Seen {
    /// Searches a text that is for the person of a mark. Returns the number of that person's values
    /// in it.
    pub(super) fn look(&self, mark: &str, text: &str) -> usize {
        let mut own = 0;
        for seen in marks(text) {
            if seen == mark {
                own += 1;
            } else {
                self.found(&format!("{mark} sees {seen} in {text}"));
            }
        }
        self.own.fetch_add(own, Ordering::Relaxed);
        own
    }

    /// Searches a line that is for one person, whoever that is.
    pub(super) fn look_at_line(&self, line: &str) {
        if let Some(first) = marks(line).next() {
            self.look(first, line);
        }
    }

    /// Counts a value that someone else's eyes were on.
    pub(super) fn found(&self, what: &str) {
        self.foreign.fetch_add(1, Ordering::Relaxed);
        let mut examples = lock(&self.examples);
        if examples.len() < EXAMPLES {
            examples.push(what.to_owned());
        }
    }

    /// Counts something that happened.
    pub(super) fn count(&self, what: &'static str) {
        *lock(&self.counts).entry(what).or_default() += 1;
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, usize> {
        lock(&self.counts).clone()
    }

    pub(super) fn own(&self) -> usize {
        self.own.load(Ordering::Relaxed)
    }

    pub(super) fn foreign(&self) -> usize {
        self.foreign.load(Ordering::Relaxed)
    }

    pub(super) fn examples(&self) -> Vec<String> {
        lock(&self.examples).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of values of others that are kept.
const EXAMPLES: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_is_noticed_wherever_it_is() {
        let [own, other] = ['a', 'b'].map(|digit| format!("mk-{}", digit.to_string().repeat(32)));
        for (text, foreign) in [
            (format!("{own}{own} mk-none"), 0),
            (format!("%22{other}%22"), 1),
            (format!("[{own},\"{other}\\n{other}\"]"), 2),
        ] {
            let seen = Seen::default();
            assert_eq!(seen.look(&own, &text), text.matches(&own).count());
            assert_eq!(seen.foreign(), foreign, "{text}");
            let seen = Seen::default();
            seen.look_at_line(&text);
            assert_eq!(seen.foreign(), usize::from(text.contains(&own)) * foreign);
        }
    }
}

//! The resources whose changes a session wants to hear of.
//!
//! A resource has changed when other code is behind its URI. Invariant: only URIs that the caller
//! could see were subscribed to, and only changes of those that the caller sees are told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The subscriptions of one session.
#[derive(Default)]
pub(super) struct Subscriptions(Mutex<Subscribed>);

#[derive(Default)]
struct Subscribed {
    /// The digest of the component behind each URI, as it was last seen.
    components: BTreeMap<String, String>,
    /// The URIs of which the client has not been told yet.
    changed: BTreeSet<String>,
    /// The number of changes that were seen.
    count: u64,
}

impl Subscriptions {
    /// Adds a URI with the component behind it. Returns false if there are too many.
    pub(super) fn add(&self, uri: &str, component: String) -> bool {
        let mut state = self.lock();
        let is_known = state.components.contains_key(uri);
        let bytes = state.components.keys().map(String::len).sum::<usize>();
        let fits = state.components.len() < MOST && bytes.saturating_add(uri.len()) <= MAX_BYTES;
        if fits || is_known {
            state.components.insert(uri.to_owned(), component);
        }
        fits || is_known
    }

    /// Removes a URI.
    pub(super) fn remove(&self, uri: &str) {
        let mut state = self.lock();
        state.components.remove(uri);
        state.changed.remove(uri);
    }

    /// Looks at the components behind all URIs. Returns the number of changes so far.
    pub(super) fn look(&self, component: impl Fn(&str) -> Option<String>) -> u64 {
        let mut state = self.lock();
        let Subscribed {
            components,
            changed,
            count,
        } = &mut *state;
        for (uri, known) in components {
            match component(uri) {
                Some(now) if now != *known => {
                    *known = now;
                    changed.insert(uri.clone());
                    *count += 1;
                }
                Some(_) => {}
                // One that the caller does not see any more is a change of a list.
                None => {
                    changed.remove(uri);
                }
            }
        }
        *count
    }

    /// Takes the URIs of which the client has not been told yet.
    pub(super) fn take_changed(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().changed)
            .into_iter()
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Subscribed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The most subscriptions of one session.
const MOST: usize = 64;
/// The most bytes of their URIs: the client chooses those of a family.
const MAX_BYTES: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_once_and_only_of_what_is_subscribed_to_and_seen() {
        let subscriptions = Subscriptions::default();
        for uri in ["a:1", "a:2", "a:gone"] {
            assert!(subscriptions.add(uri, "one".into()));
        }
        let look = |code: &str| {
            let seen = |uri: &str| (uri != "a:gone").then(|| code.to_owned());
            subscriptions.look(seen)
        };
        assert_eq!(look("one"), 0);
        assert_eq!(look("two"), 2);
        subscriptions.remove("a:2");
        assert_eq!(look("two"), 2);
        assert_eq!(subscriptions.take_changed(), ["a:1"]);
        assert!(subscriptions.take_changed().is_empty());
        assert_eq!(look("one"), 3);
        assert_eq!(subscriptions.take_changed(), ["a:1"]);
    }

    #[test]
    fn a_change_is_not_told_once_its_resource_is_no_longer_seen() {
        for (is_seen, told) in [(false, vec![]), (true, vec!["a:1".to_owned()])] {
            let subscriptions = Subscriptions::default();
            assert!(subscriptions.add("a:1", "one".into()));
            assert_eq!(subscriptions.look(|_| Some("two".to_owned())), 1);
            subscriptions.look(|_| is_seen.then(|| "two".to_owned()));
            assert_eq!(subscriptions.take_changed(), told, "{is_seen}");
        }
    }

    #[test]
    fn a_session_has_so_many_subscriptions_and_no_more() {
        let subscriptions = Subscriptions::default();
        for number in 0..MOST {
            assert!(subscriptions.add(&format!("a:{number}"), String::new()));
        }
        assert!(!subscriptions.add("a:more", String::new()));
        assert!(subscriptions.add("a:0", String::new()));
        subscriptions.remove("a:0");
        assert!(!subscriptions.add(&"a".repeat(MAX_BYTES), String::new()));
        assert!(subscriptions.add("a:more", String::new()));
        let subscriptions = Subscriptions::default();
        let half = |name: &str| name.repeat(MAX_BYTES / 2);
        assert!(subscriptions.add(&half("a"), String::new()));
        assert!(subscriptions.add(&half("b"), String::new()));
        assert!(!subscriptions.add("c", String::new()));
        assert!(subscriptions.add(&half("b"), String::new()));
    }
}

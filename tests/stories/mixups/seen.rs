//! What callers saw: every byte is searched for the names, marks and issuers of others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::callers::Caller;

/// What all callers saw so far.
pub(super) struct Seen {
    /// The issuer of each tenant.
    pub(super) issuers: [String; 2],
    texts: AtomicUsize,
    own: AtomicUsize,
    foreign: Mutex<Vec<String>>,
    counts: Mutex<BTreeMap<String, usize>>,
}

impl Seen {
    pub(super) fn by(issuers: [String; 2]) -> Self {
        Self {
            issuers,
            texts: AtomicUsize::default(),
            own: AtomicUsize::default(),
            foreign: Mutex::default(),
            counts: Mutex::default(),
        }
    }

    /// Searches a text that a caller saw.
    pub(super) fn look(&self, caller: Caller, text: &str) {
        let (sub, mark) = (caller.sub(), caller.mark());
        let names = text.match_indices(NAME).map(|(at, _)| name_at(text, at));
        let named = names.filter(|name| name.bytes().any(|byte| byte.is_ascii_digit()));
        let (own, mut foreign): (Vec<_>, Vec<_>) =
            named.partition(|name| *name == sub || *name == mark);
        let others = self.issuers.iter().enumerate();
        let others = others.filter(|(tenant, _)| *tenant != caller.tenant);
        foreign.extend(others.filter_map(|(_, url)| text.contains(url).then_some(url.as_str())));
        for name in foreign {
            self.found(caller, name, text);
        }
        self.own.fetch_add(own.len(), Ordering::Relaxed);
        self.texts.fetch_add(1, Ordering::Relaxed);
    }

    /// Keeps a value that is not for the caller who saw it.
    pub(super) fn found(&self, caller: Caller, value: &str, text: &str) {
        let found = format!("{} sees {value} in {text}", caller.mark());
        lock(&self.foreign).push(found);
    }

    /// Counts something that happened.
    pub(super) fn count(&self, what: impl Into<String>) {
        *lock(&self.counts).entry(what.into()).or_default() += 1;
    }

    /// Returns how often each thing happened.
    pub(super) fn counts(&self) -> BTreeMap<String, usize> {
        lock(&self.counts).clone()
    }

    /// Returns the number of texts that callers saw, and that of their own values in them.
    pub(super) fn figures(&self) -> (usize, usize) {
        let read = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        (read(&self.texts), read(&self.own))
    }

    /// Returns the values of others that callers saw, each with the text around it.
    pub(super) fn foreign(&self) -> Vec<String> {
        lock(&self.foreign).clone()
    }
}

/// Returns the name or the mark that begins at a place.
fn name_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    let in_name = |byte: char| byte.is_ascii_alphanumeric() || byte == '-' || byte == '.';
    let end = rest.find(|byte| !in_name(byte)).unwrap_or(rest.len());
    // A full stop ends a sentence.
    rest.get(..end).unwrap_or_default().trim_end_matches('.')
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The beginning of the name of each user.
const NAME: &str = "user-";

#[test]
fn a_value_of_another_is_noticed_wherever_it_is() {
    let caller = Caller::at(0);
    let another_agent = Caller::at(1).mark();
    let another_tenant = Caller::at(2);
    let another = Caller::at(4);
    let issuers = ["http://127.0.0.1:40001", "http://127.0.0.1:40002"].map(String::from);
    let own = format!(
        "{}/{}. the user-agent of http://127.0.0.1:40001",
        caller.sub(),
        caller.mark()
    );
    for (text, foreign) in [
        (own.clone(), 0),
        (format!("{own} {another_agent}"), 1),
        (format!("a:b/{}/c", another_tenant.mark()), 1),
        (format!("[{}]{own}\"{}\"", another.sub(), another.mark()), 2),
        (format!("{{\"iss\":\"{}\"}}", "http://127.0.0.1:40002"), 1),
    ] {
        let seen = Seen::by(issuers.clone());
        seen.look(caller, &text);
        assert_eq!(seen.foreign().len(), foreign, "{text}");
    }
}

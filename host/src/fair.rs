//! A bounded map that its owners share fairly.
//!
//! Invariant: when the map is full, the owner of most entries loses the oldest of them. An owner
//! who floods the map loses nothing but their own.

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use crate::principal::Principal;

/// Values by key, each with an owner and the time at which it expires.
pub struct FairMap<K, V> {
    entries: HashMap<Arc<K>, Numbered<V>>,
    /// The keys of each owner, the oldest first.
    owned: HashMap<Arc<Principal>, BTreeMap<u64, Arc<K>>>,
    /// The owners by the number of their entries. Of owners with equally many, the one whose
    /// oldest entry is the oldest of all comes last.
    ranks: BTreeSet<Rank>,
    most: usize,
    /// The number of the next entry.
    next: u64,
}

/// A value with its owner, of no use from `until` on.
pub struct Owned<V> {
    /// The owner.
    pub owner: Principal,
    /// The time at which it expires.
    pub until: u64,
    /// The value itself.
    pub value: V,
}

struct Numbered<V> {
    value: V,
    until: u64,
    owner: Arc<Principal>,
    number: u64,
}

/// The number of an owner's entries, and the oldest of them.
type Rank = (usize, Reverse<u64>, Arc<Principal>);

impl<K: Eq + Hash, V> FairMap<K, V> {
    /// Makes a map of at most `most` entries.
    pub fn new(most: usize) -> Self {
        Self {
            entries: HashMap::new(),
            owned: HashMap::new(),
            ranks: BTreeSet::new(),
            most,
            next: 0,
        }
    }

    /// Returns the value under `key`, whether or not it has expired.
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        Arc<K>: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// Inserts a value. Drops every expired value now and then, and one value whenever there is no
    /// room.
    pub fn insert(&mut self, key: K, new: Owned<V>, now: u64) {
        if self.next % SWEEP == SWEEP - 1 {
            self.sweep(now);
        }
        self.remove(&key);
        if self.entries.len() >= self.most {
            self.evict(&new.owner);
        }
        let key = Arc::new(key);
        let entry = Numbered {
            value: new.value,
            until: new.until,
            owner: Arc::new(new.owner),
            number: self.next,
        };
        self.next += 1;
        self.change(&entry.owner, |keys| {
            keys.insert(entry.number, Arc::clone(&key));
        });
        self.entries.insert(key, entry);
    }

    /// Removes the value under `key`.
    pub fn remove<Q>(&mut self, key: &Q)
    where
        Arc<K>: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(entry) = self.entries.remove(key) {
            self.change(&entry.owner, |keys| {
                keys.remove(&entry.number);
            });
        }
    }

    /// Removes every entry that `is_unwanted`.
    pub fn remove_all(&mut self, is_unwanted: impl Fn(&K, &V) -> bool) {
        let unwanted = self
            .entries
            .iter()
            .filter(|(key, entry)| is_unwanted(key, &entry.value));
        let unwanted: Vec<_> = unwanted.map(|(key, _)| Arc::clone(key)).collect();
        for key in &unwanted {
            self.remove(key);
        }
    }

    /// Makes room for an entry of `owner`: at the owner's own expense if no one has more.
    fn evict(&mut self, owner: &Principal) {
        let own = self.owned.get(owner);
        let largest = self
            .ranks
            .last()
            .filter(|(count, ..)| own.is_none_or(|own| own.len() < *count));
        let keys = largest.map_or(own, |(.., largest)| self.owned.get(largest));
        if let Some(oldest) = keys.and_then(|keys| keys.first_key_value()) {
            let oldest = Arc::clone(oldest.1);
            self.remove(&oldest);
        }
    }

    fn sweep(&mut self, now: u64) {
        let expired = self.entries.iter().filter(|(_, entry)| entry.until <= now);
        let expired: Vec<_> = expired.map(|(key, _)| Arc::clone(key)).collect();
        for key in &expired {
            self.remove(key);
        }
    }

    /// Changes the keys of an owner, and the owner's rank with them.
    fn change(&mut self, owner: &Arc<Principal>, change: impl FnOnce(&mut BTreeMap<u64, Arc<K>>)) {
        let mut keys = self.owned.remove(owner).unwrap_or_default();
        if let Some(before) = rank(owner, &keys) {
            self.ranks.remove(&before);
        }
        change(&mut keys);
        if let Some(after) = rank(owner, &keys) {
            self.ranks.insert(after);
            self.owned.insert(Arc::clone(owner), keys);
        }
    }
}

fn rank<K>(owner: &Arc<Principal>, keys: &BTreeMap<u64, Arc<K>>) -> Option<Rank> {
    let (oldest, _) = keys.first_key_value()?;
    Some((keys.len(), Reverse(*oldest), Arc::clone(owner)))
}

/// The number of insertions after which expired values are dropped.
const SWEEP: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a value of `name` that expires at 100.
    fn of<V>(name: &str, value: V) -> Owned<V> {
        Owned {
            owner: Principal::new("https://idp.example", name),
            until: 100,
            value,
        }
    }

    fn left<V>(map: &FairMap<u32, V>) -> Vec<u32> {
        let mut left: Vec<_> = map.entries.keys().map(|key| **key).collect();
        left.sort_unstable();
        left
    }

    fn is_consistent<V>(map: &FairMap<u32, V>) -> bool {
        let owned: usize = map.owned.values().map(BTreeMap::len).sum();
        owned == map.entries.len() && map.ranks.len() == map.owned.len()
    }

    #[test]
    fn an_owner_who_floods_the_map_loses_nothing_but_their_own() {
        let mut map = FairMap::new(10);
        for key in 0..3 {
            map.insert(key, of("alice", ()), 0);
        }
        for key in 100..1100 {
            map.insert(key, of("mallory", ()), 0);
        }
        let all = [0, 1, 2, 1093, 1094, 1095, 1096, 1097, 1098, 1099];
        assert_eq!(left(&map), all);
        // A newcomer takes a place of the one who has most.
        map.insert(3, of("bob", ()), 0);
        let all = [0, 1, 2, 3, 1094, 1095, 1096, 1097, 1098, 1099];
        assert_eq!(left(&map), all);
        assert!(is_consistent(&map));
    }

    #[test]
    fn of_many_owners_with_one_entry_each_the_oldest_goes() {
        let mut map = FairMap::new(10);
        for key in 0..25 {
            map.insert(key, of(&key.to_string(), ()), 0);
        }
        assert_eq!(left(&map), (15..25).collect::<Vec<_>>());
        assert!(is_consistent(&map));
    }

    #[test]
    fn what_is_unwanted_is_removed_and_nothing_else() {
        let mut map = FairMap::new(10);
        for key in 0..6 {
            map.insert(key, of(if key % 2 == 0 { "alice" } else { "bob" }, key), 0);
        }
        map.remove_all(|key, value| key == value && key % 3 == 0);
        assert_eq!(left(&map), [1, 2, 4, 5]);
        assert!(is_consistent(&map));
    }

    #[test]
    fn what_is_evicted_replaced_removed_or_expired_is_dropped() {
        let mut map = FairMap::new(2);
        let values = [0, 1, 2, 3].map(Arc::new);
        let held = || values.each_ref().map(Arc::strong_count);
        for (key, value, expected, what) in [
            (0, 0, [2, 1, 1, 1], "the map has room"),
            (1, 1, [2, 2, 1, 1], "the map has room"),
            (2, 2, [1, 2, 2, 1], "the oldest is evicted"),
            (2, 3, [1, 2, 1, 2], "the same key is replaced"),
        ] {
            let value = values.get(value).map(Arc::clone);
            map.insert(key, of("alice", value), 0);
            assert_eq!(held(), expected, "{what}");
        }
        map.remove(&2);
        assert_eq!(held(), [1, 2, 1, 1], "the removed is dropped");
        for _ in 0..SWEEP {
            map.insert(9, of("bob", None), 100);
        }
        assert_eq!(held(), [1; 4], "the expired is swept");
        assert!(is_consistent(&map));
    }
}

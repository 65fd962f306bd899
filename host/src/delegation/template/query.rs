//! The query of a template: what a request may have for each key.
//!
//! Invariant: what the operator or the host fixes for a key is there once, and no other key may be
//! read as the same one.

use std::cmp::Reverse;

use super::slot::{Hole, Slot, plain, slot};
use crate::downstream::Part;

/// The query of a template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct QuerySlots(Vec<KeySlot>);

/// What a request may have for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KeySlot {
    key: String,
    slot: Slot,
    /// Whether the key may be there more than once, each time with a value of its own.
    repeats: bool,
}

impl QuerySlots {
    /// Reads the query of a template; returns the pair that is malformed.
    pub(super) fn read(query: &str) -> Result<Self, String> {
        let mut slots: Vec<KeySlot> = Vec::new();
        for pair in query.split('&') {
            let read = KeySlot::read(pair);
            let read = read.filter(|read| slots.iter().all(|other| read.is_apart_from(other)));
            slots.push(read.ok_or_else(|| pair.to_owned())?);
        }
        Ok(Self(slots))
    }

    /// Returns what each key may have, in the order of the template.
    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.0.iter().map(|own| &own.slot)
    }

    /// Returns true if it has a key of this name, whatever its case, or one with brackets, which
    /// some services read into the same parameter.
    pub(super) fn has_parameter(&self, name: &str) -> bool {
        let named = |own: &KeySlot| {
            let plain = own.key.split('[').next().unwrap_or_default();
            plain.eq_ignore_ascii_case(name)
        };
        self.0.iter().any(named)
    }

    /// Returns a query that it covers.
    pub(super) fn example(&self) -> Vec<(String, Part)> {
        let pair = |own: &KeySlot| (own.key.clone(), own.slot.example());
        self.0.iter().map(pair).collect()
    }

    /// Returns true if it has the query. Values that a tool chooses may be left out; others must be
    /// there, once.
    pub(super) fn covers(&self, given: &[(String, Part)]) -> bool {
        let counts = |own: &KeySlot| {
            let count = given.iter().filter(|(key, _)| *key == own.key).count();
            match count {
                0 => own.slot.is_free(),
                1 => true,
                _ => own.repeats,
            }
        };
        let named = |(key, part): &(String, Part)| {
            let own = self.0.iter().find(|own| own.key == *key);
            own.is_some_and(|own| own.slot.admits(part))
        };
        given.iter().all(named) && self.0.iter().all(counts)
    }

    /// Returns true if a service may read a query as this one has it, whichever of its values it
    /// takes for a key that is there several times.
    pub(super) fn reads(&self, given: &[(String, Part)]) -> bool {
        let fits = |own: &KeySlot| {
            let mut parts = given.iter().filter(|(key, _)| *key == own.key).peekable();
            (own.slot.is_free() && parts.peek().is_none())
                || parts.any(|(_, part)| own.slot.reads(part))
        };
        let named = |(key, _): &(String, Part)| self.0.iter().any(|own| own.key == *key);
        given.iter().all(named) && self.0.iter().all(fits)
    }

    /// Returns true if it fixes something that the other one does not.
    pub(super) fn fixes_more_than(&self, other: &Self) -> bool {
        let mut fixed = self.0.iter().filter(|own| !own.slot.is_free());
        fixed.any(|own| !other.0.contains(own))
    }

    /// Returns how closely it describes a query that it covers; the greatest is the closest: by the
    /// values that are fixed, then the fewest keys, then the fewest that repeat.
    pub(super) fn closeness(&self) -> (usize, Reverse<usize>, Reverse<usize>) {
        let fixed = self.slots().filter(|slot| !slot.is_free()).count();
        let repeating = self.0.iter().filter(|own| own.repeats).count();
        (fixed, Reverse(self.0.len()), Reverse(repeating))
    }
}

impl KeySlot {
    fn read(pair: &str) -> Option<Self> {
        let (key, value) = pair.split_once('=')?;
        let repeats = value == REPEATED;
        let slot = if repeats {
            Slot::Pieces(vec![Hole::Free])
        } else {
            slot(value).filter(|slot| !slot.is_rest())?
        };
        is_key(key).then(|| Self {
            key: key.to_owned(),
            slot,
            repeats,
        })
    }

    /// Returns true if no service reads both keys into one parameter of which one is fixed: a form
    /// has `user[]=bob` in place of `user=alice` for some, and `User=bob` for others.
    fn is_apart_from(&self, other: &Self) -> bool {
        let continues = |long: &str, short: &str| {
            let rest = long.strip_prefix(short);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        };
        let is_free = self.slot.is_free() && other.slot.is_free();
        let [own, others] = [self, other].map(|one| one.key.to_ascii_lowercase());
        let is_one = continues(&own, &others) || continues(&others, &own);
        self.key != other.key && (is_free || !is_one)
    }
}

/// Returns true if a text is a key: a name, with members in brackets (`filter[status]`, `tags[]`).
fn is_key(key: &str) -> bool {
    let (name, members) = key.split_at(key.find('[').unwrap_or(key.len()));
    let is_member = |member: &str| {
        let member = member.strip_suffix(']');
        member.is_some_and(|member| plain(member).is_some())
    };
    plain(name).is_some()
        && !matches!(name, "" | "." | "..")
        && members.split('[').skip(1).all(is_member)
}

/// Any number of values, each with the key.
const REPEATED: &str = "{*}";

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::QuerySlots;
    use crate::downstream::{Part, Piece};

    /// Returns a query that is written as text; `@sub` stands for the actor's subject.
    fn given(query: &str) -> Vec<(String, Part)> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let part = |text: &str| match text {
            "@sub" => Part(vec![Piece::ActorSub]),
            text => Part(vec![Piece::Text(text.to_owned())]),
        };
        pairs
            .map(|(key, text)| (key.to_owned(), part(text)))
            .collect()
    }

    #[test]
    fn a_service_may_take_any_value_of_a_key_that_is_repeated() {
        for (own, query, covered, read) in [
            ("tag={*}", "", true, true),
            ("tag={*}", "tag=a", true, true),
            ("tag={*}", "tag=a&tag=b", true, true),
            ("tag={*}", "tag=@sub", false, false),
            ("tag={*}", "tag=a&other=b", false, false),
            ("tag={}", "tag=a&tag=b", false, true),
            ("tag=secret", "tag=a&tag=Secret", false, true),
            ("tag=secret", "tag=a&tag=b", false, false),
            ("tag=secret", "", false, false),
            ("tag=secret&of={*}", "tag=secret&of=a&of=b", true, true),
            ("u={actor.sub}", "u=@sub&u=bob", false, true),
            ("u={actor.sub}", "u=alice&u=bob", false, false),
            ("f[a]={}&f[b]={*}", "f[b]=1&f[a]=2&f[b]=3", true, true),
            ("f[a]={}", "f[c]=1", false, false),
        ] {
            let (own, query) = (QuerySlots::read(own).unwrap(), given(query));
            assert_eq!(own.covers(&query), covered, "{own:?} {query:?}");
            assert_eq!(own.reads(&query), read, "{own:?} {query:?}");
        }
    }

    #[test]
    fn no_key_is_read_as_one_that_is_fixed() {
        for (query, wrong) in [
            ("a={*}&a={}", "a={}"),
            ("a={*}b", "a={*}b"),
            ("a={**}", "a={**}"),
            ("a", "a"),
            ("=a", "=a"),
            ("[a]={}", "[a]={}"),
            ("a[={}", "a[={}"),
            ("a]={}", "a]={}"),
            ("a[b]c={}", "a[b]c={}"),
            ("a[b][={}", "a[b][={}"),
            ("a%5B={}", "a%5B={}"),
            ("u={actor.sub}&u[]={*}", "u[]={*}"),
            ("u[]={*}&u={actor.sub}", "u={actor.sub}"),
            ("u[a]=b&u[a][c]={}", "u[a][c]={}"),
            ("u={actor.sub}&U={}", "U={}"),
            ("U[]={*}&u={actor.sub}", "u={actor.sub}"),
        ] {
            assert_eq!(QuerySlots::read(query), Err(wrong.to_owned()), "{query}");
        }
        for query in [
            "a={*}&b={}",
            "a[]={*}&a[b][c]={}",
            "a={}&a[b]={}",
            "u={actor.sub}&us[]={*}",
            "u[a]={actor.sub}&u[b]={}",
            "a={}&A[]={*}",
        ] {
            assert!(QuerySlots::read(query).is_ok(), "{query}");
        }
    }

    #[test]
    fn brackets_and_case_do_not_hide_a_parameter() {
        for (query, expected) in [
            ("key={}", true),
            ("Key={}", true),
            ("key[]={*}", true),
            ("keys={}&other[key]={}", false),
        ] {
            let read = QuerySlots::read(query).unwrap();
            assert_eq!(read.has_parameter("key"), expected, "{query}");
        }
    }
}

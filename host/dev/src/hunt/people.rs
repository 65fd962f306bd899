//! The people of a hunt: principals that are as alike as two principals can be, and their marks.

use anyhow::Result;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use crate::clock::fresh_id;

/// The issuers that name the same subjects.
pub(super) const HOMES: usize = 3;
/// The tenants that each of them has. Two differ in case alone.
const TENANTS: [&str; 3] = ["north", "North", "south"];
/// The clients through which people come.
const AGENTS: [&str; 2] = ["clerk", "planner"];

/// One principal.
#[derive(Clone, Debug)]
pub(super) struct Person {
    /// The place of the issuer.
    pub(super) home: usize,
    pub(super) tenant: &'static str,
    pub(super) sub: String,
    /// True for a service account, which has a user's name.
    pub(super) account: bool,
}

impl Person {
    /// Returns one of the clients through which this person comes.
    pub(super) fn agent(&self, place: usize) -> &str {
        if self.account {
            return &self.sub;
        }
        AGENTS.get(place).copied().unwrap_or_default()
    }
}

/// Returns so many people. Neighbours differ in one thing.
pub(super) fn crowd(count: usize) -> Vec<Person> {
    let of_base = |base| {
        let kinds = (0..HOMES).flat_map(|home| TENANTS.map(|tenant| (home, tenant)));
        spellings(base).into_iter().flat_map(move |(sub, account)| {
            kinds.clone().map(move |(home, tenant)| Person {
                home,
                tenant,
                sub: sub.clone(),
                account,
            })
        })
    };
    (0..).flat_map(of_base).take(count).collect()
}

/// Returns the ways to write one name that a careless comparison takes for the same, and whether a
/// service account has it.
fn spellings(base: usize) -> Vec<(String, bool)> {
    let plain = format!("usér-{base:03}");
    let users = [
        plain.clone(),
        plain.to_uppercase(),
        plain.replace('é', "e\u{301}"),
        plain.replace('é', "e"),
        plain.replace('r', "\u{433}"),
        plain.replace('-', "\u{2010}"),
        plain.replace('-', "%2D"),
        plain.replace('-', "+"),
        format!("{plain}%00"),
    ];
    let users = users.into_iter().map(|sub| (sub, false));
    users.chain([(plain, true)]).collect()
}

/// Makes the marks of one hunt, which no one can guess.
pub(super) struct Marks(String);

impl Marks {
    pub(super) fn new() -> Result<Self> {
        Ok(Self(fresh_id()?))
    }

    /// Returns the mark of a principal: `mk-` and 32 hexadecimal digits.
    pub(super) fn of(&self, issuer: &str, tenant: &str, sub: &str, account: bool) -> String {
        let named = json!([issuer, tenant, sub, account]).to_string();
        // A key of any length will do.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()) else {
            return String::new();
        };
        mac.update(named.as_bytes());
        let digits = mac.finalize().into_bytes();
        let digits = digits.iter().take(LENGTH / 2);
        digits.fold(MARK.to_owned(), |mark, byte| format!("{mark}{byte:02x}"))
    }
}

/// Returns the marks in a text.
pub(super) fn marks(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(MARK).filter_map(|(at, _)| {
        let digits = text.get(at + MARK.len()..at + MARK.len() + LENGTH)?;
        let are_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        are_digits.then(|| text.get(at..at + MARK.len() + LENGTH))?
    })
}

const MARK: &str = "mk-";
/// The digits of a mark.
const LENGTH: usize = 32;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_thousand_people_who_look_alike_have_a_thousand_marks() {
        let (people, made) = (crowd(1000), Marks::new().unwrap());
        let issuers = ["http://a", "http://b", "http://c"];
        let all: BTreeSet<String> = people
            .iter()
            .map(|one| {
                let issuer = issuers.get(one.home).unwrap();
                made.of(issuer, one.tenant, &one.sub, one.account)
            })
            .collect();
        assert_eq!(all.len(), 1000);
        let text = all.iter().fold(String::new(), |text, mark| text + mark);
        assert_eq!(marks(&text).count(), 1000);
        assert_eq!(marks("mk-12 mk-").count(), 0);
    }
}

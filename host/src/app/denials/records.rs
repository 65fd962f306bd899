//! The records of changes of the denials.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::audit::{DenialAdded, DenialLifted, DenialsFound, Detail, Text, rfc3339};
use crate::denials::{Denial, DenialList};
use crate::seams::hex;

/// Returns the record of a denial that came with `change`.
pub(super) fn added(denial: &Denial, change: u64) -> DenialAdded {
    let mut members = about(denial, change);
    members.push(("reason", denial.reason.clone().into()));
    if let Some(until) = denial.until {
        members.push(("until", rfc3339(until).into()));
    }
    DenialAdded {
        denial: (&denial.id).into(),
        detail: Detail::from_iter(members),
    }
}

/// Returns the record of a denial that went with `change`.
pub(super) fn lifted(denial: &Denial, expired: bool, change: u64) -> DenialLifted {
    let mut members = about(denial, change);
    let because = if expired { "expired" } else { "lifted" };
    members.push(("because", because.into()));
    DenialLifted {
        denial: (&denial.id).into(),
        detail: Detail::from_iter(members),
    }
}

/// Returns the record of a list that can be relied on again.
pub(super) fn found(list: &DenialList) -> DenialsFound {
    let denials = u64::try_from(list.denials.len()).unwrap_or(u64::MAX);
    DenialsFound {
        detail: Detail::from_iter([("change", list.serial), ("denials", denials)]),
    }
}

fn about(denial: &Denial, change: u64) -> Vec<(&'static str, Value)> {
    let mut members = vec![
        ("change", change.into()),
        ("of", denial.of.as_str().into()),
        ("name", denial.name.clone().into()),
    ];
    let issuer = denial.issuer.clone();
    members.extend(issuer.map(|issuer| ("issuer", issuer.into())));
    let cut = [
        ("name_sha256", Some(&denial.name)),
        ("issuer_sha256", denial.issuer.as_ref()),
    ];
    let digests = cut
        .into_iter()
        .filter_map(|(member, text)| Some((member, digest_if_cut(text?)?.into())));
    members.extend(digests);
    members
}

/// Returns the SHA-256 of a text of which a record has only the beginning.
fn digest_if_cut(text: &str) -> Option<String> {
    let recorded = Text::from(text);
    (recorded.len() < text.len()).then(|| format!("sha256:{}", hex(&Sha256::digest(text))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denials::DenialOf;

    #[test]
    fn long_names_that_begin_alike_have_different_records() {
        let denial = |name: String| Denial {
            id: "d1".into(),
            of: DenialOf::Client,
            issuer: Some(format!("https://{}.example", "i".repeat(600))),
            name,
            reason: "a test".into(),
            added: 0,
            until: None,
        };
        let of = |name: String| serde_json::to_value(added(&denial(name), 1).detail);
        let long = |end: &str| format!("https://app.example/{}{end}", "x".repeat(600));
        let [one, other] = [of(long("a")), of(long("b"))].map(Result::unwrap_or_default);
        assert_eq!(one.get("name"), other.get("name"), "they are cut alike");
        assert_ne!(one.get("name_sha256"), other.get("name_sha256"));
        let expected = format!("sha256:{}", hex(&Sha256::digest(long("a"))));
        assert_eq!(one.get("name_sha256"), Some(&Value::from(expected)));
        assert!(one.get("issuer_sha256").is_some());
        // A name that is whole needs none.
        let whole = of("x".repeat(512)).unwrap_or_default();
        assert_eq!(whole.get("name"), Some(&Value::from("x".repeat(512))));
        assert!(whole.get("name_sha256").is_none());
    }
}

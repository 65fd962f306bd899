//! The records of changes of the denials.

use std::path::Path;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::audit::{
    Damage, DenialAdded, DenialLifted, DenialsFound, Detail, Entries, Entry, Event, Text, rfc3339,
};
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

/// Returns the denials in effect by the records of the journal in `folder`, the oldest first. Names
/// that are cut in their records are cut.
pub(super) fn in_effect(folder: &Path) -> Result<Vec<Denial>, Damage> {
    let mut denials: Vec<Denial> = Vec::new();
    for entry in Entries::open(folder)? {
        let entry = entry?;
        let event = entry.text("event");
        let is_added = event == Event::DenialAdded.as_str();
        if is_added || event == Event::DenialLifted.as_str() {
            denials.retain(|denial| denial.id != entry.text("denial"));
            denials.extend(denial(&entry).filter(|_| is_added));
        }
    }
    Ok(denials)
}

/// Returns the denial that a record is about.
fn denial(entry: &Entry) -> Option<Denial> {
    let mut members = entry.member("detail")?.as_object()?.clone();
    members.retain(|name, _| ["of", "name", "issuer", "reason", "until"].contains(&name.as_str()));
    members.insert("id".to_owned(), entry.text("denial").into());
    members.insert("added".to_owned(), entry.text("time").into());
    serde_json::from_value(Value::Object(members)).ok()
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
    use serde_json::json;

    use super::*;
    use crate::denials::DenialOf;

    #[test]
    fn a_denial_is_read_back_from_its_record() {
        let denial = |issuer: Option<&str>, until| Denial {
            id: "d7".into(),
            of: DenialOf::Client,
            issuer: issuer.map(String::from),
            name: "https://app.example/client".into(),
            reason: "a \u{e9} test".into(),
            added: 1_763_712_000_000,
            until,
        };
        let line = |event: &str, denial: &Denial| {
            let detail = added(denial, 9).detail;
            let (time, id) = (rfc3339(denial.added), &denial.id);
            let line = json!({"time": time, "event": event, "denial": id, "detail": detail});
            Entry::parse(line.to_string().as_bytes())
        };
        for one in [
            denial(None, None),
            denial(Some("https://idp.example"), Some(1_763_712_000_123)),
        ] {
            let entry = line("denial.added", &one);
            let read = entry.and_then(|entry| super::denial(&entry));
            assert_eq!(read.as_ref(), Some(&one));
        }
    }

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

//! The author's own users: `[users.SUB]` tables of a file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use crate::issuer::User;

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    users: BTreeMap<String, Entry>,
}

/// One user of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: Option<String>,
    tenant: Option<String>,
    scopes: Option<Vec<String>>,
}

/// Adds the users of a file; one of the same name takes a sample's place. At the services they may
/// do what the first sample may.
pub(super) fn add(path: &Path, users: &mut Vec<User>) -> anyhow::Result<()> {
    let named = || path.display().to_string();
    let text = fs::read_to_string(path).with_context(named)?;
    let file: File = toml::from_str(&text).with_context(named)?;
    let may = users.first().map(|user| user.may.clone());
    let may = may.unwrap_or_default();
    for (sub, entry) in file.users {
        users.retain(|user| user.sub != sub);
        users.push(User {
            sub,
            name: entry.name,
            tenant: entry.tenant,
            scopes: entry.scopes,
            may: may.clone(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    fn added(text: &str) -> anyhow::Result<Vec<User>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        fs::write(&path, text).unwrap();
        let mut users = User::samples();
        add(&path, &mut users).map(|()| users)
    }

    #[test]
    fn users_of_a_file_come_after_the_samples_or_take_their_place() {
        let text =
            "[users.dana]\nname = \"Dana\"\ntenant = \"acme\"\nscopes = [\"a\"]\n[users.bob]\n";
        let users = added(text).unwrap();
        let subs: Vec<&str> = users.iter().map(|user| user.sub.as_str()).collect();
        assert_eq!(subs, ["alice", "carol", "bob", "dana"]);
        let dana = &users[3];
        assert_eq!(dana.name.as_deref(), Some("Dana"));
        assert_eq!(dana.tenant.as_deref(), Some("acme"));
        assert_eq!(dana.scopes.as_deref(), Some(&["a".to_owned()][..]));
        assert_eq!(dana.may, users[0].may);
    }

    #[test]
    fn a_mistake_in_the_file_is_an_error() {
        for text in [
            "",
            "[users.dana]\nnmae = \"x\"\n",
            "[user.dana]\n",
            "[users",
        ] {
            assert!(added(text).is_err(), "{text}");
        }
        assert!(added("[users]\n").is_ok());
    }
}

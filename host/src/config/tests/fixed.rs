//! A change that needs a restart names its keys, and no other.

use super::*;

#[test]
fn a_change_that_needs_a_restart_names_exactly_its_keys() {
    let folder = Folder::new();
    let load = |text: &str| {
        let config = folder.load(text);
        config.unwrap_or_else(|errors| panic!("{errors}")).fixed()
    };
    let good = load(GOOD);
    let port = ("listen = \"127.0.0.1:0\"", "listen = \"127.0.0.1:9\"");
    let journal = ("folder = \"audit\"", "folder = \"journal\"");
    let tools = "tools = \"tools\"";
    for (changes, keys) in [
        (&[][..], &[][..]),
        (&[("currency = \"EUR\"", "currency = \"USD\"")], &[]),
        (&[("alias = \"corp\"", "alias = \"corp\" # ours")], &[]),
        (&[("\"32MiB\"", "\"32768KiB\"")], &[]),
        (&[("[limits]", "[limits]\noutput = \"1MiB\"")], &[]),
        (&[port], &["server.listen"]),
        (&[journal], &["audit.folder"]),
        (&[journal, port], &["audit.folder", "server.listen"]),
        (&[("\"32MiB\"", "\"33MiB\"")], &["limits.memory"]),
        (
            &[("acme.example", "acme2.example")],
            &["envelope.trust_domain"],
        ),
        // The journal's memory is in the key folder unless it says otherwise.
        (
            &[("[envelope]", "[envelope]\nkeys = \"other\"")],
            &["audit.memory", "envelope.keys"],
        ),
        (
            &[("[audit]", "[operations]\n\n[audit]")],
            &[
                "operations.allowed_hosts",
                "operations.listen",
                "operations.notice",
                "operations.page",
            ],
        ),
        (
            &[(
                tools,
                "initial_scopes = [\"a\"]\nlist = \"obtainable\"\ntools = \"tools\"",
            )],
            &["server.initial_scopes", "server.list"],
        ),
        (
            &[(tools, "trusted_users = [7]\ntools = \"tools\"")],
            &["server.trusted_users"],
        ),
    ] {
        let change = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
        let new = load(&changes.iter().fold(GOOD.to_owned(), change));
        let found = good.allows(&new).err().map(|error| error.keys);
        assert_eq!(found.unwrap_or_default(), keys, "{changes:?}");
        assert_eq!(new.allows(&good).is_ok(), keys.is_empty(), "{changes:?}");
    }
}

#[test]
fn the_documents_have_every_key_that_needs_a_restart() {
    let page = include_str!("../../../../docs/configuration.md");
    let operations = GOOD.replace("[audit]", "[operations]\n\n[audit]");
    let config = Folder::new().load(&operations);
    let fixed = config.unwrap_or_else(|errors| panic!("{errors}")).fixed();
    let missing = fixed.allows(&Fixed::default()).expect_err("every key");
    assert!(missing.keys.len() > Limits::ALL.len(), "{missing}");
    for key in missing.keys {
        let (_, key) = key.split_once('.').expect("a section");
        assert!(
            page.contains(&format!("`{key}`")),
            "docs/configuration.md lacks: {key}"
        );
    }
}

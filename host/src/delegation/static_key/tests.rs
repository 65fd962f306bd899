//! Who gets which key, and who gets none.
#![expect(clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use bailiwick_envelope::Actor;
use proptest::prelude::*;

use super::*;

fn actor(sub: &str, tenant: Option<&str>, kind: ActorKind) -> Actor {
    Actor {
        acr: None,
        auth_time: None,
        iss: "https://idp.example".into(),
        sub: sub.into(),
        tenant: tenant.map(String::from),
        kind,
    }
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn by(by: KeyOwner, files: KeyFiles) -> StaticAuth {
    let prefix = "Bearer ".to_owned();
    StaticAuth {
        place: KeyPlace::Header {
            name: AUTHORIZATION,
            prefix,
        },
        keys: StaticKeys::Each(KeyRule { by, files }),
    }
}

async fn key_of(
    auth: &StaticAuth,
    actor: &Actor,
    alias: &str,
    service_accounts: bool,
) -> Result<String, DownstreamError> {
    let known = KnownActor { actor, alias };
    let credential = auth.credential(known, service_accounts).await?;
    Ok(credential.bare().to_owned())
}

#[tokio::test]
async fn each_tenant_and_each_user_gets_their_own_key_or_none() {
    let listed = |pairs: &[(&str, &str, &str)]| {
        let pair = |(alias, name, key): &(&str, &str, &str)| {
            ((String::from(*alias), String::from(*name)), secret(key))
        };
        KeyFiles::Listed(pairs.iter().map(pair).collect())
    };
    let tenants = by(
        KeyOwner::Tenant,
        listed(&[
            ("corp", "acme", "a"),
            ("corp", "globex", "g"),
            ("partner", "acme", "p"),
        ]),
    );
    let users = by(
        KeyOwner::User,
        listed(&[("corp", "alice", "a"), ("partner", "alice", "p")]),
    );
    let user = |sub, tenant| actor(sub, tenant, ActorKind::User);
    for (auth, who, alias, key) in [
        (&tenants, user("alice", Some("acme")), "corp", Some("a")),
        (&tenants, user("alice", Some("globex")), "corp", Some("g")),
        (&tenants, user("alice", Some("acme")), "partner", Some("p")),
        (&tenants, user("alice", Some("globex")), "partner", None),
        (&tenants, user("alice", Some("ACME")), "corp", None),
        (&tenants, user("acme", None), "corp", None),
        (&users, user("alice", None), "corp", Some("a")),
        (&users, user("alice", Some("acme")), "partner", Some("p")),
        (&users, user("Alice", None), "corp", None),
        (&users, user("bob", Some("alice")), "corp", None),
    ] {
        let told = key_of(auth, &who, alias, false).await;
        assert_eq!(told.as_deref().ok(), key, "{who:?} of {alias}: {told:?}");
    }
    let service = actor("alice", Some("acme"), ActorKind::Service);
    for (auth, accounts, key) in [
        (&users, false, None),
        (&users, true, Some("a")),
        (&tenants, false, Some("a")),
    ] {
        let told = key_of(auth, &service, "corp", accounts).await;
        assert_eq!(told.as_deref().ok(), key, "{told:?}");
    }
}

#[tokio::test]
async fn a_key_in_a_folder_is_the_files_present_one_and_a_name_leads_nowhere_else() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("corp")).expect("a folder");
    let write = |file: &str, key: &str, mode: u32| {
        let file = folder.path().join(file);
        fs::write(&file, key).expect("a file");
        fs::set_permissions(&file, Permissions::from_mode(mode)).expect("a mode");
    };
    write("outside", "the-key-outside", 0o600);
    write("corp/open", "k", 0o606);
    write("corp/two", "k\nk", 0o600);
    write("corp/empty", "", 0o600);
    write("corp/alice@corp.example", "first\n", 0o600);
    let users = by(
        KeyOwner::User,
        KeyFiles::Folder {
            path: folder.path().to_owned(),
            trust: Trust::default(),
        },
    );
    let key = async |sub: &str, alias: &str| {
        let told = key_of(&users, &actor(sub, None, ActorKind::User), alias, false).await;
        assert!(
            !told.as_ref().is_ok_and(|key| key.contains("outside")),
            "{sub}"
        );
        told
    };
    assert_eq!(key("alice@corp.example", "corp").await, Ok("first".into()));
    write("corp/alice@corp.example", "second", 0o600);
    assert_eq!(key("alice@corp.example", "corp").await, Ok("second".into()));
    write("corp/%41lice", "of-the-other-alice", 0o600);
    assert_eq!(key("Alice", "corp").await, Ok("of-the-other-alice".into()));
    for (sub, alias) in [
        ("alice", "corp"),
        ("alice@corp.example", "partner"),
        ("ALICE@corp.example", "corp"),
        ("%41lice", "corp"),
        ("../outside", "corp"),
        ("..", "corp"),
        (".", "corp"),
        ("corp/../../outside", "corp"),
        ("open", "corp"),
        ("two", "corp"),
        ("empty", "corp"),
        (&"x".repeat(256), "corp"),
    ] {
        let told = key(sub, alias).await;
        assert!(
            matches!(told, Err(DownstreamError::CredentialRefused(_))),
            "{sub}: {told:?}"
        );
    }
}

#[test]
fn a_key_goes_into_its_header_or_into_basic_and_answers_are_searched_for_the_key_alone() {
    let header = |name: &'static str, prefix: &str| KeyPlace::Header {
        name: HeaderName::from_static(name),
        prefix: prefix.into(),
    };
    let basic = |username: Option<&str>| KeyPlace::Basic {
        username: username.map(String::from),
    };
    for (place, key, sent, bare) in [
        (header("x-api-key", ""), "k:1", Some("k:1"), "k:1"),
        (header("authorization", "Token "), "k", Some("Token k"), "k"),
        (basic(Some("api")), "p:w", Some("Basic YXBpOnA6dw=="), "p:w"),
        (basic(Some("")), "pw", Some("Basic OnB3"), "pw"),
        (basic(None), "api:p:w", Some("Basic YXBpOnA6dw=="), "p:w"),
        (basic(None), "no-colon", None, ""),
    ] {
        let credential = place.credential(&secret(key));
        let Ok(credential) = credential else {
            assert_eq!(sent, None, "{place:?} {key}");
            continue;
        };
        let mut request = http::Request::new(());
        credential.apply(&mut request).expect("a header");
        let values: Vec<_> = request.headers().values().collect();
        assert!(values.iter().all(|value| value.is_sensitive()));
        let values: Vec<_> = values
            .into_iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        assert_eq!(values, sent.into_iter().collect::<Vec<_>>(), "{place:?}");
        assert_eq!(credential.bare(), bare);
    }
}

#[test]
fn a_key_goes_to_the_end_of_the_query_as_one_value_and_its_parameter_is_no_header() {
    let place = KeyPlace::Query {
        name: "api_key".to_owned(),
    };
    for (target, key, sent) in [
        ("/v1/a?q=1", "k-1_2.3~4", "/v1/a?q=1&api_key=k-1_2.3~4"),
        (
            "/v1/a",
            "a b&c=d#e%2f",
            "/v1/a?api_key=a%20b%26c%3Dd%23e%252f",
        ),
        ("", "k", "/?api_key=k"),
    ] {
        let credential = place.credential(&secret(key)).expect("a credential");
        assert_eq!((credential.bare(), credential.kind()), (key, "static"));
        let address = format!("https://maps.example:8443{target}");
        let mut request = http::Request::get(address).body(()).expect("a request");
        credential.apply(&mut request).expect("a query");
        let expected = format!("https://maps.example:8443{sent}");
        assert_eq!(request.uri().to_string(), expected, "{target}");
        assert!(request.headers().is_empty());
    }
    let long = place.credential(&secret(&"%".repeat(1 << 15)));
    let mut request = http::Request::new(());
    let refused = long.expect("a credential").apply(&mut request);
    assert!(
        matches!(&refused, Err(DownstreamError::CredentialRefused(why)) if !why.contains('%')),
        "{refused:?}"
    );
}

proptest! {
    #[test]
    fn no_two_names_are_one_file_even_where_case_does_not_count(
        names in prop::collection::btree_set(".{1,12}|[aA%./41-]{1,4}", 2..40)
    ) {
        let files: BTreeSet<_> = names
            .iter()
            .filter_map(|name| Some(file_name(name)?.to_ascii_lowercase()))
            .collect();
        let sound = names.iter().filter(|name| file_name(name).is_some()).count();
        prop_assert_eq!(files.len(), sound);
        for file in &files {
            prop_assert!(!file.contains('/') && !file.starts_with('.') && file.is_ascii());
        }
    }
}

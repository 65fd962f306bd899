//! The headers that the operator names for a service: of every request, of changes, of answers.

use super::*;

#[test]
fn a_constant_header_is_neither_the_credential_nor_the_key_of_a_change() {
    let folder = Folder::new();
    let with = |headers: &str| {
        let more = "shared_data = true\nidempotency = \"X-Request-Id\"";
        let text = format!("{more}\nheaders = {{ {headers} }}");
        folder.load(&GOOD.replacen("shared_data = true", &text, 1))
    };
    let config = with("Accept = \"application/json\", Notion-Version = \"2022-06-28\"")
        .unwrap_or_else(|errors| panic!("{errors}"));
    let reports = config.services.iter().find(|one| one.name == "reports");
    let headers = reports.map(|one| one.headers.iter().collect::<Vec<_>>());
    let expected = [
        ("accept", "application/json"),
        ("notion-version", "2022-06-28"),
    ];
    assert_eq!(headers, Some(expected.to_vec()));
    for (headers, told) in [
        ("x-api-key = \"k\"", "headers.x-api-key: it belongs"),
        ("Authorization = \"k\"", "a credential belongs in auth"),
        ("X-Request-Id = \"1\"", "x-request-id carries"),
        ("Content-Type = \"a/b\"", "headers.Content-Type: it is of"),
        ("a = \"1\", A = \"1\"", "given twice"),
        ("a = \"\"", "headers.a: expected 1 to 1024"),
        ("a = 1", "headers.a: expected a string"),
    ] {
        let error = with(headers).err().unwrap_or_default();
        assert!(
            error.contains(told) && error.lines().count() == 1,
            "{headers}: {error}"
        );
    }
    let own = GOOD.replacen("X-Api-Key", "X-Reports-Id", 1).replacen(
        "shared_data = true",
        "shared_data = true\nheaders = { x-reports-id = \"1\" }",
        1,
    );
    let error = folder.load(&own).err().unwrap_or_default();
    assert!(error.contains("x-reports-id carries"), "{error}");
}

#[test]
fn a_credential_is_in_a_header_for_credentials_or_in_one_without_a_meaning() {
    let folder = Folder::new();
    for (header, fine) in [
        ("Authorization", true),
        ("Cookie", true),
        ("X-Reports-Id", true),
        ("Content-Type", false),
        ("Idempotency-Key", false),
        ("Txn-Token", false),
        ("X-Actor-Sub", false),
        ("X-Forwarded-For", false),
        ("a b", false),
    ] {
        let text = GOOD.replacen("X-Api-Key", header, 1);
        let error = folder.load(&text).err().unwrap_or_default();
        assert_eq!(error.is_empty(), fine, "{header}: {error}");
        assert!(
            fine || error.contains("expected a header that can carry a credential"),
            "{error}"
        );
    }
}

#[test]
fn a_key_of_changes_has_a_header_of_its_own() {
    let folder = Folder::new();
    for (header, fine) in [
        ("Idempotency-Key", true),
        ("X-Request-Id", true),
        ("Authorization", false),
        ("content-type", false),
        ("X-Actor-Sub", false),
        ("Host", false),
        ("a b", false),
    ] {
        let keyed = format!("shared_data = true\nidempotency = \"{header}\"");
        let text = GOOD.replacen("shared_data = true", &keyed, 1);
        let error = folder.load(&text).err().unwrap_or_default();
        assert_eq!(error.is_empty(), fine, "{header}: {error}");
        assert!(
            fine || error.contains("such as \"Idempotency-Key\""),
            "{error}"
        );
    }
}

#[test]
fn only_headers_that_carry_no_credential_can_be_shown_to_tools() {
    let folder = Folder::new();
    let with = |headers: &str| {
        GOOD.replacen(
            "shared_data = true",
            &format!("shared_data = true\nanswer_headers = [{headers}]"),
            1,
        )
    };
    assert!(folder.load(&with("\"X-Next-Page\"")).is_ok());
    for header in ["Set-Cookie", "X-Vault-Token", "a b"] {
        let error = folder
            .load(&with(&format!("\"{header}\"")))
            .err()
            .unwrap_or_default();
        assert!(
            error.contains("answer_headers") && error.lines().count() == 1,
            "{header}: {error}"
        );
    }
}

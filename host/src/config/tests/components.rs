//! Signers, and definitions that were accepted.

use super::*;

const SIGNER: &str = r#"[signers.release]
key = "KEY"
components = ["orders", "billing-*"]
services = ["orders_api"]

[limits]"#;

/// The text of a key that `bailiwick sign --new-key` would print.
fn signer_key(name: &str, seed: u8) -> String {
    let key = bailiwick_envelope::SigningKey::from_seed(&[seed; 32]);
    crate::note::VerifierKey::new(name, key.public())
        .map(|key| key.to_string())
        .expect("a name")
}

#[test]
fn signers_are_read_and_each_mistake_about_them_is_told() {
    let (folder, key) = (Folder::new(), signer_key("bailiwick-component", 1));
    let good = GOOD
        .replacen("[limits]", &SIGNER.replace("KEY", &key), 1)
        .replace("\"any\"", "\"signed\"");
    let config = folder
        .load(&good)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let signer = config.signers.iter().next().expect("the signer");
    assert!(
        signer
            .components
            .iter()
            .any(|pattern| pattern.covers("billing-eu")),
        "{signer:?}"
    );
    assert!(
        signer.key.to_string() == key && signer.services.contains("orders_api"),
        "{signer:?}"
    );
    assert!(
        folder.load(&GOOD.replace("\"any\"", "\"signed\"")).is_ok(),
        "without signers the component is refused"
    );
    for (part, replacement, told) in [
        (
            key.as_str(),
            "nonsense",
            "signers.release.key: not a verifier key",
        ),
        (
            &key,
            &signer_key("acme.example/audit", 1),
            "this key is not for components",
        ),
        (
            "[\"orders\", \"billing-*\"]",
            "[]",
            "signers.release.components: it must list",
        ),
        (
            "\"billing-*\"",
            "\"bill*ing\"",
            "signers.release.components: \"bill*ing\"",
        ),
        (
            "[\"orders_api\"]",
            "[\"order_api\"]",
            "unknown service \"order_api\"",
        ),
        (
            "[limits]",
            &SIGNER.replace("release", "again").replace("KEY", &key),
            "[signers.again] has the same key",
        ),
        (
            "services = [\"orders_api\"]",
            "service = []",
            "signers.release.service is not a key",
        ),
    ] {
        let error = folder
            .load(&good.replacen(part, replacement, 1))
            .err()
            .unwrap_or_default();
        let other = told.replace("[signers.again]", "[signers.release]");
        assert!(
            (error.contains(told) || error.contains(&other)) && error.lines().count() == 1,
            "{told}: {error}"
        );
    }
}

#[test]
fn accepted_definitions_are_read_only_where_they_are_needed_and_never_from_the_tools_folder() {
    let folder = Folder::new();
    let accepted = folder.0.path().join("accepted.json");
    std::fs::write(&accepted, "nonsense").expect("a file");
    let config = folder
        .load(GOOD)
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert!(
        !config.files.contains(&accepted)
            && matches!(
                config.terms().of("orders").acceptance,
                Acceptance::NotRequired
            )
    );
    for needed in [
        GOOD.replace(
            "digest = \"any\"",
            "digest = \"any\"\nrequire_acceptance = true",
        ),
        GOOD.replace("tools = \"tools\"", "require_acceptance = true"),
    ] {
        std::fs::write(&accepted, "nonsense").expect("a file");
        let error = folder.load(&needed).err().unwrap_or_default();
        assert!(
            error.contains("bailiwick.toml: server.accepted: ") && error.contains("accept again"),
            "{error}"
        );
        std::fs::remove_file(&accepted).expect("it is there");
        let config = folder
            .load(&needed)
            .unwrap_or_else(|errors| panic!("{errors}"));
        assert!(
            config.files.contains(&accepted),
            "it is watched before it is there"
        );
        assert!(matches!(
            config.terms().of("orders").acceptance,
            Acceptance::Required { accepted: None, .. }
        ));
    }
    let inside = GOOD.replace(
        "tools = \"tools\"",
        "tools = \"tools\"\naccepted = \"tools/accepted\"",
    );
    let error = folder.load(&inside).err().unwrap_or_default();
    assert!(error.contains("lies in server.tools"), "{error}");
}

#[test]
fn what_a_component_may_ask_is_listed_and_each_mistake_about_it_is_told() {
    let folder = Folder::new();
    let with = |lines: &str| {
        let section = format!("[components.asker]\n{lines}\n\n[limits]");
        folder.load(&GOOD.replacen("[limits]", &section, 1))
    };
    let origins = "question_origins = [\"https://pay.example.com\", \"http://localhost:8080\"]";
    let lines = format!("{origins}\nrelay_questions = [\"sampling\", \"roots\"]");
    let config = with(&lines).unwrap_or_else(|errors| panic!("{errors}"));
    let rule = &config.components["asker"].questions;
    assert_eq!((rule.origins.len(), rule.relays.len()), (2, 2));
    let none = with("scopes = []").unwrap_or_else(|errors| panic!("{errors}"));
    let rule = &none.components["asker"].questions;
    assert!(rule.origins.is_empty() && rule.relays.is_empty());
    let key = "components.asker.question_origins: ";
    for origin in [
        "https://pay.example.com/",
        "https://pay.example.com/path",
        "https://PAY.example.com",
        "https://pay.example.com:443",
        "https://user@pay.example.com",
        "https://*.example.com",
        "http://pay.example.com",
        "http://127.0.0.1.example.com",
        "pay.example.com",
        "javascript:x",
        "*",
        "",
    ] {
        let told = with(&format!("question_origins = [\"{origin}\"]"));
        let told = told.map(|_| ()).expect_err("a mistake");
        assert!(
            told.contains(key) && told.contains("expected an origin"),
            "{origin}: {told}"
        );
    }
    for (lines, told) in [
        (
            "question_origins = \"https://a.example\"",
            "a list of strings",
        ),
        (
            "relay_questions = [\"elicitation\"]",
            "expected \"sampling\" or \"roots\"",
        ),
        (
            "relay_questions = [\"*\"]",
            "expected \"sampling\" or \"roots\"",
        ),
        ("relay_questions = true", "a list of strings"),
    ] {
        let errors = with(lines).map(|_| ()).expect_err("a mistake");
        assert!(errors.contains(told), "{lines}: {errors}");
    }
}

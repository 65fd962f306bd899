//! Which issuers are allowed, and how long their tokens may be valid.

use super::*;

#[test]
fn an_issuer_that_must_be_asked_for_its_keys_is_a_url_that_may_be_dialled() {
    let folder = Folder::new();
    let url = "expected an https URL without user, query or fragment";
    let plain = "plain http is allowed only within";
    let cases = [
        ("", "it is empty", "it is empty"),
        (" https://idp.example.com", "a space", "a space"),
        ("https://idp.\\u00ADexample.com", "U+00AD", "U+00AD"),
        ("not a url", url, ""),
        ("file:///etc/passwd", url, ""),
        ("https://u:p@idp.example", url, ""),
        ("https://idp.example?x=1", url, ""),
        ("https://idp.example#x", url, ""),
        ("http://idp.example", plain, ""),
        ("http://127.0.0.1:8080", "is a private address", ""),
        ("https://127.0.0.1", "is a private address", ""),
        ("https://169.254.169.254", "never dialled", ""),
        ("https://other.example", "", ""),
    ];
    // The exchange has keys and users of its own.
    let apart = "subject_issuers = [\"corp\"]\njwks_file = \"jwks.json\"\n[services.reports]";
    let good = GOOD.replacen("[services.reports]", apart, 1);
    let own = "issuer = \"https://idp.example.com\"";
    let check = |text: String, section: &str, told: &str| {
        let error = folder.load(&text).err().unwrap_or_default();
        let right = if told.is_empty() {
            error.is_empty()
        } else {
            error.lines().count() == 1 && error.contains(told)
        };
        assert!(
            right && (error.is_empty() || error.contains(section)),
            "{text}: {error}"
        );
    };
    for (name, asked, with_keys) in cases {
        let named = good.replacen(own, &format!("issuer = \"{name}\""), 1);
        check(named.clone(), ":7: issuers.issuer: ", with_keys);
        check(
            named.replacen("jwks_file = \"jwks.json\"\n", "", 1),
            ":7: issuers.issuer: ",
            asked,
        );
        // So is the issuer of an exchange that is not one of [[issuers]].
        let (issuers, exchange) = good.split_at(good.rfind(own).unwrap_or_default());
        let exchange = exchange
            .replacen(own, &format!("issuer = \"{name}\""), 1)
            .replacen("jwks_file = \"jwks.json\"\n", "", 1);
        check(
            issuers.to_owned() + &exchange,
            "services.orders_api.exchange.issuer: ",
            asked,
        );
    }
}

#[test]
fn how_long_tokens_may_be_valid_is_a_setting_of_each_issuer() {
    let folder = Folder::new();
    let times = |text: &str| {
        folder
            .load(text)
            .map(|config| config.issuers[0].settings.times)
    };
    assert_eq!(
        times(GOOD),
        Ok(TimeRule {
            lifetime: 86_400,
            age: 86_400,
            skew: 30
        })
    );
    let set = "max_token_lifetime = \"1h\"\nmax_token_age = \"10m\"\nclock_skew = \"5s\"\nalias = \"corp\"";
    let text = GOOD.replacen("alias = \"corp\"", set, 1);
    assert_eq!(
        times(&text),
        Ok(TimeRule {
            lifetime: 3_600,
            age: 600,
            skew: 5
        })
    );
    let issued = GOOD.replacen(
        "audience = \"orders\"",
        "audience = \"orders\"\nmax_token_age = \"10m\"",
        1,
    );
    let config = folder
        .load(&issued)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let exchange = config
        .services
        .iter()
        .find_map(|service| service.exchange.as_ref())
        .expect("the exchange");
    assert_eq!(
        exchange.issued.times,
        TimeRule {
            age: 600,
            ..TimeRule::default()
        }
    );
    assert_eq!(
        config.issuers[0].settings.times,
        TimeRule::default(),
        "each for its own"
    );
    for (key, too_long) in [
        ("max_token_lifetime = \"1h\"", "8785h"),
        ("max_token_age = \"10m\"", "8785h"),
        ("clock_skew = \"5s\"", "6m"),
    ] {
        let name = key.split(' ').next().unwrap_or_default();
        let error = times(&text.replacen(key, &format!("{name} = \"{too_long}\""), 1))
            .err()
            .unwrap_or_default();
        assert!(
            error.contains(&format!("issuers.{name}: expected a duration")),
            "{error}"
        );
    }
}

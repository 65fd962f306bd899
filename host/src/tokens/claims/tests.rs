//! Claims are read with the types that their specifications give them, or not at all.
#![expect(clippy::expect_used, reason = "tests")]

use serde_json::{Value, json};

use super::*;

fn claims(members: &Value) -> Claims {
    Claims::verified(members.as_object().expect("an object").clone())
}

/// Returns the claim `c` with this value.
fn one(value: &Value) -> Claims {
    claims(&json!({ "c": value }))
}

#[test]
fn a_name_is_a_short_string_in_which_everything_can_be_seen() {
    let (longest, longer) = ("n".repeat(256), "n".repeat(257));
    for good in ["a", "Alice B.", "auth0|5f7c", "アリス", &longest] {
        let claims = one(&json!(good));
        assert_eq!(claims.string("c"), Ok(good));
        assert_eq!(claims.optional_string("c"), Ok(Some(good)));
    }
    let malformed = TokenError::Claim("c".into());
    let odd = ["", " a", "a ", "a\u{200b}", "a\nb", &longer].map(|text| json!(text));
    let ill_typed = [
        json!(7),
        json!(null),
        json!(["a"]),
        json!({"a": 1}),
        json!(true),
    ];
    for bad in odd.into_iter().chain(ill_typed) {
        let claims = one(&bad);
        assert_eq!(claims.string("c"), Err(malformed.clone()), "{bad}");
        assert_eq!(claims.optional_string("c"), Err(malformed.clone()), "{bad}");
    }
    let none = claims(&json!({}));
    assert_eq!(none.string("c"), Err(malformed));
    assert_eq!(none.optional_string("c"), Ok(None));
}

#[test]
fn a_time_is_a_number_of_seconds_and_its_fraction_is_rounded_towards_refusal() {
    let malformed = Err(TokenError::Claim("c".into()));
    for (value, expected) in [
        (json!(0), Ok(Some((0, 0)))),
        (
            json!(1_763_712_000_u64),
            Ok(Some((1_763_712_000, 1_763_712_000))),
        ),
        (
            json!(1_763_712_000.0),
            Ok(Some((1_763_712_000, 1_763_712_000))),
        ),
        (json!(1.763_712e9), Ok(Some((1_763_712_000, 1_763_712_000)))),
        (json!(1.5), Ok(Some((1, 2)))),
        (
            json!((1_u64 << 53) - 1),
            Ok(Some(((1 << 53) - 1, (1 << 53) - 1))),
        ),
        (json!(1_u64 << 53), malformed.clone()),
        (json!(u64::MAX), malformed.clone()),
        (json!(1e300), malformed.clone()),
        (json!(-1), malformed.clone()),
        (json!(-0.5), malformed.clone()),
        (json!("1763712000"), malformed.clone()),
        (json!(true), malformed.clone()),
        (json!([]), malformed.clone()),
        (json!(null), malformed),
    ] {
        let read = one(&value).date("c");
        let both = read.map(|date| date.map(|date| (date.floor(), date.ceil())));
        assert_eq!(both, expected, "{value}");
    }
}

#[test]
fn no_fraction_of_a_second_makes_a_token_valid() {
    const NOW: u64 = 1_763_712_000;
    let now = json!(NOW).as_f64().expect("a number");
    let rule = TimeRule {
        lifetime: 60,
        age: 30,
        skew: 0,
    };
    for (iat, nbf, exp, expected) in [
        (now, now, now + 1.0, Ok(())),
        (now, now, now + 0.999, Err(TokenError::Expired)),
        (now, now + 0.001, now + 9.0, Err(TokenError::NotYet)),
        (now + 0.001, now, now + 9.0, Err(TokenError::NotYet)),
        (now - 0.25, now - 0.25, now + 9.0, Ok(())),
        (now - 30.0, now, now + 9.0, Ok(())),
        (now - 30.001, now, now + 9.0, Err(TokenError::TooOld)),
        (now, now, now + 60.0, Ok(())),
        (now, now, now + 60.001, Err(TokenError::TooLong)),
        (now - 0.001, now, now + 60.0, Err(TokenError::TooLong)),
    ] {
        let claims = claims(&json!({"iat": iat, "nbf": nbf, "exp": exp}));
        assert_eq!(
            claims.check_times(NOW, &rule),
            expected,
            "{iat} {nbf} {exp}"
        );
    }
    let without = claims(&json!({"nbf": null, "exp": NOW + 1}));
    assert_eq!(without.check_times(NOW, &rule), Ok(()), "no start");
    for (name, bad) in [
        ("nbf", json!("0")),
        ("iat", json!(null)),
        ("exp", json!(null)),
    ] {
        let mut members = json!({"exp": NOW + 1});
        let all = members.as_object_mut().expect("an object");
        all.insert(name.to_owned(), bad);
        let refused = Err(TokenError::Claim(name.into()));
        assert_eq!(claims(&members).check_times(NOW, &rule), refused);
    }
}

#[test]
fn what_decides_nothing_is_ignored_unless_it_can_be_read() {
    for value in [json!(null), json!(1), json!(""), json!(["a"]), json!({})] {
        assert_eq!(one(&value).hint("c"), Ok(None), "{value}");
    }
    assert_eq!(one(&json!("gold")).hint("c"), Ok(Some("gold")));
    for unfit in ["a\u{200b}", " a", &"n".repeat(257)] {
        let refused = Err(TokenError::Claim("c".into()));
        assert_eq!(one(&json!(unfit)).hint("c"), refused, "{unfit:?}");
    }
    for (value, expected) in [
        (json!(7), Some(7)),
        (json!(7.9), Some(7)),
        (json!(-1), None),
        (json!("7"), None),
        (json!(null), None),
    ] {
        assert_eq!(one(&value).hint_of_time("c"), expected, "{value}");
    }
}

#[test]
fn null_stands_for_nothing_only_where_nothing_grants_nothing() {
    let null = claims(&json!({"act": null, "scope": null, "client_id": null, "azp": null}));
    assert!(null.actor().is_ok_and(|actor| actor.is_none()));
    assert_eq!(null.granted(None), Ok(Vec::new()));
    assert_eq!(null.client("client_id"), Ok(None));
    assert_eq!(null.client("azp"), Err(TokenError::Claim("azp".into())));
    for bad in [json!(7), json!([]), json!(false)] {
        let claims = claims(&json!({"act": bad, "scope": bad, "client_id": bad}));
        assert!(
            claims.actor().is_err() && claims.client("client_id").is_err(),
            "{bad}"
        );
        assert_eq!(claims.granted(None).is_ok(), bad == json!([]), "{bad}");
    }
}

#[test]
fn scopes_are_in_scope_or_in_scp_and_those_of_both_are_in_both() {
    let granted =
        |value: Value, claim| claims(&value).granted(claim).map(|scopes| scopes.join(" "));
    for (value, expected) in [
        (json!({"scope": "b a"}), "a b"),
        (json!({"scope": ["b", "a"]}), "a b"),
        (json!({"scp": "b a"}), "a b"),
        (json!({"scp": ["b", "a"]}), "a b"),
        (json!({"scp": ["a", "b"], "scope": "a b"}), "a b"),
        (json!({"scp": ["a", "b"], "scope": "b c"}), "b"),
        (json!({"scp": [], "scope": "b c"}), ""),
        (json!({"scp": null, "scope": "b"}), "b"),
        (json!({}), ""),
    ] {
        assert_eq!(granted(value.clone(), None), Ok(expected.into()), "{value}");
    }
    let both = json!({"scope": "a", "roles": ["b"], "scp": "c"});
    assert_eq!(
        granted(both, Some("roles")),
        Ok("b".into()),
        "the operator's claim alone"
    );
    let wrong = json!({"scp": 7, "scope": "a"});
    assert_eq!(granted(wrong, None), Err(TokenError::Claim("scp".into())));
}

#[test]
fn a_client_is_a_name_or_the_url_of_its_document() {
    let client = |text: &str| claims(&json!({"azp": text})).client("azp").is_ok();
    let url = format!("https://a.example/{}", "p".repeat(2048 - 18));
    assert!(client("app") && client("https://a.example") && client(&url));
    assert!(!client(&format!("{url}p")) && !client(&"n".repeat(257)) && !client(""));
    assert!(!client("a\u{200b}") && !client(&url.replacen("https", "http", 1)));
}

#[test]
fn audiences_are_one_string_or_a_list_of_strings_and_never_none() {
    let malformed = Err(TokenError::Claim("aud".into()));
    for (value, expected) in [
        (json!("a"), Ok(vec!["a"])),
        (json!(["a", "b"]), Ok(vec!["a", "b"])),
        (json!([]), malformed.clone()),
        (json!(["a", 7]), malformed.clone()),
        (json!({"a": 1}), malformed.clone()),
        (json!(null), malformed.clone()),
    ] {
        assert_eq!(
            claims(&json!({ "aud": value })).audiences("aud"),
            expected,
            "{value}"
        );
    }
    assert_eq!(claims(&json!({})).audiences("aud"), malformed);
}

#[test]
fn scopes_are_sorted_and_each_is_a_name() {
    let scopes = |value: Value| one(&value).scopes("c");
    let expected = Ok(vec!["a".to_owned(), "b".to_owned()]);
    for value in [json!("b a"), json!("  a  b a "), json!(["b", "a", "b"])] {
        assert_eq!(scopes(value.clone()), expected, "{value}");
    }
    for value in [json!(""), json!(" "), json!([])] {
        assert_eq!(scopes(value.clone()), Ok(Vec::new()), "{value}");
    }
    assert_eq!(claims(&json!({})).scopes("c"), Ok(Vec::new()));
    let malformed = Err(TokenError::Claim("c".into()));
    for value in [
        json!(7),
        json!(null),
        json!([7]),
        json!(["a b "]),
        json!("a\u{200b}"),
    ] {
        assert_eq!(scopes(value.clone()), malformed, "{value}");
    }
}

#[test]
fn an_object_is_an_object() {
    let actor = one(&json!({"sub": "agent"}));
    let inner = actor.optional_object("c").expect("an object");
    assert_eq!(inner.expect("it is there").string("sub"), Ok("agent"));
    for value in [json!("agent"), json!([]), json!(null)] {
        assert!(one(&value).optional_object("c").is_err(), "{value}");
    }
    assert!(
        claims(&json!({}))
            .optional_object("c")
            .is_ok_and(|c| c.is_none())
    );
}

#[test]
fn a_token_that_is_bound_or_an_id_token_is_no_plain_access_token() {
    assert_eq!(
        claims(&json!({"sub": "alice"})).check_plain_access(None),
        Ok(())
    );
    // Presence is enough, whatever the value.
    for (name, why) in [
        ("cnf", TokenError::Bound),
        ("nonce", TokenError::IdToken("nonce")),
        ("at_hash", TokenError::IdToken("at_hash")),
        ("c_hash", TokenError::IdToken("c_hash")),
        ("events", TokenError::Kind("events")),
    ] {
        for value in [json!(null), json!(""), json!({})] {
            let claims = claims(&json!({ name: value }));
            assert_eq!(claims.check_plain_access(None), Err(why.clone()), "{name}");
        }
    }
}

#[test]
fn a_token_that_says_that_it_is_of_another_kind_is_believed() {
    let check = |name: &str, value: &str| claims(&json!({ name: value })).check_plain_access(None);
    for (name, value) in [
        ("token_use", "access"),
        ("typ", "Bearer"),
        ("typ", "at+jwt"),
    ] {
        assert_eq!(check(name, value), Ok(()), "{name} {value}");
    }
    for (name, value) in [
        ("token_use", "id"),
        ("typ", "ID"),
        ("typ", "Refresh"),
        ("typ", "refresh"),
        ("token_use", "Refresh_Token"),
        ("typ", "Logout"),
    ] {
        assert!(check(name, value).is_err(), "{name} {value}");
    }
}

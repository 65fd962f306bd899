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
fn a_time_is_a_whole_number_of_seconds_that_is_not_negative() {
    let malformed = Err(TokenError::Claim("c".into()));
    for (value, expected) in [
        (json!(0), Ok(Some(0))),
        (json!(1_763_712_000_u64), Ok(Some(1_763_712_000))),
        (json!((1_u64 << 53) - 1), Ok(Some((1 << 53) - 1))),
        (json!(1_u64 << 53), malformed.clone()),
        (json!(u64::MAX), malformed.clone()),
        (json!(-1), malformed.clone()),
        (json!(1.5), malformed.clone()),
        (json!("1763712000"), malformed.clone()),
        (json!(null), malformed),
    ] {
        assert_eq!(one(&value).optional_time("c"), expected, "{value}");
    }
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
            claims(&json!({ "aud": value })).audiences(),
            expected,
            "{value}"
        );
    }
    assert_eq!(claims(&json!({})).audiences(), malformed);
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
        claims(&json!({"sub": "alice"})).check_plain_access(),
        Ok(())
    );
    // Presence is enough, whatever the value.
    for (name, why) in [
        ("cnf", TokenError::Bound),
        ("nonce", TokenError::IdToken),
        ("at_hash", TokenError::IdToken),
        ("c_hash", TokenError::IdToken),
    ] {
        for value in [json!(null), json!(""), json!({})] {
            let claims = claims(&json!({ name: value }));
            assert_eq!(claims.check_plain_access(), Err(why.clone()), "{name}");
        }
    }
}

//! A refused token's times and type, as people read them.

use super::*;

const NOW: u64 = 1_764_201_600; // 2025-11-27T00:00:00Z

fn claimed(claims: &Value) -> Claimed {
    Claimed::of(&signed(NOW, claims), NOW)
}

fn shown(time: Option<ClaimedTime>) -> String {
    time.map_or("none".to_owned(), |time| time.to_string())
}

#[test]
fn a_time_is_shown_with_its_distance_from_now() {
    for (exp, text, seconds) in [
        (json!(NOW), "2025-11-27T00:00:00.000Z, now", Some(0)),
        (json!(NOW + 7), "2025-11-27T00:00:07.000Z, in 7 s", Some(7)),
        (
            json!(NOW - 61),
            "2025-11-26T23:58:59.000Z, 1 min 1 s ago",
            Some(-61),
        ),
        (
            json!(NOW + 2 * 3600 + 300),
            "2025-11-27T02:05:00.000Z, in 2 h 5 min",
            Some(7500),
        ),
        (
            json!(NOW - 3 * 86_400),
            "2025-11-24T00:00:00.000Z, 3 d 0 h ago",
            Some(-259_200),
        ),
        (
            json!(1),
            "1970-01-01T00:00:01.000Z, 20418 d 23 h ago",
            Some(-1_764_201_599),
        ),
        (
            json!(1_764_201_600.9),
            "2025-11-27T00:00:00.000Z, now",
            Some(0),
        ),
        (
            json!(1_764_201_600_000_u64),
            "1764201600000, which is no time: expected seconds since 1970-01-01 (a number of 10 \
             digits)",
            None,
        ),
        (json!("soon"), "\"soon\", which is no time: expected", None),
        (json!(-1), "-1, which is no time: expected", None),
        (json!(null), "null, which is no time: expected", None),
    ] {
        let expires = claimed(&json!({ "exp": exp })).expires.unwrap();
        assert!(expires.to_string().starts_with(text), "{exp}: {expires}");
        assert_eq!(expires.seconds_from_now, seconds, "{exp}");
        assert_eq!(expires.at.is_some(), seconds.is_some(), "{exp}");
    }
}

#[test]
fn each_time_is_the_one_of_its_claim_and_the_type_the_one_of_the_header() {
    let found = claimed(&json!({"iat": NOW - 1, "nbf": NOW + 1, "exp": NOW + 2}));
    let ends = |time, end: &str| assert!(shown(time).ends_with(end), "{end}");
    ends(found.issued, "1 s ago");
    ends(found.not_before, "in 1 s");
    ends(found.expires, "in 2 s");
    assert_eq!(found.typ.as_deref(), Some("at+jwt"));
    assert_eq!(claimed(&json!({})).not_before, None);
    for opaque in ["", "opaque", "a.b.c", "..", "e30.e30.x"] {
        assert_eq!(Claimed::of(opaque, NOW), Claimed::default(), "{opaque}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_tokens_times_and_type_stand_beside_the_rules_for_them() {
    let now = SystemClock.now();
    let line = "issuer = \"https://idp.example.com\"\n";
    let own = |keys: &str| CONFIG.replacen(line, &format!("{line}{keys}\n"), 1);
    let type_wanted = own("token_type = [\"JWT\", \"none\"]");
    let short = own("max_token_lifetime = \"5m\"");
    for (text, claims, because, typ) in [
        (CONFIG, json!({"exp": now - 100}), "has expired", "at+jwt"),
        (CONFIG, json!({"nbf": now + 100}), "not valid yet", "at+jwt"),
        (CONFIG, json!({"iat": now + 100}), "not valid yet", "at+jwt"),
        (&type_wanted, json!({}), "`typ`", "JWT or none"),
        (&short, json!({}), "max_token_lifetime", "at+jwt"),
    ] {
        let answer = not_admitted(text, claims.clone()).await;
        assert!(answer.because.contains(because), "{}", answer.because);
        let found = answer.claimed.unwrap();
        assert_eq!(found.typ.as_deref(), Some("at+jwt"), "{because}");
        let times = [
            ("exp", found.expires),
            ("nbf", found.not_before),
            ("iat", found.issued),
        ];
        for (claim, time) in times {
            if let Some(wanted) = claims.get(claim) {
                assert_eq!(time.unwrap().claim, wanted.to_string(), "{because}");
            }
        }
        assert_eq!(answer.needed.typ.as_deref(), Some(typ), "{because}");
        let lifetime = if text == short { 300 } else { 86_400 };
        assert_eq!(answer.needed.lifetime, Some(lifetime), "{because}");
    }
}

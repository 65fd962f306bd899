//! Keys that are used, passed over or left out, and keys for which the whole set is refused.
#![expect(clippy::indexing_slicing, clippy::panic, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;

const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
/// RFC 8037 §A.2.
const ED: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn ec(more: &str) -> String {
    format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"{more}}}"#)
}

fn ed25519(x: &[u8]) -> String {
    format!(
        r#"{{"kty":"OKP","crv":"Ed25519","x":"{}","kid":"ed"}}"#,
        URL_SAFE_NO_PAD.encode(x)
    )
}

fn point(x: &[u8], y: &[u8]) -> String {
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","kid":"ec"}}"#)
}

/// Returns a key of `bits` bits with `zeros` zero bytes before its modulus.
fn rsa(bits: usize, zeros: usize, exponent: &[u8]) -> String {
    let mut modulus = vec![0; zeros];
    modulus.push(1 << ((bits - 1) % 8));
    modulus.resize(zeros + bits.div_ceil(8), 0x55);
    let (n, e) = (
        URL_SAFE_NO_PAD.encode(modulus),
        URL_SAFE_NO_PAD.encode(exponent),
    );
    format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}","kid":"rsa"}}"#)
}

fn read(keys: &str) -> Result<KeySet, String> {
    parse(
        format!(r#"{{"keys":[{keys}]}}"#).as_bytes(),
        &Algorithm::ALL,
    )
}

/// Returns the key of this id for ES256 tokens.
fn found(set: &KeySet, id: Option<&str>) -> Option<Arc<Key>> {
    set.find(&KeyName {
        id,
        thumbprints: [None; 2],
        algorithm: "ES256",
    })
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
}

#[test]
fn a_key_is_used_only_for_what_the_issuer_publishes_it_for() {
    for (member, used) in [
        ("", true),
        (r#","use":"sig""#, true),
        (r#","use":"enc""#, false),
        (r#","key_ops":["verify"]"#, true),
        (r#","key_ops":["sign","verify"]"#, true),
        (r#","key_ops":["encrypt"]"#, false),
        (r#","key_ops":["deriveKey"]"#, false),
        (r#","key_ops":["sign"]"#, false),
        (r#","key_ops":[]"#, false),
        (r#","use":"sig","key_ops":["wrapKey"]"#, false),
        (r#","use":"enc","key_ops":["verify"]"#, false),
        (r#","alg":"ES256""#, true),
        (r#","alg":"ECDH-ES""#, false),
        (r#","alg":"RS256""#, false),
    ] {
        let found = read(&ec(&format!(r#"{member},"kid":"a""#)))
            .map(|set| found(&set, Some("a")).is_some());
        assert_eq!(found, Ok(used), "{member}");
    }
    assert_eq!(
        read(r#"{"kty":"new","kid":"a"}"#).map(|set| set.named.len()),
        Ok(0),
        "a kind of key to come"
    );
}

#[test]
fn a_set_of_keys_that_are_all_passed_over_says_so_with_both_reasons() {
    for (key, allowed) in [
        (ec(r#","use":"enc""#), &Algorithm::ALL[..]),
        (ec(r#","alg":"ES384""#), &Algorithm::ALL),
        (ec("").replace("P-256", "P-384"), &Algorithm::ALL),
        (ec(""), &[Algorithm::EdDsa]),
    ] {
        let set = parse(format!(r#"{{"keys":[{key}]}}"#).as_bytes(), allowed);
        let told = set.and_then(|set| set.check()).err().unwrap_or_default();
        for reason in ["other uses than signatures", "not among `algorithms`"] {
            assert!(told.contains(reason), "{key}: {told}");
        }
    }
    assert_eq!(read(&ec("")).and_then(|set| set.check()), Ok(()));
}

#[test]
fn a_key_with_a_member_of_another_type_is_left_out_alone() {
    let good = ec(r#","kid":"good""#);
    let left_out = |key: &str| {
        let set = read(&format!("{good},{key}"));
        let set = set.unwrap_or_else(|why| panic!("{key}: {why}"));
        assert!(found(&set, Some("good")).is_some(), "{key}");
        assert_eq!(set.named.len(), 1, "{key}");
        set.left_out().concat()
    };
    for member in ["kid", "kty", "crv", "alg", "use"] {
        for value in ["7", "null", r#"["x"]"#, "{}"] {
            // Even in a key that is passed over for another reason.
            let key = format!(r#"{{"kid":"k","key_ops":["encrypt"],"{member}":{value}}}"#)
                .replacen(
                    r#""kid":"k","#,
                    if member == "kid" { "" } else { r#""kid":"k","# },
                    1,
                );
            let told = left_out(&key);
            assert!(told.contains(&format!("`{member}` is ")), "{key}: {told:?}");
        }
    }
    for value in [r#""verify""#, "7", "null", r#"["verify",7]"#] {
        let told = left_out(&ec(&format!(r#","key_ops":{value}"#)));
        assert!(told.contains("`key_ops` is "), "{value}: {told:?}");
    }
}

#[test]
fn a_thumbprint_that_cannot_be_read_costs_no_key() {
    for member in ["x5t", "x5t#S256"] {
        for value in ["7", "null", r#"["p"]"#, "{}"] {
            let set = read(&ec(&format!(r#","kid":"a","{member}":{value}"#)));
            let set = set.unwrap_or_else(|why| panic!("{why}"));
            assert!(found(&set, Some("a")).is_some(), "{member}: {value}");
            assert!(set.left_out().is_empty() && set.certified.is_empty());
        }
    }
}

#[test]
fn what_is_no_set_is_refused_whole() {
    for (set, why) in [
        ("", "ends too early"),
        ("<html>", "syntax error"),
        ("[]", "the set"),
        ("{}", "no `keys`"),
        (r#"{"keys":{}}"#, "`keys` is an object"),
        (r#"{"keys":[],"keys":[]}"#, "duplicate"),
        (r#"{"keys":[{"kid":"a","kid":"b"}]}"#, "duplicate"),
    ] {
        let refused = parse(set.as_bytes(), &Algorithm::ALL)
            .err()
            .unwrap_or_default();
        assert!(refused.contains(why), "{set}: {refused:?}");
    }
    let many = vec!["{}"; 65].join(",");
    assert!(read(&many).is_err_and(|why| why.contains("more than 64 keys")));
}

#[test]
fn one_name_may_stand_for_a_key_of_each_algorithm() {
    let key =
        |alg: &str| rsa(2048, 0, &[1, 0, 1]).replacen('{', &format!(r#"{{"alg":"{alg}","#), 1);
    let set =
        read(&format!("{},{}", key("RS256"), key("PS256"))).unwrap_or_else(|why| panic!("{why}"));
    let of = |algorithm| {
        let name = KeyName {
            id: Some("rsa"),
            thumbprints: [None; 2],
            algorithm,
        };
        set.find(&name).map(|key| key.algorithm())
    };
    assert_eq!(of("PS256"), Some(Algorithm::Ps256));
    assert_eq!(of("RS256"), Some(Algorithm::Rs256));
    assert!(set.left_out().is_empty());
    let again = rsa(3072, 0, &[1, 0, 1]).replacen('{', r#"{"alg":"PS256","#, 1);
    let set = read(&format!("{},{},{again}", key("RS256"), key("PS256")));
    let set = set.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(
        set.left_out().len(),
        2,
        "no one can know which of the two is meant"
    );
    assert_eq!(set.named.get("rsa").map(Vec::len), Some(1));
}

#[test]
fn an_rsa_key_without_an_algorithm_is_for_the_first_one_that_is_allowed() {
    let set = format!(r#"{{"keys":[{}]}}"#, rsa(2048, 0, &[1, 0, 1]));
    for (allowed, expected) in [
        (&Algorithm::ALL[..], Some(Algorithm::Rs256)),
        (
            &[Algorithm::Ps256, Algorithm::Rs256],
            Some(Algorithm::Rs256),
        ),
        (&[Algorithm::Ps256], Some(Algorithm::Ps256)),
        (&[Algorithm::Es256], None),
    ] {
        let set = parse(set.as_bytes(), allowed).unwrap_or_else(|why| panic!("{why}"));
        let key = found(&set, Some("rsa")).map(|key| key.algorithm());
        assert_eq!(key, expected, "{allowed:?}");
    }
}

#[test]
fn a_key_may_be_found_by_the_thumbprint_of_its_certificate() {
    let keys = format!(
        "{},{}",
        ec(r#","kid":"a","x5t":"p","x5t#S256":"q""#),
        ec(r#","kid":"t""#)
    );
    let set = read(&keys).unwrap_or_else(|why| panic!("{why}"));
    for (sha256, sha1, is_there) in [
        (None, Some("p"), true),
        (None, Some("q"), true),
        (None, Some("t"), true),
        (None, Some("a"), true),
        (None, Some("z"), false),
        (Some("q"), None, true),
        // Either is enough: an issuer may publish only one of them.
        (Some("z"), Some("p"), true),
        (Some("q"), Some("z"), true),
        (Some("z"), Some("z"), false),
    ] {
        let name = KeyName {
            id: None,
            thumbprints: [sha256, sha1],
            algorithm: "ES256",
        };
        assert_eq!(set.find(&name).is_some(), is_there, "{sha256:?} {sha1:?}");
    }
}

#[test]
fn an_ill_formed_key_is_left_out_and_named_and_costs_no_other_key() {
    let good = ec(r#","kid":"good""#);
    let (x, y) = (decoded(X), decoded(Y));
    let both = [x.clone(), y.clone()].concat();
    let ed = decoded(ED);
    // Some numbers are the ordinate of no point.
    let nowhere = (2..=255)
        .map(|y| [&[y][..], &[0; 31]].concat())
        .find(|x| read(&ed25519(x)).is_ok_and(|set| set.is_empty()))
        .unwrap_or_default();
    let small_order = [&[1][..], &[0; 31]].concat();
    for (keys, why) in [
        (
            format!(
                "{},{}",
                ec(r#","kid":"a""#),
                ec(r#","kid":"a","use":"sig""#)
            ),
            "two of this name",
        ),
        (
            r#"{"kty":"oct","k":"AAAA","kid":"b"}"#.into(),
            "symmetric or private",
        ),
        (ec(r#","kid":"a","d":"AAAA""#), "symmetric or private"),
        (
            ec(r#","kid":"a","use":"enc","d":"AAAA""#),
            "symmetric or private",
        ),
        (
            r#"{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"a","p":"AAAA"}"#.into(),
            "symmetric or private",
        ),
        ("7".into(), "not an object"),
        (
            r#"{"kty":"EC","crv":"P-256","x":"AA","kid":"ec"}"#.into(),
            r#"the key "ec": expected 32 bytes in its `x`"#,
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}"}}"#),
            "key 2 of 2: it has no `y`",
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}=","y":"{Y}"}}"#),
            "`x` is not base64url",
        ),
        (
            point(&both[..33], &both[33..]),
            r#"the key "ec": expected 32 bytes in its `x`"#,
        ),
        (
            point(&x, &[&[0][..], &y].concat()),
            "expected 32 bytes in its `y`",
        ),
        (point(&y, &x), r#"the key "ec": it is not a point"#),
        (point(&[0; 32], &[0; 32]), "it is not a point"),
        (
            ed25519(&ed[..31]),
            r#"the key "ed": expected 32 bytes in its `x`"#,
        ),
        (
            ed25519(&[&ed[..], &[0]].concat()),
            "expected 32 bytes in its `x`",
        ),
        (ed25519(&[]), "expected 32 bytes in its `x`"),
        (ed25519(&small_order), r#"the key "ed": it is not a point"#),
        (ed25519(&[0xff; 32]), "it is not a point"), // beyond the field
        (ed25519(&nowhere), "it is not a point"),
        (
            rsa(1024, 128, &[1, 0, 1]),
            r#"the key "rsa": its `n` is empty or begins with several zero bytes"#,
        ),
        (
            rsa(2048, 2, &[1, 0, 1]),
            "its `n` is empty or begins with several zero bytes",
        ),
        (rsa(2048, 0, &[]), "its `e` is empty"),
    ] {
        let set = read(&format!("{good},{keys}"));
        let set = set.unwrap_or_else(|why| panic!("{keys}: {why}"));
        let told = set.left_out().concat();
        assert!(told.contains(why), "{keys} should say {why}: {told:?}");
        assert_eq!(set.named.len(), 1, "{keys}");
        assert!(found(&set, Some("good")).is_some(), "{keys}");
    }
    let twice = read(&format!("{good},{good}"));
    assert!(
        twice.is_ok_and(|set| found(&set, None).is_some()),
        "one key, listed twice"
    );
    assert!(read(&ed25519(&ed)).is_ok_and(|set| found(&set, Some("ed")).is_some()));
}

#[test]
fn a_weak_key_is_left_out_by_name_and_poisons_no_other() {
    let good = ec(r#","kid":"good""#);
    for (key, why) in [
        (rsa(1024, 0, &[1, 0, 1]), "1024 bits"),
        (rsa(1024, 1, &[1, 0, 1]), "1024 bits"),
        (rsa(2047, 0, &[1, 0, 1]), "2047 bits"),
        (rsa(4097, 0, &[1, 0, 1]), "4097 bits"),
        (rsa(2048, 0, &[1]), "exponent"),
        (rsa(2048, 0, &[1, 0, 0]), "exponent"),
        (rsa(2048, 0, &[2, 0, 0, 0, 1]), "exponent"),
    ] {
        let Ok(set) = read(&format!("{good},{key}")) else {
            return assert_eq!(key, "accepted");
        };
        assert!(
            found(&set, Some("good")).is_some() && found(&set, Some("rsa")).is_none(),
            "{key}"
        );
        let told = set.left_out().concat();
        assert!(
            told.contains(r#"the key "rsa""#) && told.contains(why),
            "{told}"
        );
    }
    // Bits are counted, not letters; one zero byte of a sign is none of them.
    for (bits, zeros, exponent) in [
        (2048, 0, &[1, 0, 1][..]),
        (2048, 1, &[1, 0, 1]),
        (2048, 0, &[0, 1, 0, 1]),
        (2048, 0, &[3]),
        (3072, 1, &[1, 0, 1]),
        (4096, 0, &[1, 0, 1]),
        (4096, 1, &[1, 0, 1]),
    ] {
        let found = read(&rsa(bits, zeros, exponent)).map(|set| found(&set, Some("rsa")).is_some());
        assert_eq!(found, Ok(true), "{bits} bits after {zeros} zero bytes");
    }
}

#[test]
fn a_token_without_a_key_id_is_only_for_a_set_of_one() {
    assert!(read(&ec("")).is_ok_and(|set| found(&set, None).is_some()));
    assert!(
        read(&format!("{},{}", ec(""), ec(r#","kid":"b""#)))
            .is_ok_and(|set| found(&set, None).is_none())
    );
}

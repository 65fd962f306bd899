//! Keys that are used, passed over or left out, and keys for which the whole set is refused.
#![expect(clippy::indexing_slicing, reason = "tests")]

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
        let found =
            read(&ec(&format!(r#"{member},"kid":"a""#))).map(|set| set.find(Some("a")).is_some());
        assert_eq!(found, Ok(used), "{member}");
    }
    assert_eq!(
        read(r#"{"kty":"new","kid":"a"}"#).map(|set| set.keys.len()),
        Ok(0),
        "a kind of key to come"
    );
}

#[test]
fn a_member_of_another_type_refuses_the_set() {
    let good = ec(r#","kid":"good""#);
    for member in ["kid", "kty", "crv", "alg", "use"] {
        for value in ["7", "null", r#"["x"]"#, "{}"] {
            // Even in a key that is passed over for another reason.
            let key = format!(r#"{{"kid":"k","key_ops":["encrypt"],"{member}":{value}}}"#)
                .replacen(
                    r#""kid":"k","#,
                    if member == "kid" { "" } else { r#""kid":"k","# },
                    1,
                );
            let refused = read(&format!("{good},{key}")).err().unwrap_or_default();
            assert!(
                refused.contains(&format!("`{member}` is ")),
                "{key}: {refused:?}"
            );
        }
    }
    for value in [r#""verify""#, "7", "null", r#"["verify",7]"#] {
        let refused = read(&ec(&format!(r#","key_ops":{value}"#)))
            .err()
            .unwrap_or_default();
        assert!(refused.contains("`key_ops` is "), "{value}: {refused:?}");
    }
}

#[test]
fn an_ill_formed_key_refuses_the_set_and_is_named() {
    let good = ec(r#","kid":"good""#);
    let (x, y) = (decoded(X), decoded(Y));
    let both = [x.clone(), y.clone()].concat();
    let ed = decoded(ED);
    // Some numbers are the ordinate of no point.
    let nowhere = (2..=255)
        .map(|y| [&[y][..], &[0; 31]].concat())
        .find(|x| read(&ed25519(x)).is_err())
        .unwrap_or_default();
    let small_order = [&[1][..], &[0; 31]].concat();
    for (keys, why) in [
        (format!("{good},{good}"), "two of this name"),
        (
            format!(r#"{good},{{"kty":"oct","k":"AAAA","kid":"b"}}"#),
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
        (ec(r#","kid":"a","kid":"b""#), "duplicate"),
        ("7".into(), "not an object"),
        (
            r#"{"kty":"EC","crv":"P-256","x":"AA","kid":"ec"}"#.into(),
            r#"the key "ec": expected 32 bytes in its `x`"#,
        ),
        (
            format!(r#"{{"kty":"EC","crv":"P-256","x":"{X}"}}"#),
            "key 1 of 1: it has no `y`",
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
        let refused = read(&keys).err().unwrap_or_default();
        assert!(
            refused.contains(why),
            "{keys} should say {why}: {refused:?}"
        );
    }
    assert!(read(&ed25519(&ed)).is_ok_and(|set| set.find(Some("ed")).is_some()));
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
            set.find(Some("good")).is_some() && set.find(Some("rsa")).is_none(),
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
        let found = read(&rsa(bits, zeros, exponent)).map(|set| set.find(Some("rsa")).is_some());
        assert_eq!(found, Ok(true), "{bits} bits after {zeros} zero bytes");
    }
}

#[test]
fn a_token_without_a_key_id_is_only_for_a_set_of_one() {
    assert!(read(&ec("")).is_ok_and(|set| set.find(None).is_some()));
    assert!(
        read(&format!("{},{}", ec(""), ec(r#","kid":"b""#)))
            .is_ok_and(|set| set.find(None).is_none())
    );
}

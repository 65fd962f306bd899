//! Every bit of a token counts.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "tests")]

use std::thread;

use bailiwick_dev::jws::{Algorithm, Key};
use serde_json::{Map, Value, json};

use super::{Entrance, Fate};

#[test]
fn a_token_with_one_flipped_bit_is_refused_whatever_the_algorithm_and_the_bit() {
    let flipped: usize = thread::scope(|scope| {
        let running: Vec<_> = ALGORITHMS
            .map(|algorithm| scope.spawn(move || flip_all(algorithm)))
            .into();
        let counts = running.into_iter().map(|run| run.join().expect("a count"));
        counts.sum()
    });
    println!("{flipped} tokens with one flipped bit, all refused");
    assert!(flipped >= 100_000, "{flipped}");
}

/// Presents tokens, each with each of its bits flipped, and returns how many.
fn flip_all(algorithm: Algorithm) -> usize {
    let folder = tempfile::tempdir().expect("a folder");
    let key = Key::generate("other", algorithm).expect("a key");
    let entrance = Entrance::open(folder.path(), &[key.public_jwk()]);
    let mut flipped = 0;
    for number in 0.. {
        let token = token(&key, number);
        let mut bytes = token.clone().into_bytes();
        let own = [token];
        assert_eq!(
            entrance.token(&bytes, &own),
            Fate::Accepted,
            "{algorithm:?}"
        );
        for at in 0..bytes.len() * 8 {
            flip(&mut bytes, at);
            assert_eq!(
                entrance.token(&bytes, &own),
                Fate::Refused,
                "{algorithm:?} {at}"
            );
            flip(&mut bytes, at);
        }
        flipped += bytes.len() * 8;
        if flipped >= 100_000 / ALGORITHMS.len() {
            break;
        }
    }
    flipped
}

fn flip(bytes: &mut [u8], at: usize) {
    let byte = bytes.get_mut(at / 8).expect("a byte");
    *byte ^= 1 << (at % 8);
}

fn token(key: &Key, number: usize) -> String {
    let header = json!({"alg": key.algorithm().as_str(), "typ": "at+jwt", "kid": key.kid()});
    let claims = json!({"iss": "https://idp.example", "aud": "https://mcp.example/mcp",
        "sub": format!("user-{number}"), "client_id": "app", "exp": 1_763_715_600});
    key.sign(&members(&header), &members(&claims))
        .expect("a token")
}

fn members(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Ps256,
];

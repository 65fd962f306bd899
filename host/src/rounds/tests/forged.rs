//! The texts that a client could send in place of its state.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::changed;

pub(super) type Change = Box<dyn Fn(&str, &str) -> String>;

/// The states that a client could send in place of the one it got. The second text is another state
/// of the same call.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn texts() -> Vec<(String, Change)> {
    let mut all: Vec<(String, Change)> = Vec::new();
    let mut add = |name: &str, change: Change| all.push((name.to_owned(), change));
    let fixed = |text: &'static str| -> Change { Box::new(move |_, _| text.to_owned()) };
    add("empty", fixed(""));
    add("a word", fixed("state"));
    add("null", fixed("null"));
    add("an object", fixed(r#"{"id":"00","questions":{}}"#));
    add("a token", fixed("eyJhbGciOiJub25lIn0.e30."));
    add("controls", fixed("\u{0}\u{1b}[2J"));
    add("one byte", fixed("AQ"));
    add(
        "nothing but a head",
        Box::new(|text, _| changed(text, |bytes| bytes.truncate(21))),
    );
    add(
        "the tag cut",
        Box::new(|text, _| changed(text, |bytes| bytes.truncate(bytes.len() - 16))),
    );
    add(
        "longer by a byte",
        Box::new(|text, _| changed(text, |bytes| bytes.push(0))),
    );
    add(
        "a byte before it",
        Box::new(|text, _| changed(text, |bytes| bytes.insert(0, 1))),
    );
    add("twice", Box::new(|text, _| text.repeat(2)));
    add(
        "very long",
        Box::new(|text, _| text.to_owned() + &"A".repeat(1 << 20)),
    );
    add("padded", Box::new(|text, _| format!("{text}==")));
    add("a space before it", Box::new(|text, _| format!(" {text}")));
    add(
        "a line break after it",
        Box::new(|text, _| format!("{text}\n")),
    );
    add(
        "upside down",
        Box::new(|text, _| text.chars().rev().collect()),
    );
    add("in capitals", Box::new(|text, _| text.to_uppercase()));
    add(
        "wrapped in base64 again",
        Box::new(|text, _| URL_SAFE_NO_PAD.encode(text)),
    );
    add(
        "in hexadecimal",
        Box::new(|text, _| crate::seams::hex(text.as_bytes())),
    );
    add(
        "in another alphabet",
        Box::new(|text, _| {
            let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
            bytes.extend([0xfb, 0xff]);
            STANDARD_NO_PAD.encode(bytes)
        }),
    );
    add(
        "with padding of its own",
        Box::new(|text, _| {
            let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
            while bytes.len() % 3 == 0 {
                bytes.push(0);
            }
            URL_SAFE.encode(bytes)
        }),
    );
    add(
        "another version",
        Box::new(|text, _| changed(text, |bytes| bytes[0] += 1)),
    );
    add(
        "a later expiry",
        Box::new(|text, _| changed(text, |bytes| bytes[8] ^= 0x40)),
    );
    add(
        "no expiry",
        Box::new(|text, _| changed(text, |bytes| bytes[1..9].fill(0xff))),
    );
    add(
        "another's nonce",
        Box::new(|text, other| {
            let other = URL_SAFE_NO_PAD.decode(other).unwrap();
            changed(text, |bytes| bytes[9..21].copy_from_slice(&other[9..21]))
        }),
    );
    add(
        "another's tag",
        Box::new(|text, other| {
            let other = URL_SAFE_NO_PAD.decode(other).unwrap();
            changed(text, |bytes| {
                let at = bytes.len() - 16;
                bytes[at..].copy_from_slice(&other[other.len() - 16..]);
            })
        }),
    );
    add(
        "another's head",
        Box::new(|text, other| {
            let other = URL_SAFE_NO_PAD.decode(other).unwrap();
            changed(text, |bytes| bytes[..21].copy_from_slice(&other[..21]))
        }),
    );
    for place in [0, 1, 5, 9, 20, 21, 40, 100] {
        let flip = move |text: &str, _: &str| changed(text, |bytes| bytes[place] ^= 1);
        add(&format!("bit 0 of byte {place}"), Box::new(flip));
    }
    all
}

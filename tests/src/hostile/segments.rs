//! Guests that build a path segment of several pieces and mean another path.
//!
//! Without a grant every request is refused for that alone. To see the effect of the pieces, grant
//! [`SERVICE`] to the guests of this family, with a template that covers any path.

use super::data::escaped;
use super::definition::Definition;
use super::{Case, Guest, TOO_LARGE, TRAPPED, ended, harmless};

/// The service that these guests ask.
pub const SERVICE: &str = "orders_api";

pub(super) fn cases() -> Vec<Case> {
    [escapes(), nonsense()].concat()
}

/// Returns true if a case asks [`SERVICE`], and so should be granted it.
pub(super) fn asks_a_service(name: &str) -> bool {
    name.starts_with("segment-of-")
}

fn escapes() -> Vec<Case> {
    let escape = |name: &'static str, does, pieces: &[&str]| {
        harmless(name, does, "ok", refused(name, &joined(pieces)))
    };
    vec![
        escape(
            "segment-of-a-climb",
            "Joins `a` and `/../b` to one segment.",
            &["a", "/../b"],
        ),
        escape(
            "segment-of-two-dots",
            "Joins `.` and `.` to one segment.",
            &[".", "."],
        ),
        escape(
            "segment-of-one-dot-and-nothing",
            "Joins `.` and nothing to one segment.",
            &["", ".", ""],
        ),
        escape(
            "segment-of-a-dot-slash-dot",
            "Joins a slash between dots.",
            &[".", "/", "."],
        ),
        escape(
            "segment-of-a-backslash",
            "Joins `..` and a backslash, which some servers read as a slash.",
            &["..", "\\", "b"],
        ),
        escape(
            "segment-of-a-line-break",
            "Joins pieces that would begin a header.",
            &["a", "\r\nX-Actor-Sub: bob"],
        ),
        escape(
            "segment-of-empty-pieces",
            "Joins pieces of nothing to an empty segment.",
            &["", ""],
        ),
        escape(
            "segment-of-no-pieces",
            "Joins no pieces to an empty segment.",
            &[],
        ),
        harmless(
            "segment-of-the-issuer",
            "Lets the host fill the issuer, which is a URL with slashes, into a path.",
            "ok",
            refused("segment-of-the-issuer", ISSUER),
        ),
        harmless(
            "segment-of-encoded-dots",
            "Joins three `%2e`, which must reach the service encoded once more.",
            "ok",
            asking("segment-of-encoded-dots", &joined(&["%2e", "%2E", "%2e"])).call(SEND),
        ),
    ]
}

fn nonsense() -> Vec<Case> {
    let sent = |pieces: &str| Guest::with_host_functions().main(pieces).call(SEND);
    let (part, pieces) = (PART, PIECES);
    vec![
        ended(
            "piece-that-is-none",
            "Joins a piece of a kind that does not exist.",
            TRAPPED,
            sent(&format!(
                "(data (i32.const {part}) (i32 4 {pieces} 1)) (data (i32.const {pieces}) (i32 4))"
            )),
        ),
        ended(
            "pieces-from-nowhere",
            "Joins pieces that lie beyond its memory.",
            TRAPPED,
            sent(&format!("(data (i32.const {part}) (i32 4 -24 2))")),
        ),
        ended(
            "pieces-at-an-odd-address",
            "Joins pieces at an odd address.",
            TRAPPED,
            sent(&format!("(data (i32.const {part}) (i32 4 {pieces} 1))")).call(format!(
                "(i32.store offset=4 (i32.const {part}) (i32.const 98401)) {SEND}"
            )),
        ),
        ended(
            "700-000-pieces",
            "Joins seven hundred thousand empty pieces.",
            TOO_LARGE,
            sent(&format!("(data (i32.const {part}) (i32 4 524288 700000))"))
                .call(format!("(drop (memory.grow (i32.const 200))) {SEND}")),
        ),
        ended(
            "pieces-that-share-one-text",
            "Joins a hundred pieces that all point at the same 400 KB.",
            TOO_LARGE,
            sent(&format!("(data (i32.const {part}) (i32 4 {pieces} 100))")).call(format!(
                "(local $at i32) (local.set $at (i32.const {pieces}))
                 (loop
                   (i32.store (local.get $at) (i32.const 0))
                   (i32.store offset=4 (local.get $at) (i32.const 102400))
                   (i32.store offset=8 (local.get $at) (i32.const 400000))
                   (local.set $at (i32.add (local.get $at) (i32.const 12)))
                   (br_if 0 (i32.lt_u (local.get $at) (i32.const {}))))
                 (memory.fill (i32.const 102400) (i32.const 32) (i32.const 400000)) {SEND}",
                PIECES + 1200
            )),
        ),
    ]
}

/// Returns a guest that describes itself with [`SERVICE`] and has this data.
fn asking(name: &str, data: &str) -> Guest {
    let definition = Definition {
        services: vec![SERVICE.to_owned()],
        ..Definition::new(name)
    };
    let service = escaped(SERVICE.as_bytes());
    Guest::with_host_functions()
        .describes(&[definition])
        .main(format!(
            "(data (i32.const {NAMES}) \"{service}GET\") {data}"
        ))
}

/// Returns a guest that fails if its request is answered.
fn refused(name: &str, data: &str) -> Guest {
    asking(name, data).call(format!(
        "{SEND} (if (i32.eqz (i32.load8_u (i32.const 4096))) (then unreachable))"
    ))
}

/// Returns the data segment that puts a text at `at`.
fn datum(at: usize, text: &str) -> String {
    format!("(data (i32.const {at}) \"{}\")", escaped(text.as_bytes()))
}

/// Returns the data of a part that joins these texts.
fn joined(texts: &[&str]) -> String {
    let (mut pieces, mut at, mut data) = (String::new(), TEXTS, String::new());
    for text in texts {
        pieces += " 0 ";
        pieces += &[at, text.len()].map(|number| number.to_string()).join(" ");
        data += &datum(at, text);
        at += text.len();
    }
    let count = texts.len();
    format!(
        "(data (i32.const {PART}) (i32 4 {PIECES} {count}))
         (data (i32.const {PIECES}) (i32{pieces})) {data}"
    )
}

/// A part that is the actor's issuer.
const ISSUER: &str = "(data (i32.const 98304) (i32 3 0 0))";

/// Sends `GET` with the one part; the result is at 4096, and 1 there is an error.
const SEND: &str = "(call $send (i32.const 98272) (i32.const 10) (i32.const 98282) (i32.const 3)
    (i32.const 98304) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 4096))";

/// The address of the service's name and the method.
const NAMES: usize = 98_272;
/// The address of the part.
const PART: usize = 98_304;
/// The address of its pieces.
const PIECES: usize = 98_400;
/// The address of their texts.
const TEXTS: usize = 100_000;

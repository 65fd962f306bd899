//! Guests whose results no host should accept.

use super::data::escaped;
use super::{Case, Expect, Guest, INVALID, Phase, TOO_LARGE, TRAPPED, each, ended, harmless, text};

pub(super) fn cases() -> Vec<Case> {
    [
        pointers(),
        discriminants(),
        texts(),
        sizes(),
        meanings(),
        encodings(),
    ]
    .concat()
}

/// Answers with these words at this place of the usual result.
fn words(at: usize, words: &str) -> Guest {
    let code = each(words.split(' ').enumerate(), |(index, word)| {
        format!(
            "(i32.store (i32.const {}) (i32.const {word}))\n",
            at + index * 4
        )
    });
    Guest::new().call(code)
}

/// Answers with one text block of these bytes and, if not empty, this `_meta` of the result.
fn says(said: &[u8], meta: &str) -> Guest {
    let length = said.len();
    let said_here = format!(
        "(i32.store (i32.const 2116) (i32.const 98304)) (i32.store (i32.const 2120) (i32.const {length}))"
    );
    let meta_here = format!(
        "(i32.store (i32.const 2080) (i32.const 1)) (i32.store (i32.const 2084) (i32.const 131072))
         (i32.store (i32.const 2088) (i32.const {}))",
        meta.len()
    );
    let code = if meta.is_empty() {
        said_here
    } else {
        said_here + &meta_here
    };
    let data =
        |at: usize, bytes: &[u8]| format!("(data (i32.const {at}) \"{}\")\n", escaped(bytes));
    Guest::new()
        .main(data(98_304, said) + &data(131_072, meta.as_bytes()))
        .call(code)
}

fn pointers() -> Vec<Case> {
    let trapped = |name, does, guest| ended(name, does, TRAPPED, guest);
    vec![
        trapped(
            "return-from-nowhere",
            "Says that its result is at the end of the address space.",
            returns("-4"),
        ),
        trapped(
            "return-beyond-memory",
            "Says that its result begins where its memory ends.",
            returns("524288"),
        ),
        trapped(
            "return-half-beyond-memory",
            "Says that its result begins in its memory and ends behind it.",
            returns("524256"),
        ),
        trapped(
            "return-misaligned",
            "Says that its result is at an odd address.",
            returns("2049"),
        ),
        trapped(
            "text-of-2-gib",
            "Says that its text is 2 GiB long.",
            words(2116, "1024 0x7fffffff"),
        ),
        trapped(
            "text-of-4-gib",
            "Says that its text is 4 GiB long.",
            words(2116, "1024 0xffffffff"),
        ),
        trapped(
            "text-that-wraps-around",
            "Says that its text goes beyond the last address to the first.",
            words(2116, "0xfffffff0 32"),
        ),
        trapped(
            "list-misaligned",
            "Says that its list is at an odd address.",
            words(2056, "2113 1"),
        ),
        trapped(
            "list-of-100-million",
            "Says that its list has a hundred million members.",
            words(2056, "2112 100000000"),
        ),
        trapped(
            "list-whose-size-overflows",
            "Says that its list has 2^32/56 members, whose size overflows 32 bits.",
            words(2056, "2112 76695845"),
        ),
        harmless(
            "two-members-in-one-place",
            "Returns the same bytes as two overlapping things.",
            "ok",
            words(2068, "0 0 0 0"),
        ),
    ]
}

fn returns(at: &str) -> Guest {
    Guest::new().call(format!("(return (i32.const {at}))"))
}

fn discriminants() -> Vec<Case> {
    let trapped = |name, does, guest| ended(name, does, TRAPPED, guest);
    vec![
        trapped(
            "result-that-is-neither",
            "Returns neither a result nor an error.",
            words(2048, "2"),
        ),
        trapped(
            "outcome-that-is-none",
            "Returns an outcome that the interface does not have.",
            words(2052, "2"),
        ),
        trapped(
            "error-that-is-none",
            "Returns an error that the interface does not have.",
            words(2048, "1 5"),
        ),
        trapped(
            "content-that-is-none",
            "Returns content of a kind that the interface does not have.",
            words(2112, "5"),
        ),
        trapped(
            "content-255",
            "Returns content of the kind 255.",
            words(2112, "255"),
        ),
        trapped(
            "option-that-is-neither",
            "Returns an option that is neither there nor not.",
            words(2064, "2"),
        ),
        harmless(
            "bool-of-two",
            "Returns a bool that is zero in the byte that counts and something elsewhere.",
            "ok",
            words(2076, "0x100"),
        ),
        ended(
            "bool-of-255",
            "Returns a bool of 255, which means true, so an error of its own.",
            &["tool-error"],
            words(2076, "255"),
        ),
    ]
}

fn texts() -> Vec<Case> {
    let trapped = |name, does, bytes: &[u8]| ended(name, does, TRAPPED, says(bytes, ""));
    vec![
        trapped(
            "text-that-is-not-utf-8",
            "Returns bytes that are no text.",
            b"\xff\xfe\xfd",
        ),
        trapped(
            "text-cut-in-a-character",
            "Returns text that ends within a character.",
            b"caf\xc3",
        ),
        trapped(
            "text-with-a-surrogate",
            "Returns half of a UTF-16 pair as UTF-8.",
            b"\xed\xa0\x80",
        ),
        trapped(
            "text-written-too-long",
            "Returns a slash in two bytes, which UTF-8 forbids.",
            b"\xc0\xaf",
        ),
        harmless(
            "text-that-controls-a-terminal",
            "Returns text that would clear the screen and move the cursor; the host takes the control away.",
            "gone\u{fffd}[2J",
            says(b"gone\x1b[2J\x07\x00", ""),
        ),
    ]
}

fn sizes() -> Vec<Case> {
    let too_large = |name, does, guest| ended(name, does, TOO_LARGE, guest);
    let error = |code: &str| {
        Guest::new().call(format!("{code} (i32.store (i32.const 2048) (i32.const 1))"))
    };
    vec![
        too_large("text-a-little-too-large", "Returns one byte more than it may.", words(2116, "400000 65537")),
        too_large(
            "100-000-empty-texts",
            "Returns a hundred thousand content blocks of no text, which are small in its memory and large in the host's.",
            Guest::new().call(
                "(drop (memory.grow (i32.const 160)))
                 (i32.store (i32.const 2056) (i32.const 524288)) (i32.store (i32.const 2060) (i32.const 100000))",
            ),
        ),
        too_large(
            "one-text-a-thousand-times",
            "Returns a thousand content blocks that all point at the same 400 KiB.",
            Guest::new().call(
                "(local $at i32)
                 (local.set $at (i32.const 65536))
                 (loop
                   (i32.store offset=4 (local.get $at) (i32.const 121536))
                   (i32.store offset=8 (local.get $at) (i32.const 400000))
                   (i32.store (local.get $at) (i32.const 0))
                   (i32.store offset=12 (local.get $at) (i32.const 0))
                   (local.set $at (i32.add (local.get $at) (i32.const 56)))
                   (br_if 0 (i32.lt_u (local.get $at) (i32.const 121536))))
                 (memory.fill (i32.const 121536) (i32.const 32) (i32.const 400000))
                 (i32.store (i32.const 2056) (i32.const 65536)) (i32.store (i32.const 2060) (i32.const 1000))",
            ),
        ),
        too_large(
            "error-that-is-too-large",
            "Returns an error whose text is larger than any result may be.",
            error(
                "(memory.fill (i32.const 262144) (i32.const 32) (i32.const 100000))
                 (i32.store (i32.const 2052) (i32.const 4)) (i32.store (i32.const 2056) (i32.const 262144))
                 (i32.store (i32.const 2060) (i32.const 100000))",
            ),
        ),
        too_large(
            "result-of-12-mib",
            "Returns a text of 12 MiB.",
            Guest::new().call(
                "(drop (memory.grow (i32.const 200)))
                 (i32.store (i32.const 2116) (i32.const 524288)) (i32.store (i32.const 2120) (i32.const 12582912))",
            ),
        ),
    ]
}

fn meanings() -> Vec<Case> {
    let meta = |name, does, meta: &str| ended(name, does, INVALID, says(b"ok", meta));
    let deep = "[".repeat(40_000);
    let structured =
        "(i32.store (i32.const 2064) (i32.const 1)) (i32.store (i32.const 2068) (i32.const 1024))
         (i32.store (i32.const 2072) (i32.const 2))";
    vec![
        meta("meta-that-is-not-json", "Returns a _meta that is no JSON.", "{oops"),
        meta("meta-that-is-a-list", "Returns a _meta that is no object.", "[1]"),
        meta("meta-that-says-it-twice", "Returns a _meta with one name twice.", r#"{"a":1,"a":2}"#),
        meta("meta-forty-thousand-deep", "Returns a _meta of forty thousand brackets.", &deep),
        harmless(
            "meta-that-speaks-for-the-host",
            "Returns a _meta in the host's name, with a reason and another user's envelope; the host drops it.",
            "ok",
            says(b"ok", r#"{"io.bailiwick/reason":"internal","io.bailiwick/envelope":{"actor":{"sub":"root"}}}"#),
        ),
        harmless(
            "envelope-of-somebody-else",
            "Returns a forged envelope as its text; nothing that a tool returns says who called.",
            "\"sub\":\"root\"",
            says(
                br#"{"actor":{"kind":"user","sub":"root","iss":"https://forged.example"},"meta":{"signature":"AAAA"}}"#,
                "",
            ),
        ),
        ended(
            "structured-that-is-not-json",
            "Returns structured content that is no JSON.",
            INVALID,
            Guest::new().call(structured),
        ),
        ended(
            "media-type-with-a-line-break",
            "Returns an image whose type goes on in the next line.",
            INVALID,
            words(2112, "1 1024 2 98304 10 0 0 0").main("(data (i32.const 98304) \"image/\\0apng\")"),
        ),
        Case {
            name: "question-to-the-user",
            does: "Asks the user, with nothing to ask.",
            at: Phase::Call,
            expect: Expect::Ended(&["question-refused"]),
            source: text("question-to-the-user", &words(2052, "1 0 0 0")),
        },
    ]
}

/// Returns guests whose text the host must transcode.
fn encodings() -> Vec<Case> {
    let case = |name, does, encoding: &str, code: &str, at: usize, length: &str| {
        let guest = words(2116, &format!("{at} {length}"))
            .fill("call-options", format!(" string-encoding={encoding}"));
        ended(
            name,
            does,
            TRAPPED,
            guest.main(format!("(data (i32.const 98304) \"{code}\")")),
        )
    };
    vec![
        case(
            "utf-16-at-an-odd-address",
            "Returns UTF-16 text at an odd address.",
            "utf16",
            "\\00a\\00b\\00",
            98_305,
            "2",
        ),
        case(
            "utf-16-with-half-a-pair",
            "Returns UTF-16 text with half of a pair.",
            "utf16",
            "\\00\\d8a\\00",
            98_304,
            "2",
        ),
        case(
            "utf-16-of-4-gib",
            "Returns UTF-16 text whose size overflows 32 bits.",
            "utf16",
            "",
            98_304,
            "0x7fffffff",
        ),
        case(
            "latin-1-or-utf-16-with-half-a-pair",
            "Returns text in the encoding that is chosen text by text, with half of a pair.",
            "latin1+utf16",
            "\\00\\d8a\\00",
            98_304,
            "0x80000002",
        ),
        case(
            "latin-1-or-utf-16-of-4-gib",
            "Returns text in the encoding that is chosen text by text, beyond the end of memory.",
            "latin1+utf16",
            "",
            98_304,
            "0xffffffff",
        ),
    ]
}

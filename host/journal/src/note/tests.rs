//! Notes that are read and notes that are refused, according to `c2sp.org/signed-note`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;

const PUBLISHED_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PUBLISHED_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn the_published_example_of_signed_notes_verifies() {
    let key: VerifierKey = PUBLISHED_KEY.parse().unwrap();
    assert_eq!(key.to_string(), PUBLISHED_KEY);
    assert!(key.open(PUBLISHED_NOTE).unwrap().ends_with("problem is.\n"));
    assert!(
        key.open(&PUBLISHED_NOTE.replace("answer", "Answer"))
            .is_none()
    );
    assert_eq!(claimed(PUBLISHED_NOTE).unwrap(), ["PeterNeumann+c74f20a3"]);
}

/// A key pair, and the lines that it writes under texts.
struct Signer {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Signer {
    fn new(name: &str, seed: u8) -> Self {
        let key = SigningKey::from_seed(&[seed; 32]);
        let verifier = VerifierKey::new(name, key.public()).unwrap();
        Self { key, verifier }
    }

    /// Returns the signature line under a text.
    fn line(&self, text: &str) -> String {
        self.verifier
            .sign(text, &self.key)
            .split_off(text.len() + 1)
    }

    /// Returns a line that names this key and is not its signature of the text.
    fn forged(&self, text: &str) -> String {
        self.line(&format!("not {text}"))
    }
}

/// Returns a line of that name over those bytes.
fn line(name: &str, bytes: &[u8]) -> String {
    format!("— {name} {}\n", STANDARD.encode(bytes))
}

const TEXT: &str = "one\ntwo\n";

#[test]
fn a_note_that_follows_the_format_is_read_to_its_last_empty_line() {
    let (us, other) = (
        Signer::new("example/audit", 3),
        Signer::new("example/witness", 4),
    );
    let (same_name, same_key) = (
        Signer::new("example/audit", 5),
        Signer::new("example/other", 3),
    );
    let hash = us.verifier.hash();
    let good = us.line(TEXT);
    let signed = |text: &str| (text.to_owned(), us.line(text));
    let over = |lines: String| (TEXT.to_owned(), lines);
    let cases = [
        ("one signature", over(good.clone())),
        ("an empty text line", signed("\n")),
        ("an empty line within the text", signed("one\n\ntwo\n")),
        (
            "empty lines at both ends of the text",
            signed("\n\none\n\n\n"),
        ),
        (
            "a signature line within the text",
            signed(&format!("{TEXT}\n{good}")),
        ),
        ("the same line twice", over(good.repeat(2))),
        ("a witness after it", over(good.clone() + &other.line(TEXT))),
        ("a witness before it", over(other.line(TEXT) + &good)),
        (
            "a stranger's line that does not verify",
            over(other.forged(TEXT) + &good),
        ),
        (
            "another key of our name",
            over(same_name.forged(TEXT) + &good),
        ),
        (
            "our key under another name",
            over(same_key.forged(TEXT) + &good),
        ),
        (
            "our hash under another name",
            over(line("else", &[&hash[..], &[7; 64]].concat()) + &good),
        ),
        (
            "a signature of another kind",
            over(line("pq", &[7; 3000]) + &good),
        ),
        (
            "a signature of one byte",
            over(line("short", &[7; 5]) + &good),
        ),
        (
            "a name of any letters",
            over(line("naïve/Ω\u{7f}\u{9b}", &[7; 68]) + &good),
        ),
        ("sixteen signers", over(other.line(TEXT).repeat(15) + &good)),
        (
            "a hundred signers",
            over(other.line(TEXT).repeat(99) + &good),
        ),
    ];
    for (case, (text, lines)) in cases {
        let note = format!("{text}\n{lines}");
        assert_eq!(us.verifier.open(&note), Some(&*text), "{case}: {note:?}");
        assert_eq!(
            claimed(&note).unwrap().len(),
            lines.lines().count(),
            "{case}"
        );
    }
}

#[test]
fn a_note_that_does_not_follow_the_format_has_no_text_and_no_signers() {
    let us = Signer::new("example/audit", 3);
    let good = us.line(TEXT);
    let note = format!("{TEXT}\n{good}");
    let under = |lines: &str| format!("{TEXT}\n{lines}");
    let cases = [
        ("nothing", String::new()),
        ("no signatures", TEXT.to_owned()),
        ("no signatures after the empty line", under("")),
        ("two empty lines and no signatures", under("\n")),
        ("no text", format!("\n{good}")),
        (
            "a line after the signature",
            note.clone() + "Unexpected line.\n",
        ),
        (
            "a line before the signature",
            under(&format!("Unexpected line.\n{good}")),
        ),
        (
            "junk between the signatures",
            under(&format!("{good}junk\n{good}")),
        ),
        ("an empty line at the end", note.clone() + "\n"),
        (
            "an empty line before the signature",
            format!("{TEXT}\n\n\n{}", good.replace("— ", "- ")),
        ),
        ("another note after it", note.repeat(2) + "x\n"),
        ("no line break at the end", note.trim_end().to_owned()),
        ("a hyphen", note.replace("— ", "- ")),
        ("no space after the dash", note.replace("— ", "—")),
        ("no space after the name", note.replace("audit ", "audit")),
        ("two spaces", note.replace("audit ", "audit  ")),
        ("a space at the end", note.trim_end().to_owned() + " \n"),
        ("no name", under(&good.replace("example/audit", ""))),
        ("a plus in the name", under(&line("a+b", &[7; 68]))),
        (
            "a wide space in the name",
            under(&line("a\u{3000}b", &[7; 68])),
        ),
        ("no base64", under("— example/audit ?\n")),
        (
            "base64 without its padding",
            under("— example/audit AAAAAAA\n"),
        ),
        (
            "no signature after the hash",
            under(&line("example/audit", &[7; 4])),
        ),
        ("less than a hash", under(&line("example/audit", &[7; 3]))),
        (
            "a malformed line beside a good one",
            under(&format!("{good}— someone\n")),
        ),
        ("a tab in the text", us.verifier.sign("one\ttwo\n", &us.key)),
        (
            "a zero in the text",
            us.verifier.sign("one\0two\n", &us.key),
        ),
        (
            "an escape in the text",
            us.verifier.sign("one\x1b[2K\n", &us.key),
        ),
        ("a carriage return", us.verifier.sign("one\r\n", &us.key)),
        ("line breaks of another system", note.replace('\n', "\r\n")),
        (
            "a control character in a name",
            under(&(line("a\x01b", &[7; 68]) + &good)),
        ),
        ("more signers than anyone has", under(&good.repeat(101))),
    ];
    for (case, note) in cases {
        assert_eq!(us.verifier.open(&note), None, "{case}: {note:?}");
        assert_eq!(claimed(&note), None, "{case}: {note:?}");
    }
}

#[test]
fn a_note_that_our_key_did_not_sign_or_that_claims_it_falsely_is_refused() {
    let (us, other) = (
        Signer::new("example/audit", 3),
        Signer::new("example/witness", 4),
    );
    let (good, forged) = (us.line(TEXT), us.forged(TEXT));
    let hash = us.verifier.hash();
    let cut = STANDARD
        .decode(good.trim_end().rsplit_once(' ').unwrap().1)
        .unwrap();
    let cases = [
        ("another's signature", other.line(TEXT)),
        ("a forged line", forged.clone()),
        ("a forged line before a good one", forged.clone() + &good),
        ("a forged line after a good one", good.clone() + &forged),
        (
            "a forged line between good ones",
            format!("{good}{forged}{good}"),
        ),
        ("a forged line beside a witness", forged + &other.line(TEXT)),
        (
            "a signature that is too short",
            good.clone() + &line("example/audit", &cut[..67]),
        ),
        (
            "a signature that is too long",
            good.clone() + &line("example/audit", &[&cut[..], &[0]].concat()),
        ),
        (
            "a hash and one byte",
            good.clone() + &line("example/audit", &[&hash[..], &[0]].concat()),
        ),
    ];
    for (case, lines) in cases {
        let note = format!("{TEXT}\n{lines}");
        assert_eq!(us.verifier.open(&note), None, "{case}");
        assert_eq!(
            claimed(&note).unwrap().len(),
            lines.lines().count(),
            "{case}"
        );
    }
    let later = format!("{TEXT}\n{good}three\n\n{good}");
    assert_eq!(
        us.verifier.open(&later),
        None,
        "what is below the first empty line is not signed"
    );
}

#[test]
fn the_signers_of_a_note_are_named_so_that_they_can_be_shown() {
    let us = Signer::new("someone", 3);
    let note = format!(
        "{TEXT}\n{}{}",
        us.line(TEXT),
        line("a\u{9b}31mb", &[0, 1, 2, 3, 4])
    );
    assert_eq!(
        claimed(&note),
        Some(vec![us.verifier.id(), "a\u{fffd}31mb+00010203".to_owned()])
    );
}

#[test]
fn what_is_not_a_verifier_key_is_refused() {
    let good = Signer::new("example/audit", 9).verifier.to_string();
    for text in [
        "",
        "a+b",
        &good.replace("example", "exomple"),
        &good.replace('/', " "),
        &good.replace("+A", "+B"),
    ] {
        assert!(text.parse::<VerifierKey>().is_err(), "{text}");
    }
    assert_eq!(
        format!(" {good}\n")
            .parse::<VerifierKey>()
            .unwrap()
            .to_string(),
        good
    );
}

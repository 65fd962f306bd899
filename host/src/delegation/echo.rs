//! Searches an answer for credentials, in every form in which services write text without meaning
//! to hide it: as they are, in base64 (also in lines), and with the escapes of URLs, JSON and HTML.
//!
//! Trusts no answer. What a service hides on purpose, such as a credential that is reversed,
//! encrypted or cut in two, is not found.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::{memchr2, memchr3, memmem};
use zeroize::Zeroizing;

/// The credentials that no answer may repeat.
#[derive(Default)]
pub(crate) struct Echoed {
    /// Each credential in each form that is searched for.
    forms: Vec<Zeroizing<Vec<u8>>>,
}

impl Echoed {
    /// Adds a credential. One that is so short that it could occur by chance is passed over.
    pub(crate) fn add(&mut self, secret: &[u8]) {
        if secret.len() < MIN_LENGTH {
            return;
        }
        self.forms.push(Zeroizing::new(secret.to_vec()));
        if secret.contains(&b' ') {
            let in_form = secret
                .iter()
                .map(|byte| if *byte == b' ' { b'+' } else { *byte });
            self.forms.push(Zeroizing::new(in_form.collect()));
        }
        for before in 0..3 {
            let standard = base64_within(secret, before);
            let url_safe = Zeroizing::new(standard.iter().copied().map(url_safe).collect());
            if url_safe != standard {
                self.forms.push(url_safe);
            }
            self.forms.push(standard);
        }
    }

    /// Returns true if `text` repeats one of the credentials.
    pub(crate) fn are_in(&self, text: &[u8]) -> bool {
        let mut text = Cow::Borrowed(text);
        for _ in 0..ROUNDS {
            if self.are_plainly_in(&text) {
                return true;
            }
            match unescaped(&text) {
                Some(plainer) => text = Cow::Owned(plainer),
                None => return false,
            }
        }
        self.are_plainly_in(&text)
    }

    fn are_plainly_in(&self, text: &[u8]) -> bool {
        self.are_on_a_line_of(text) || joined(text).is_some_and(|line| self.are_on_a_line_of(&line))
    }

    /// Preparing a search takes longer the longer a credential is, and most headers are too short
    /// to repeat one.
    fn are_on_a_line_of(&self, text: &[u8]) -> bool {
        self.forms
            .iter()
            .any(|form| text.len() >= form.len() && memmem::find(text, form).is_some())
    }
}

/// Returns the characters of base64 that depend on `secret` alone, if it begins `before` bytes
/// after a multiple of three.
fn base64_within(secret: &[u8], before: usize) -> Zeroizing<Vec<u8>> {
    let text = Zeroizing::new([vec![0; before], secret.to_vec()].concat());
    let coded = Zeroizing::new(STANDARD_NO_PAD.encode(&*text));
    // A character stands for six bits.
    let (first, end) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
    Zeroizing::new(
        coded
            .as_bytes()
            .get(first..end)
            .unwrap_or_default()
            .to_vec(),
    )
}

/// Returns a character of base64 as the alphabet for URLs has it (RFC 4648 §5).
fn url_safe(character: u8) -> u8 {
    match character {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    }
}

/// Returns `text` as one line, or `None` if it is one: many programs break base64 into lines (RFC
/// 2045 §6.8).
fn joined(text: &[u8]) -> Option<Vec<u8>> {
    memchr2(b'\r', b'\n', text)?;
    let is_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let kept = text.iter().copied().filter(|byte| !is_break(byte));
    Some(kept.collect())
}

/// Returns `text` with each escape replaced once, or `None` if it has none.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let (mut rest, mut done) = (text, 0);
    while let Some(at) = memchr3(b'%', b'\\', b'&', rest) {
        let (before, from) = rest.split_at(at);
        plain.extend_from_slice(before);
        let (byte, length) = match escape(from) {
            Some(escape) => {
                done += 1;
                escape
            }
            None => (*from.first()?, 1),
        };
        plain.push(byte);
        rest = from.get(length..)?;
    }
    plain.extend_from_slice(rest);
    (done > 0).then_some(plain)
}

/// Returns the ASCII character that the escape at the start of `text` stands for, and the length of
/// the escape. Credentials are ASCII, so that other characters do not matter.
fn escape(text: &[u8]) -> Option<(u8, usize)> {
    match text {
        [b'%', high, low, ..] | [b'\\', b'x', high, low, ..] => {
            let prefix = if text.first() == Some(&b'%') { 1 } else { 2 };
            Some((number(&[*high, *low], 16)?, prefix + 2))
        }
        [b'\\', b'u', digits @ ..] => Some((number(digits.get(..4)?, 16)?, 6)),
        [b'\\', b'n', ..] => Some((b'\n', 2)),
        [b'\\', b'r', ..] => Some((b'\r', 2)),
        [b'\\', plain, ..] if plain.is_ascii_punctuation() => Some((*plain, 2)),
        [b'&', b'#', reference @ ..] => {
            let end = reference
                .iter()
                .take(MAX_REFERENCE)
                .position(|byte| *byte == b';')?;
            let byte = match reference.get(..end)? {
                [b'x' | b'X', digits @ ..] => number(digits, 16)?,
                digits => number(digits, 10)?,
            };
            Some((byte, end + "&#;".len()))
        }
        _ => None,
    }
}

/// Reads the number of an ASCII character.
fn number(digits: &[u8], radix: u32) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    let number = u8::from_str_radix(text, radix).ok()?;
    (number.is_ascii() && !text.starts_with('+')).then_some(number)
}

/// The shortest credential to search for. Shorter ones could occur by chance.
const MIN_LENGTH: usize = 8;
/// How often text may have been escaped: a URL in JSON in JSON.
const ROUNDS: usize = 3;
/// The longest number of a reference in HTML, with its `x`.
const MAX_REFERENCE: usize = 9;

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    /// It has characters that each kind of text escapes.
    const SECRET: &str = "sk/live+51H~x?Y=";

    fn is_found(text: &str) -> bool {
        let mut credentials = Echoed::default();
        credentials.add(SECRET.as_bytes());
        credentials.are_in(text.as_bytes())
    }

    fn each(escape: impl Fn(char) -> String) -> String {
        SECRET.chars().map(escape).collect()
    }

    fn punctuation(escape: impl Fn(char) -> String) -> String {
        each(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_string()
            } else {
                escape(c)
            }
        })
    }

    #[test]
    fn a_space_is_found_as_queries_and_forms_write_it() {
        let mut credentials = Echoed::default();
        credentials.add(b"open sesame/now");
        for (text, found) in [
            ("open sesame/now", true),
            ("?key=open%20sesame%2Fnow", true),
            ("?key=open+sesame%2fnow", true),
            ("open-sesame/now", false),
        ] {
            assert_eq!(credentials.are_in(text.as_bytes()), found, "{text}");
        }
    }

    #[test]
    fn a_credential_is_found_in_every_form_in_which_services_write() {
        let percent = punctuation(|c| format!("%{:02X}", u32::from(c)));
        for text in [
            SECRET.to_owned(),
            percent.clone(),
            each(|c| format!("%{:02x}", u32::from(c))),
            SECRET.replace('/', "\\/"),
            punctuation(|c| format!("\\u{:04x}", u32::from(c))),
            each(|c| format!("\\u{:04X}", u32::from(c))),
            punctuation(|c| format!("\\x{:02x}", u32::from(c))),
            punctuation(|c| format!("&#{};", u32::from(c))),
            punctuation(|c| format!("&#x{:X};", u32::from(c))),
            // A URL in JSON; JSON in JSON; JSON in JSON in a URL.
            percent.replace('%', "\\u0025"),
            SECRET.replace('/', "\\\\\\/"),
            SECRET.replace('/', "%5C%5C%5C%2F"),
        ] {
            assert!(
                is_found(&format!("{{\"echo\": \"Bearer {text}\"}}")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_credential_is_found_in_base64_wherever_it_begins_and_whatever_follows() {
        for before in 0..6 {
            for after in 0..4 {
                let text = format!("{}{SECRET}{}", "\u{7f}".repeat(before), "~".repeat(after));
                for coded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    assert!(is_found(&coded), "{coded}");
                    assert!(is_found(&coded.replace('/', "\\/")), "{coded}");
                    assert!(is_found(&coded.replace('+', "%2B")), "{coded}");
                }
            }
        }
    }

    #[test]
    fn a_credential_is_found_in_base64_that_is_broken_into_lines() {
        let coded = STANDARD.encode(format!("Authorization: Bearer {SECRET}"));
        for width in [4, 7, 60] {
            let lines: Vec<_> = coded.as_bytes().chunks(width).collect();
            for end in ["\n", "\r\n", "\\n", "\\r\\n", "\\\\n", "%0D%0A"] {
                let text = lines.join(end.as_bytes());
                let text = String::from_utf8_lossy(&text);
                assert!(is_found(&text), "{text}");
            }
            let text = lines.join(b" ".as_slice());
            let text = String::from_utf8_lossy(&text);
            assert_eq!(is_found(&text), width == 60, "it is other text: {text}");
        }
    }

    #[test]
    fn what_is_like_a_credential_is_no_repetition() {
        let cut = SECRET.get(1..).unwrap_or_default();
        for text in [
            "",
            "%",
            "%2",
            "%zz%+1",
            "\\",
            "\\u00",
            "\\u+02f",
            "&#;&#x;&#47",
            "&#99999999999;",
            &SECRET.to_lowercase(),
            cut,
            &STANDARD.encode(cut),
            &SECRET.replace('/', "%252"),
        ] {
            assert!(!is_found(text), "{text}");
        }
    }

    #[test]
    fn a_credential_that_could_occur_by_chance_is_passed_over() {
        let mut credentials = Echoed::default();
        credentials.add(b"1234567");
        assert!(!credentials.are_in(b"1234567"));
        credentials.add(b"12345678");
        assert!(credentials.are_in(b"x12345678"));
    }
}

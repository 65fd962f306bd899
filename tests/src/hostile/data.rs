//! Data of a guest's memory, put one behind the other.

use std::fmt::Write as _;

/// The data segments so far.
#[derive(Debug)]
pub(super) struct Data {
    at: usize,
    segments: String,
}

impl Data {
    /// Begins at an address, a multiple of 8.
    pub(super) fn at(at: usize) -> Self {
        Self {
            at,
            segments: String::new(),
        }
    }

    /// Puts bytes; returns their address and their length, in words.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> String {
        let place = format!("{} {}", self.at, bytes.len());
        say(
            &mut self.segments,
            &format!(
                "    (data (i32.const {}) \"{}\")\n",
                self.at,
                escaped(bytes)
            ),
        );
        self.at += bytes.len().next_multiple_of(8);
        place
    }

    /// Puts bytes if there are any; returns an option of them, in words.
    pub(super) fn option(&mut self, bytes: Option<&[u8]>) -> String {
        match bytes {
            Some(bytes) => format!("1 {}", self.bytes(bytes)),
            None => "0 0 0".to_owned(),
        }
    }

    /// Puts records of words, all of one size; returns their address and their number.
    pub(super) fn records(&mut self, records: &[String]) -> String {
        let bytes: Vec<u8> = records.iter().flat_map(|record| words(record)).collect();
        let place = self.bytes(&bytes);
        let at = place.split(' ').next().unwrap_or_default();
        format!("{at} {}", records.len())
    }

    /// Puts a `list<string>`; returns its address and its length.
    pub(super) fn texts(&mut self, texts: &[impl AsRef<[u8]>]) -> String {
        let places = texts.iter().map(|text| self.bytes(text.as_ref()));
        let places: Vec<String> = places.collect();
        self.records(&places)
    }

    /// Returns the segments.
    pub(super) fn segments(self) -> String {
        self.segments
    }
}

/// Adds to a text.
pub(super) fn say(to: &mut String, what: &str) {
    // Writing to a string does not fail.
    let _always = to.write_str(what);
}

fn words(place: &str) -> Vec<u8> {
    place
        .split(' ')
        .filter_map(|word| word.parse::<u32>().ok())
        .flat_map(u32::to_le_bytes)
        .collect()
}

/// Escapes the bytes as a string of the text format.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b" .,:{}[]-_$#/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            say(&mut text, &format!("\\{byte:02x}"));
        }
    }
    text
}

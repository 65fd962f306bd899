//! A guest's description of its tool, as the data that `describe` returns.

use std::fmt::Write as _;

/// One tool, as a guest describes it. The bytes need not be UTF-8.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name.
    pub name: Vec<u8>,
    /// Its description.
    pub description: Vec<u8>,
    /// The schema of its arguments.
    pub schema: Vec<u8>,
    /// The scopes that it requires.
    pub scopes: Vec<String>,
    /// The services that it asks for.
    pub services: Vec<String>,
}

impl Definition {
    /// Makes a tool without arguments.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            description: b"A hostile guest.".into(),
            schema: br#"{"type":"object","additionalProperties":false}"#.into(),
            scopes: Vec::new(),
            services: Vec::new(),
        }
    }
}

/// Returns the data segments of a `list<definition>` at [`START`].
pub(super) fn data(definitions: &[Definition]) -> String {
    let (list, mut at) = (START + 8, START + 8 + definitions.len() * SIZE);
    let (mut records, mut texts) = (String::new(), String::new());
    let mut put = |bytes: &[u8]| {
        let place = format!("{at} {}", bytes.len());
        say(
            &mut texts,
            &format!("    (data (i32.const {at}) \"{}\")\n", escaped(bytes)),
        );
        at += bytes.len().next_multiple_of(8);
        place
    };
    for definition in definitions {
        let (name, description) = (put(&definition.name), put(&definition.description));
        let schema = put(&definition.schema);
        let scopes = list_of(&definition.scopes, &mut put);
        let services = list_of(&definition.services, &mut put);
        let fields =
            format!("{name} 0 0 0 {description} {schema} 0 0 0 0 0 {scopes} {services} 0 0 0");
        say(&mut records, &format!("      (i32 {fields})\n"));
    }
    format!(
        "    (data (i32.const {START}) (i32 {list} {})\n{records}    )\n{texts}",
        definitions.len()
    )
}

/// Puts a `list<string>`; returns its address and its length.
fn list_of(texts: &[String], put: &mut impl FnMut(&[u8]) -> String) -> String {
    let places: Vec<String> = texts.iter().map(|text| put(text.as_bytes())).collect();
    let list: Vec<u8> = places.iter().flat_map(|place| words(place)).collect();
    let place = put(&list);
    let at = place.split(' ').next().unwrap_or_default();
    format!("{at} {}", texts.len())
}

fn say(to: &mut String, what: &str) {
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

/// The address of the list.
const START: usize = 65_536;
/// The size of one definition, in bytes.
const SIZE: usize = 84;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_a_record_of_twenty_one_words_and_its_texts() {
        let text = data(&[Definition {
            scopes: vec!["a".into()],
            ..Definition::new("t")
        }]);
        assert!(text.starts_with(
            "    (data (i32.const 65536) (i32 65544 1)\n      (i32 65628 1 0 0 0 65636 16 65652 46 "
        ));
        assert!(text.contains("(data (i32.const 65628) \"t\")"), "{text}");
    }
}

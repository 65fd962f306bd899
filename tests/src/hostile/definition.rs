//! A guest's description of its tool, as the data that `describe` returns.

use super::data::{Data, say};

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
    let list = START + 8;
    let mut data = Data::at(list + definitions.len() * SIZE);
    let mut records = String::new();
    for definition in definitions {
        let name = data.bytes(&definition.name);
        let description = data.bytes(&definition.description);
        let schema = data.bytes(&definition.schema);
        let (scopes, services) = (
            data.texts(&definition.scopes),
            data.texts(&definition.services),
        );
        let fields =
            format!("{name} 0 0 0 {description} {schema} 0 0 0 0 0 {scopes} {services} 0 0 0");
        say(&mut records, &format!("      (i32 {fields})\n"));
    }
    format!(
        "    (data (i32.const {START}) (i32 {list} {})\n{records}    )\n{}",
        definitions.len(),
        data.segments()
    )
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

//! The data that the importer joined: an index with names, then programs, then definitions.
//!
//! All numbers are 32 bits, little-endian. The head is the number of tools and the length of the
//! index with the names. For each tool follow the places and lengths of its name, its definition
//! and its program.

use serde::Deserialize;
use serde_json::value::RawValue;

use bailiwick_sdk::bindings::tools;

/// The index and the names.
pub(crate) struct Shelf(Vec<u8>);

/// One tool.
pub(crate) struct Entry<'s> {
    pub(crate) name: &'s [u8],
    pub(crate) definition: Place,
    pub(crate) program: Place,
}

/// A piece of the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) at: usize,
    pub(crate) len: usize,
}

impl Shelf {
    /// Reads the shelf, of which `head` is the beginning, by `far`.
    pub(crate) fn of(head: Vec<u8>, far: impl Fn(usize, usize) -> Vec<u8>) -> Self {
        let near = Self(head).number(NUMBER).unwrap_or_default();
        Self(far(0, near))
    }

    /// Returns the tools in the order of the data.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let count = self.number(0).unwrap_or_default();
        (0..count).map_while(|index| {
            let at = HEAD + index * ENTRY;
            Some(Entry {
                name: self.bytes(self.place(at)?)?,
                definition: self.place(at + PLACE)?,
                program: self.place(at + 2 * PLACE)?,
            })
        })
    }

    fn place(&self, at: usize) -> Option<Place> {
        Some(Place {
            at: self.number(at)?,
            len: self.number(at + NUMBER)?,
        })
    }

    fn bytes(&self, place: Place) -> Option<&[u8]> {
        self.0.get(place.at..place.at.checked_add(place.len)?)
    }

    fn number(&self, at: usize) -> Option<usize> {
        let bytes = self.0.get(at..at + NUMBER)?;
        usize::try_from(u32::from_le_bytes(bytes.try_into().ok()?)).ok()
    }
}

/// A definition as the importer writes it.
#[derive(Deserialize)]
pub(crate) struct Described {
    name: String,
    title: Option<String>,
    description: String,
    input: Box<RawValue>,
    output: Option<Box<RawValue>>,
    read_only: Option<bool>,
    destructive: Option<bool>,
    idempotent: Option<bool>,
    open_world: Option<bool>,
    services: Vec<String>,
}

impl From<Described> for tools::Definition {
    fn from(described: Described) -> Self {
        Self {
            name: described.name,
            title: described.title,
            description: described.description,
            input_schema: described.input.get().to_owned(),
            output_schema: described.output.map(|schema| schema.get().to_owned()),
            annotations: tools::Annotations {
                read_only: described.read_only,
                destructive: described.destructive,
                idempotent: described.idempotent,
                open_world: described.open_world,
            },
            scopes: Vec::new(),
            services: described.services,
            meta: None,
        }
    }
}

const NUMBER: usize = 4;
const PLACE: usize = 2 * NUMBER;
const ENTRY: usize = 3 * PLACE;
/// The bytes of the head.
pub(crate) const HEAD: usize = 2 * NUMBER;

#[cfg(test)]
mod tests {
    use super::{Described, Place, Shelf, tools};

    fn shelf(data: &[u8]) -> Shelf {
        let far = |at: usize, len: usize| data.get(at..at + len).unwrap_or_default().to_vec();
        Shelf::of(far(0, super::HEAD), far)
    }

    #[test]
    fn a_tool_is_found_without_its_definition() {
        let numbers: [u32; 8] = [1, 36, 32, 4, 40, 3, 36, 4];
        let mut data: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        data.extend(b"findGET.{..");
        let shelf = shelf(&data);
        let found: Vec<_> = shelf
            .entries()
            .map(|entry| (entry.name, entry.definition, entry.program))
            .collect();
        let definition = Place { at: 40, len: 3 };
        let program = Place { at: 36, len: 4 };
        assert_eq!(found, [(&b"find"[..], definition, program)]);
    }

    #[test]
    fn data_that_is_cut_off_has_no_tools() {
        for data in [&[][..], &[1, 0, 0, 0], &[9, 0, 0, 0, 8, 0, 0, 0]] {
            assert_eq!(shelf(data).entries().count(), 0, "{data:?}");
        }
    }

    #[test]
    fn a_definition_keeps_its_schema_as_it_is_written() {
        let text = r#"{"name":"find","description":"Finds.","input":{"type": "object"},
            "read_only":true,"services":["shop"]}"#;
        let described = serde_json::from_str::<Described>(text);
        let definition = described.map(tools::Definition::from);
        assert!(definition.is_ok_and(|definition| {
            definition.input_schema == r#"{"type": "object"}"#
                && definition.annotations.read_only == Some(true)
                && definition.output_schema.is_none()
        }));
    }
}

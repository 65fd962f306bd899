//! A path item with those that it refers to.
//!
//! A path item may have members beside its `$ref` (OpenAPI 3.1 §4.8.9.1). Where it and the item
//! that it refers to have the same one, OpenAPI leaves open what that means. Invariant: of such a
//! member none counts.

use serde_json::Value;

use super::left_out::LeftOut;
use super::references::{ApiReferences, MAX_STEPS};

/// What all operations of a path have.
#[derive(Debug, Clone)]
pub(super) struct ApiItem<'d> {
    /// The item itself, and then those to which references lead.
    layers: Vec<&'d Value>,
    /// Why the references lead nowhere.
    broken: Option<LeftOut>,
}

impl<'d> ApiItem<'d> {
    /// Reads an item, and follows its references.
    pub(super) fn of(item: &'d Value, references: ApiReferences<'d>) -> Self {
        let mut read = Self {
            layers: vec![item],
            broken: None,
        };
        let mut last = item;
        while let Some(next) = references.next(last) {
            match next {
                Ok(_) if read.layers.len() > MAX_STEPS => read.broken = Some(LeftOut::Circle),
                Ok(next) => {
                    read.layers.push(next);
                    last = next;
                    continue;
                }
                Err(why) => read.broken = Some(why),
            }
            break;
        }
        read
    }

    /// Fails if a part of the item is not within the description.
    pub(super) fn check(&self) -> Result<(), LeftOut> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// Returns a member, if the item or one that it refers to has it.
    ///
    /// # Errors
    /// More than one has it.
    pub(super) fn member(&self, name: &str) -> Result<Option<&'d Value>, LeftOut> {
        match self.all(name).count() {
            0 | 1 => Ok(self.first(name)),
            _ => Err(LeftOut::Contested(name.to_owned())),
        }
    }

    /// Returns a member of the item that has it first.
    pub(super) fn first(&self, name: &str) -> Option<&'d Value> {
        self.all(name).next()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'d Value> {
        self.layers.iter().filter_map(move |layer| layer.get(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ApiItem, ApiReferences, LeftOut};

    #[test]
    fn members_beside_a_reference_count_unless_both_have_them() {
        let root = json!({
            "plain": {"get": 1},
            "beside": {"$ref": "#/plain", "put": 2},
            "twice": {"$ref": "#/beside", "get": 3, "post": 4},
            "circle": {"$ref": "#/circle", "get": 5},
            "elsewhere": {"$ref": "other.yaml#/a", "get": 6},
        });
        let contested = || Err(LeftOut::Contested("get".to_owned()));
        for (name, get, put, check) in [
            ("plain", Ok(Some(1)), None, Ok(())),
            ("beside", Ok(Some(1)), Some(2), Ok(())),
            ("twice", contested(), Some(2), Ok(())),
            ("circle", contested(), None, Err(LeftOut::Circle)),
            (
                "elsewhere",
                Ok(Some(6)),
                None,
                Err(LeftOut::Reference("other.yaml#/a".to_owned())),
            ),
        ] {
            let item = root.get(name).unwrap_or(&root);
            let item = ApiItem::of(item, ApiReferences::new(&root));
            let number = |value: Option<&Value>| value.and_then(Value::as_i64);
            assert_eq!(item.member("get").map(number), get, "{name}");
            assert_eq!(item.member("put").map(number), Ok(put), "{name}");
            assert_eq!(item.check(), check, "{name}");
        }
    }
}

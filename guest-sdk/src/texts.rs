//! Values that arrive as texts: the arguments of prompts and the variables of families.
//!
//! Invariant: a type gets numbers, booleans and variants of an enum out of texts that say just
//! that, and nothing else.

use std::collections::BTreeMap;

use serde::de::value::{Error as ValueError, MapDeserializer};
use serde::de::{
    DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::Error;

/// Reads an input of texts.
///
/// # Errors
/// [`Error::InvalidInput`] if it is something else.
pub(crate) fn read(input: &str) -> Result<BTreeMap<String, String>, Error> {
    serde_json::from_str(input).map_err(|error| Error::InvalidInput(error.to_string()))
}

/// Makes a value of texts.
///
/// # Errors
/// [`Error::InvalidInput`] with the reason, which is about the caller's own input.
pub(crate) fn parse<T: DeserializeOwned>(texts: BTreeMap<String, String>) -> Result<T, Error> {
    let texts = texts.into_iter().map(|(name, text)| (name, Text(text)));
    T::deserialize(MapDeserializer::<_, ValueError>::new(texts))
        .map_err(|error| Error::InvalidInput(error.to_string()))
}

/// Returns the names of a type's members in their order; none if it is no struct.
pub(crate) fn names<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &[&str] = &[];
    // It fails always: the type only says what it expects.
    let _asked = T::deserialize(Names(&mut names));
    names
}

struct Text(String);

impl IntoDeserializer<'_, ValueError> for Text {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Text {
    fn said<T: std::str::FromStr>(&self, expected: &str) -> Result<T, ValueError> {
        let wrong = |_| ValueError::invalid_value(Unexpected::Str(&self.0), &expected);
        self.0.parse().map_err(wrong)
    }
}

macro_rules! parsed {
    ($($deserialize:ident $visit:ident $expected:literal,)+) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            visitor.$visit(self.said($expected)?)
        }
    )+};
}

impl<'de> Deserializer<'de> for Text {
    type Error = ValueError;

    parsed! {
        deserialize_bool visit_bool "true or false",
        deserialize_i8 visit_i8 "a whole number",
        deserialize_i16 visit_i16 "a whole number",
        deserialize_i32 visit_i32 "a whole number",
        deserialize_i64 visit_i64 "a whole number",
        deserialize_u8 visit_u8 "a whole number that is not negative",
        deserialize_u16 visit_u16 "a whole number that is not negative",
        deserialize_u32 visit_u32 "a whole number that is not negative",
        deserialize_u64 visit_u64 "a whole number that is not negative",
        deserialize_f32 visit_f32 "a number",
        deserialize_f64 visit_f64 "a number",
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let text: serde::de::value::StringDeserializer<_> = self.0.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// Finds out the names of a type's members.
struct Names<'n>(&'n mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ValueError> {
        Err(ValueError::custom("there is no value"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::{names, parse, read};
    use crate::Error;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Tone {
        Kind,
        Strict,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Given {
        text: String,
        number: u8,
        #[serde(rename = "yes")]
        sure: bool,
        tone: Option<Tone>,
        #[serde(default)]
        share: f64,
    }

    fn given(input: &str) -> Result<Given, Error> {
        parse(read(input)?)
    }

    #[test]
    fn texts_become_what_the_type_has() {
        let input = r#"{"text": "7", "number": "7", "yes": "true", "tone": "strict"}"#;
        let expected = Given {
            text: "7".to_owned(),
            number: 7,
            sure: true,
            tone: Some(Tone::Strict),
            share: 0.0,
        };
        assert_eq!(given(input), Ok(expected));
    }

    #[test]
    fn a_text_that_is_not_what_the_type_has_is_told() {
        for (input, why) in [
            (r#"{"text": "a", "number": "7"}"#, "missing field `yes`"),
            (
                r#"{"text": "a", "number": "-1", "yes": "true"}"#,
                "not negative",
            ),
            (
                r#"{"text": "a", "number": "1", "yes": "no"}"#,
                "true or false",
            ),
            (
                r#"{"text": "a", "number": "1", "yes": "true", "tone": "odd"}"#,
                "unknown variant",
            ),
            (r#"{"text": 7}"#, "expected a string"),
            ("[]", "expected a map"),
        ] {
            let message = given(input).err().map(|error| error.to_string());
            let message = message.unwrap_or_default();
            assert!(message.contains(why), "{input}: {message}");
        }
    }

    #[test]
    fn a_type_names_its_members_in_their_order() {
        assert_eq!(names::<Given>(), ["text", "number", "yes", "tone", "share"]);
        assert!(names::<BTreeMap<String, String>>().is_empty());
        assert!(names::<String>().is_empty());
    }
}

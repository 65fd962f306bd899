//! The pieces of a request that the host fills in or encodes.
//!
//! Invariant: a path is a list of parts, never a string with slashes, so a value cannot change
//! where a request goes.

/// A piece of a path or a query value: text, or what the host knows of the actor.
pub use crate::bindings::bailiwick::tool::downstream::Part;

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Part {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

macro_rules! from_numbers {
    ($($number:ty),+) => {$(
        impl From<$number> for Part {
            fn from(number: $number) -> Self {
                Self::Text(number.to_string())
            }
        }
    )+};
}

from_numbers!(u16, u32, u64, i32, i64);

/// A path of different kinds of parts: `path!["customers", Part::ActorSub, "orders", args.number]`.
#[macro_export]
macro_rules! path {
    ($($part:expr),* $(,)?) => {
        [$($crate::Part::from($part)),*]
    };
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn a_path_mixes_text_numbers_and_the_actor() {
        let id = String::from("a/b");
        let path = path!["customers", Part::ActorSub, &id, 7_u64];
        let text = |text: &str| Part::Text(text.to_owned());
        assert_eq!(
            path,
            [text("customers"), Part::ActorSub, text("a/b"), text("7")]
        );
    }
}

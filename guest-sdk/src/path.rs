//! The parts of a request that the host fills in or encodes.
//!
//! Invariant: a path is a list of parts, never a string with slashes, so a value cannot change
//! where a request goes.

/// A path segment or a query value: text, a fact about the actor that the host fills in, or several
/// of these joined (see [`segment!`](crate::segment)).
pub use crate::bindings::downstream::Part;

/// A piece of a joined [`Part`].
pub use crate::bindings::downstream::Piece;

impl Part {
    /// Joins several pieces to one segment or query value.
    pub fn joined(pieces: impl IntoIterator<Item = Piece>) -> Self {
        Self::Joined(pieces.into_iter().collect())
    }
}

macro_rules! from_text {
    ($($whole:ty),+) => {$(
        impl From<&str> for $whole {
            fn from(text: &str) -> Self {
                Self::Text(text.to_owned())
            }
        }

        impl From<String> for $whole {
            fn from(text: String) -> Self {
                Self::Text(text)
            }
        }

        impl From<&String> for $whole {
            fn from(text: &String) -> Self {
                Self::Text(text.clone())
            }
        }
    )+};
}

from_text!(Part, Piece);

macro_rules! from_numbers {
    ($($number:ty),+) => {$(
        impl From<$number> for Part {
            fn from(number: $number) -> Self {
                Self::Text(number.to_string())
            }
        }

        impl From<$number> for Piece {
            fn from(number: $number) -> Self {
                Self::Text(number.to_string())
            }
        }
    )+};
}

from_numbers!(u16, u32, u64, i32, i64);

/// Makes a path of different kinds of parts:
/// `path!["customers", Part::ActorSub, "orders", args.number]`.
#[macro_export]
macro_rules! path {
    ($($part:expr),* $(,)?) => {
        [$($crate::Part::from($part)),*]
    };
}

/// Makes one path segment or query value of several pieces. For `/v1/{name}:cancel`:
/// `path!["v1", segment![&args.name, ":cancel"]]`, or with [`Piece::ActorSub`](crate::Piece) the
/// host fills in the actor: `segment!["user:", Piece::ActorSub]`.
#[macro_export]
macro_rules! segment {
    ($($piece:expr),+ $(,)?) => {
        $crate::Part::joined([$($crate::Piece::from($piece)),+])
    };
}

#[cfg(test)]
mod tests {
    use super::{Part, Piece};

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

    #[test]
    fn a_segment_joins_pieces() {
        let name = String::from("op-7");
        let path = path![
            "v1",
            segment![&name, ":cancel"],
            segment!["v", 2_u32, Piece::ActorSub]
        ];
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(
            path,
            [
                Part::from("v1"),
                Part::Joined(vec![text("op-7"), text(":cancel")]),
                Part::Joined(vec![text("v"), text("2"), Piece::ActorSub]),
            ]
        );
    }
}

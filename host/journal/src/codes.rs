//! Enums with a fixed spelling in the journal.

/// Declares an enum whose cases are spelled the same in the journal, in options and in messages.
macro_rules! codes {
    ($(#[$about:meta])* $enum:ident { $($(#[$doc:meta])* $name:ident => $code:literal,)* }) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize,
        )]
        pub enum $enum { $($(#[$doc])* #[serde(rename = $code)] $name,)* }

        impl $enum {
            /// Every case.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the spelling in the journal.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use codes;

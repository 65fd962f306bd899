//! Signed notes (`c2sp.org/signed-note`): a text, an empty line, and one line for each signature.
//!
//! A leaf beside the story: the journal's checkpoints and the signatures of components are notes.
//! Trusts no byte of a note; hands on its text once a key that the operator named has signed it.
//!
//! Invariant: a key is known by name and hash together, and the hash is over both, so a signature
//! under one name is not valid under another. A note is read whole or not at all: a line that does
//! not follow the format, or names a key and is not its signature, refuses the note, so every
//! reader of notes reaches the same result.

use std::fmt;
use std::str::FromStr;

use bailiwick_envelope::{PublicKey, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// A key whose notes are accepted: `name+hash+base64`, as other tools for signed notes read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: PublicKey,
}

/// A text that is not a verifier key.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not a verifier key: {0}")]
pub struct InvalidKey(&'static str);

impl VerifierKey {
    /// Gives a key its name.
    ///
    /// # Errors
    /// Fails if the name cannot stand in a note.
    pub fn new(name: &str, key: PublicKey) -> Result<Self, InvalidKey> {
        if is_key_name(name) {
            Ok(Self {
                name: name.to_owned(),
                key,
            })
        } else {
            Err(InvalidKey("the name is empty, or has white space or `+`"))
        }
    }

    /// Returns its name, which for a journal's key is the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn hash(&self) -> [u8; 4] {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', ED25519])
            .chain_update(self.key.as_bytes())
            .finalize()
            .into();
        let [a, b, c, d, ..] = digest;
        [a, b, c, d]
    }

    /// Returns `name+hash`, which stands for the key beside its signatures.
    pub fn id(&self) -> String {
        id(&self.name, self.hash())
    }

    /// Makes a note of the text, signed with `key` under this name.
    pub fn sign(&self, text: &str, key: &SigningKey) -> String {
        let signature = [self.hash().as_slice(), &key.sign(text.as_bytes())].concat();
        format!("{text}\n— {} {}\n", self.name, STANDARD.encode(signature))
    }

    /// Returns the text of a note if this key signed it: at least one signature line is this key's,
    /// and each of them verifies. Lines of other keys do not matter here.
    pub fn open<'n>(&self, note: &'n str) -> Option<&'n str> {
        let note = Note::parse(note)?;
        let hash = self.hash();
        let mut own = note
            .signatures
            .iter()
            .filter(|line| line.name == self.name && line.hash == hash)
            .peekable();
        own.peek()?;
        own.all(|line| self.key.verify(note.text.as_bytes(), &line.signature))
            .then_some(note.text)
    }
}

/// A note split by the rules of its format. Nothing of it is verified.
struct Note<'n> {
    /// The signed text, with its last line break.
    text: &'n str,
    signatures: Vec<SignatureLine<'n>>,
}

struct SignatureLine<'n> {
    name: &'n str,
    hash: [u8; 4],
    signature: Vec<u8>,
}

impl<'n> Note<'n> {
    /// Splits a note. The text ends at the last empty line, and every line below is a signature
    /// line (`c2sp.org/signed-note`, "Format").
    fn parse(note: &'n str) -> Option<Self> {
        if note
            .chars()
            .any(|character| character < ' ' && character != '\n')
        {
            return None;
        }
        let (text, below) = note.split_at_checked(note.rfind("\n\n")? + 1)?;
        let lines = below.strip_prefix('\n')?.strip_suffix('\n')?.split('\n');
        let signatures: Vec<_> = lines.map(SignatureLine::parse).collect::<Option<_>>()?;
        (signatures.len() <= MAX_SIGNATURES).then_some(Self { text, signatures })
    }
}

impl<'n> SignatureLine<'n> {
    /// Splits a signature line: em dash, space, name, space, base64 of the key's hash and at least
    /// one byte of signature.
    fn parse(line: &'n str) -> Option<Self> {
        let (name, base64) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = STANDARD.decode(base64).ok()?;
        let (hash, signature) = bytes.split_first_chunk()?;
        let formed = is_note_name(name) && !signature.is_empty();
        formed.then(|| Self {
            name,
            hash: *hash,
            signature: signature.to_vec(),
        })
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let mut parts = text.trim_ascii().splitn(3, '+');
        let (Some(name), Some(hash), Some(base64)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidKey("it is not name+hash+base64"));
        };
        let bytes = STANDARD
            .decode(base64)
            .map_err(|_| InvalidKey("the third part is not base64"))?;
        let Some((&ED25519, key)) = bytes.split_first() else {
            return Err(InvalidKey("it is not an Ed25519 key"));
        };
        let key = key
            .try_into()
            .map_err(|_| InvalidKey("an Ed25519 key has 32 bytes"))?;
        let key =
            PublicKey::from_bytes(key).map_err(|_| InvalidKey("it is not a usable Ed25519 key"))?;
        let parsed = Self::new(name, key)?;
        if hex(parsed.hash()) == hash {
            Ok(parsed)
        } else {
            Err(InvalidKey("the hash is not that of name and key"))
        }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex(self.hash()),
            STANDARD.encode(typed)
        )
    }
}

/// Returns the keys (`name+hash`) that a note names as its signers, none of them verified; `None`
/// if it is not a signed note. A control character in a name is replaced.
pub fn claimed(note: &str) -> Option<Vec<String>> {
    let shown = |name: &str| name.replace(char::is_control, "\u{fffd}");
    Some(
        Note::parse(note)?
            .signatures
            .iter()
            .map(|line| id(&shown(line.name), line.hash))
            .collect(),
    )
}

fn id(name: &str, hash: [u8; 4]) -> String {
    format!("{name}+{}", hex(hash))
}

/// Returns whether a key of ours can have this name: it can stand in a note, and all of it is
/// visible.
fn is_key_name(name: &str) -> bool {
    is_note_name(name) && !name.contains(char::is_control)
}

/// Returns whether a signature line can have this name (`c2sp.org/signed-note`, "Format").
fn is_note_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(|character: char| character.is_whitespace() || character == '+')
}

fn hex(bytes: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(bytes))
}

/// The signature type of Ed25519.
const ED25519: u8 = 1;

/// The most signatures of a note. The specification requires at least 16 to be accepted.
const MAX_SIGNATURES: usize = 100;

#[cfg(test)]
mod tests;

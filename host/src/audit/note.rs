//! Signed checkpoints: C2SP signed notes (`c2sp.org/signed-note`) whose text is a log checkpoint
//! (`c2sp.org/tlog-checkpoint`): origin, size, root.
//!
//! The key's name is the log's origin, so that a checkpoint of another log under the same key is
//! not one of this log.

use std::fmt;
use std::str::FromStr;

use bailiwick_envelope::{PublicKey, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::tree::{Hash, Tree};

/// Whose checkpoints are accepted: `name+hash+base64`, as other tools for signed notes read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: PublicKey,
}

/// Not the text of a verifier key.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not a verifier key: {0}")]
pub struct InvalidKey(&'static str);

impl VerifierKey {
    /// The key of the log with that origin.
    pub(super) fn new(origin: &str, key: PublicKey) -> Result<Self, InvalidKey> {
        if is_key_name(origin) {
            Ok(Self { name: origin.to_owned(), key })
        } else {
            Err(InvalidKey("the name is empty, or has white space or `+`"))
        }
    }

    /// The log's origin.
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

    /// The text of a note, if this key signed it.
    fn open<'n>(&self, note: &'n str) -> Option<&'n str> {
        let (text, signatures) = note.split_once("\n\n")?;
        let text = note.get(..=text.len())?;
        let by_this = |line: &str| {
            let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
            let bytes = STANDARD.decode(signature).ok()?;
            let (hash, signature) = bytes.split_first_chunk::<4>()?;
            let ours = name == self.name && *hash == self.hash();
            (ours && self.key.verify(text.as_bytes(), signature)).then_some(())
        };
        let signatures = signatures.strip_suffix('\n')?;
        signatures.split('\n').find_map(by_this).map(|()| text)
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let mut parts = text.trim_ascii().splitn(3, '+');
        let (Some(name), Some(hash), Some(base64)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(InvalidKey("it is not name+hash+base64"));
        };
        let bytes = STANDARD.decode(base64).map_err(|_| InvalidKey("the third part is not base64"))?;
        let Some((&ED25519, key)) = bytes.split_first() else {
            return Err(InvalidKey("it is not an Ed25519 key"));
        };
        let key = key.try_into().map_err(|_| InvalidKey("an Ed25519 key has 32 bytes"))?;
        let key = PublicKey::from_bytes(key).map_err(|_| InvalidKey("it is not a usable Ed25519 key"))?;
        let parsed = Self::new(name, key)?;
        if hex(parsed.hash()) == hash { Ok(parsed) } else { Err(InvalidKey("the hash is not that of name and key")) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [&[ED25519], self.key.as_bytes().as_slice()].concat();
        write!(f, "{}+{}+{}", self.name, hex(self.hash()), STANDARD.encode(typed))
    }
}

/// How many lines there were, and what they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) size: u64,
    pub(super) root: Hash,
}

impl Checkpoint {
    pub(super) fn of(tree: &Tree) -> Self {
        Self { size: tree.size(), root: tree.root() }
    }

    /// The signed note.
    pub(super) fn sign(&self, origin: &VerifierKey, key: &SigningKey) -> String {
        let text = format!("{}\n{}\n{}\n", origin.name, self.size, STANDARD.encode(self.root));
        let signature = [origin.hash().as_slice(), &key.sign(text.as_bytes())].concat();
        format!("{text}\n— {} {}\n", origin.name, STANDARD.encode(signature))
    }

    /// The checkpoint of a note that this key signed for the log of its name.
    pub(super) fn open(note: &str, key: &VerifierKey) -> Option<Self> {
        let mut lines = key.open(note)?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        let number: u64 = size.parse().ok()?;
        (origin == key.name && number.to_string() == size).then_some(Self { size: number, root })
    }
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && !name.chars().any(|character| character.is_whitespace() || character.is_control() || character == '+')
}

fn hex(bytes: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(bytes))
}

/// The signature type of Ed25519.
const ED25519: u8 = 1;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const PUBLISHED_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const PUBLISHED_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn signer() -> (SigningKey, VerifierKey) {
        let key = SigningKey::from_seed(&[9; 32]);
        let verifier = VerifierKey::new("example/audit", key.public()).unwrap();
        (key, verifier)
    }

    #[test]
    fn the_published_example_of_signed_notes_verifies() {
        let key: VerifierKey = PUBLISHED_KEY.parse().unwrap();
        assert_eq!(key.to_string(), PUBLISHED_KEY);
        assert!(key.open(PUBLISHED_NOTE).unwrap().ends_with("problem is.\n"));
        assert!(key.open(&PUBLISHED_NOTE.replace("answer", "Answer")).is_none());
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_signed() {
        let (key, verifier) = signer();
        let mut tree = Tree::default();
        tree.push([7; 32]);
        let checkpoint = Checkpoint::of(&tree);
        let note = checkpoint.sign(&verifier, &key);
        assert_eq!(Checkpoint::open(&note, &verifier), Some(checkpoint));
        assert_eq!(verifier.to_string().parse::<VerifierKey>().unwrap(), verifier);
    }

    #[test]
    fn no_changed_character_of_a_note_is_accepted() {
        let (key, verifier) = signer();
        let note = Checkpoint::of(&Tree::default()).sign(&verifier, &key);
        for (at, character) in note.char_indices() {
            let mut changed = note.clone();
            let other = if character == 'A' { "B" } else { "A" };
            changed.replace_range(at..at + character.len_utf8(), other);
            assert_eq!(Checkpoint::open(&changed, &verifier), None, "{changed}");
            assert_eq!(Checkpoint::open(note.get(..at).unwrap(), &verifier), None);
        }
    }

    #[test]
    fn another_key_or_another_log_is_not_accepted() {
        let (key, verifier) = signer();
        let note = Checkpoint::of(&Tree::default()).sign(&verifier, &key);
        let other_key = VerifierKey::new("example/audit", SigningKey::from_seed(&[8; 32]).public()).unwrap();
        let other_log = VerifierKey::new("example/other", key.public()).unwrap();
        assert_eq!(Checkpoint::open(&note, &other_key), None);
        assert_eq!(Checkpoint::open(&note, &other_log), None);
        let text = "example/other\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
        let signature = [verifier.hash().as_slice(), &key.sign(text.as_bytes())].concat();
        let crossed = format!("{text}\n— example/audit {}\n", STANDARD.encode(signature));
        assert!(verifier.open(&crossed).is_some());
        assert_eq!(Checkpoint::open(&crossed, &verifier), None);
    }

    #[test]
    fn what_is_not_a_verifier_key_is_refused() {
        let good = signer().1.to_string();
        for text in ["", "a+b", &good.replace("example", "exomple"), &good.replace('/', " "), &good.replace("+A", "+B")]
        {
            assert!(text.parse::<VerifierKey>().is_err(), "{text}");
        }
        assert_eq!(format!(" {good}\n").parse::<VerifierKey>().unwrap().to_string(), good);
    }
}

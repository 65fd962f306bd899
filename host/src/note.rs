//! Signed notes (`c2sp.org/signed-note`): a text, an empty line, and lines with who signed it.
//!
//! A leaf beside the story: the journal's checkpoints and the signatures of components are notes.
//! Trusts no byte of a note; hands on its text once a key that the operator named has signed it.
//!
//! Invariant: a key is known by name and hash together, and the hash is over both, so a signature
//! under one name is none under another.

use std::fmt;
use std::str::FromStr;

use bailiwick_envelope::{PublicKey, SigningKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Whose notes are accepted: `name+hash+base64`, as other tools for signed notes read it.
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
    /// The key of that name.
    ///
    /// # Errors
    /// The name cannot stand in a note.
    pub fn new(name: &str, key: PublicKey) -> Result<Self, InvalidKey> {
        if is_key_name(name) {
            Ok(Self { name: name.to_owned(), key })
        } else {
            Err(InvalidKey("the name is empty, or has white space or `+`"))
        }
    }

    /// Its name; of a journal's key, the log's origin.
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

    /// What stands for the key beside its signatures: `name+hash`.
    pub fn id(&self) -> String {
        id(&self.name, self.hash())
    }

    /// The text, as a note that `key` signed under this name.
    pub fn sign(&self, text: &str, key: &SigningKey) -> String {
        let signature = [self.hash().as_slice(), &key.sign(text.as_bytes())].concat();
        format!("{text}\n— {} {}\n", self.name, STANDARD.encode(signature))
    }

    /// The text of a note, if this key signed it.
    pub fn open<'n>(&self, note: &'n str) -> Option<&'n str> {
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

/// The keys (`name+hash`) that a note names as its signers, of which nothing is verified; `None`
/// if it is not a signed note.
pub fn claimed(note: &str) -> Option<Vec<String>> {
    let (_, signatures) = note.split_once("\n\n")?;
    let signer = |line: &str| {
        let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = STANDARD.decode(signature).ok()?;
        let (hash, _) = bytes.split_first_chunk::<4>()?;
        is_key_name(name).then(|| id(name, *hash))
    };
    signatures.strip_suffix('\n')?.split('\n').map(signer).collect()
}

fn id(name: &str, hash: [u8; 4]) -> String {
    format!("{name}+{}", hex(hash))
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

    #[test]
    fn the_published_example_of_signed_notes_verifies() {
        let key: VerifierKey = PUBLISHED_KEY.parse().unwrap();
        assert_eq!(key.to_string(), PUBLISHED_KEY);
        assert!(key.open(PUBLISHED_NOTE).unwrap().ends_with("problem is.\n"));
        assert!(key.open(&PUBLISHED_NOTE.replace("answer", "Answer")).is_none());
        assert_eq!(claimed(PUBLISHED_NOTE).unwrap(), ["PeterNeumann+c74f20a3"]);
    }

    #[test]
    fn a_note_names_its_signers_or_is_none() {
        let key = SigningKey::from_seed(&[3; 32]);
        let verifier = VerifierKey::new("someone", key.public()).unwrap();
        let note = verifier.sign("text\n", &key);
        assert_eq!(claimed(&note), Some(vec![verifier.id()]));
        assert_eq!(verifier.open(&note), Some("text\n"));
        for wrong in
            ["", "text\n", "text\n\n", "text\n\n\n", &note.replace("— ", "- "), &note.replace("someone ", "someone")]
        {
            assert_eq!(claimed(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn what_is_not_a_verifier_key_is_refused() {
        let good = VerifierKey::new("example/audit", SigningKey::from_seed(&[9; 32]).public()).unwrap().to_string();
        for text in ["", "a+b", &good.replace("example", "exomple"), &good.replace('/', " "), &good.replace("+A", "+B")]
        {
            assert!(text.parse::<VerifierKey>().is_err(), "{text}");
        }
        assert_eq!(format!(" {good}\n").parse::<VerifierKey>().unwrap().to_string(), good);
    }
}

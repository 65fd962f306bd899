//! The file `NAME.wasm.sig` beside `NAME.wasm`: a signer's statement that these bytes are the
//! component NAME.
//!
//! A signed note whose text is a fixed first line, the name and the digest. The first line keeps it
//! apart from everything else that is signed; the name is in it so that a signature for one
//! component does not open another's grant.
//!
//! Trusts no byte of the file. Hands on the configured keys that signed; [`Signers::trust`] decides
//! how far they are trusted.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use bailiwick_envelope::SigningKey;
use sha2::{Digest as _, Sha256};

use super::signers::{Signed, Signers, Untrusted};
use crate::note::{self, InvalidKey, VerifierKey};
use crate::owned::{self, OwnedError, Trust};
use crate::seams::hex;

/// The reasons for not accepting a component's signature.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// There is no signature where one is needed.
    #[error(
        "it is not signed, but digest = \"signed\" requires a signature; run: bailiwick sign {0}.wasm --key KEYFILE, and put {0}.wasm.sig beside it"
    )]
    Missing(String),
    /// The file cannot be used.
    #[error("its .sig file is rejected")]
    File(#[from] OwnedError),
    /// The file is not a signed note.
    #[error("its signature file is malformed; expected one that `bailiwick sign` writes")]
    Malformed,
    /// The signer is not in the configuration, or goes beyond what it allows.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The note names a signer's key, but that key did not sign it.
    #[error("its signature file names the key of [signers.{0}], but that key did not sign it")]
    Forged(String),
    /// It is a good signature of another component.
    #[error(
        "its signature is for {0}; a signature is valid for one name only, so sign the file again under this name"
    )]
    OtherName(String),
    /// It is a good signature of other bytes.
    #[error("its signature is for other bytes, {0}; sign this version, or restore the signed one")]
    OtherBytes(String),
}

/// Returns the public key for the signatures of components that `key` makes.
///
/// # Errors
/// Never: the name is a fixed one.
pub fn signer_key(key: &SigningKey) -> Result<VerifierKey, InvalidKey> {
    VerifierKey::new(KEY_NAME, key.public())
}

/// Returns true if a key is for signing components, and not a journal's.
pub fn is_signer_key(key: &VerifierKey) -> bool {
    key.name() == KEY_NAME
}

/// Returns the path of the signature of the component in `path`.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".sig");
    PathBuf::from(name)
}

/// Returns the contents of the `.sig` file of the component `name` with these `bytes`.
///
/// # Errors
/// Never: the key's name is a fixed one.
pub fn sign(name: &str, bytes: &[u8], key: &SigningKey) -> Result<String, InvalidKey> {
    Ok(signer_key(key)?.sign(&statement(name, &digest(bytes)), key))
}

/// Returns `sha256:` and the digest of `bytes`.
pub(super) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// Returns the signature of the component in `path`, if there is one, with nothing of it verified.
pub(super) fn read(path: &Path, trust: &Trust) -> Result<Option<String>, SignatureError> {
    match owned::read(&beside(path), MAX_BYTES, trust) {
        Ok(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| SignatureError::Malformed),
        Err(OwnedError::Read(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Returns the signers of `note`, at least one, if it says that these bytes are the component
/// `name`.
pub(super) fn verify(
    note: &str,
    name: &str,
    digest: &str,
    signers: &Signers,
) -> Result<Vec<Signed>, SignatureError> {
    let claimed = note::claimed(note).ok_or(SignatureError::Malformed)?;
    let mut signed = Vec::new();
    for signer in signers
        .iter()
        .filter(|signer| claimed.contains(&signer.key.id()))
    {
        let text = signer
            .key
            .open(note)
            .ok_or_else(|| SignatureError::Forged(signer.name.clone()))?;
        check(text, name, digest)?;
        signed.push(Signed {
            by: signer.name.clone(),
            key: signer.key.clone(),
        });
    }
    if signed.is_empty() {
        Err(Untrusted::Unknown(claimed.join(", ")).into())
    } else {
        Ok(signed)
    }
}

/// Checks that a signed text is the statement about this component.
fn check(text: &str, name: &str, digest: &str) -> Result<(), SignatureError> {
    if text == statement(name, digest) {
        return Ok(());
    }
    match text.split('\n').collect::<Vec<_>>().as_slice() {
        [FIRST, other, _, ""] if *other != name => {
            Err(SignatureError::OtherName((*other).to_owned()))
        }
        [FIRST, _, other, ""] => Err(SignatureError::OtherBytes((*other).to_owned())),
        _ => Err(SignatureError::Malformed),
    }
}

fn statement(name: &str, digest: &str) -> String {
    format!("{FIRST}\n{name}\n{digest}\n")
}

/// The first line of every statement.
const FIRST: &str = "bailiwick component signature v1";
/// The name of every key that signs components; they differ in the hash.
const KEY_NAME: &str = "bailiwick-component";
/// Room for some twenty signers.
const MAX_BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::intake::CodeSigner;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32])
    }

    /// Returns signers by name, each with its key.
    fn signers(known: &[(&str, u8)]) -> Signers {
        let signer = |(name, seed): &(&str, u8)| CodeSigner {
            name: (*name).to_owned(),
            key: signer_key(&key(*seed)).unwrap(),
            components: vec!["*".parse().unwrap()],
            services: std::collections::BTreeSet::new(),
        };
        Signers::new(known.iter().map(signer).collect())
    }

    fn judged(
        note: &str,
        name: &str,
        bytes: &[u8],
        known: &[(&str, u8)],
    ) -> Result<Vec<String>, String> {
        let signed = verify(note, name, &digest(bytes), &signers(known));
        signed
            .map(|all| all.into_iter().map(|one| one.by).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_signature_holds_for_its_bytes_its_name_and_its_key_alone() {
        let note = sign("orders", b"code", &key(1)).unwrap();
        let known: &[_] = &[("release", 1)];
        assert_eq!(
            judged(&note, "orders", b"code", known).unwrap(),
            ["release"]
        );
        for (name, bytes, known, told) in [
            ("orders", b"Code", known, "other bytes"),
            ("orders2", b"code", known, "its signature is for orders;"),
            (
                "orders",
                b"code",
                &[("other", 2)][..],
                "not a signer in the configuration",
            ),
            (
                "orders",
                b"code",
                &[][..],
                "not a signer in the configuration",
            ),
        ] {
            let said = judged(&note, name, bytes, known).unwrap_err();
            assert!(said.contains(told), "{told}: {said}");
        }
    }

    #[test]
    fn no_changed_character_of_a_signature_is_accepted() {
        let note = sign("orders", b"code", &key(1)).unwrap();
        for (at, character) in note.char_indices() {
            let mut changed = note.clone();
            let other = if character == 'A' { "B" } else { "A" };
            changed.replace_range(at..at + character.len_utf8(), other);
            assert!(
                judged(&changed, "orders", b"code", &[("release", 1)]).is_err(),
                "{changed}"
            );
            assert!(
                judged(
                    note.get(..at).unwrap(),
                    "orders",
                    b"code",
                    &[("release", 1)]
                )
                .is_err(),
                "cut at {at}"
            );
        }
    }

    #[test]
    fn of_several_signers_those_that_are_known_count_and_none_may_be_forged() {
        let (one, two) = (
            sign("orders", b"code", &key(1)).unwrap(),
            sign("orders", b"code", &key(2)).unwrap(),
        );
        let both = one.clone() + two.split_once("\n\n").unwrap().1;
        assert_eq!(
            judged(&both, "orders", b"code", &[("a", 1), ("b", 2)]).unwrap(),
            ["a", "b"]
        );
        assert_eq!(
            judged(&both, "orders", b"code", &[("b", 2)]).unwrap(),
            ["b"]
        );
        // The hash of the second key before the signature of the first.
        let of = |note: &str| {
            STANDARD
                .decode(note.trim_end().rsplit_once(' ').unwrap().1)
                .unwrap()
        };
        let mixed = STANDARD.encode([&of(&two)[..4], &of(&one)[4..]].concat());
        let forged = format!("{one}— {KEY_NAME} {mixed}\n");
        let said = judged(&forged, "orders", b"code", &[("a", 1), ("b", 2)]).unwrap_err();
        assert!(
            said.contains("[signers.b], but that key did not sign it"),
            "{said}"
        );
    }

    #[test]
    fn a_forged_line_beside_a_good_one_of_the_same_key_refuses_all() {
        let good = sign("orders", b"code", &key(1)).unwrap();
        let other = sign("orders", b"other", &key(1)).unwrap();
        let (text, line) = good.split_once("\n\n").unwrap();
        let forged = other.split_once("\n\n").unwrap().1;
        let stranger = sign("orders", b"other", &key(9))
            .unwrap()
            .split_once("\n\n")
            .unwrap()
            .1
            .to_owned();
        let known: &[_] = &[("release", 1)];
        for lines in [format!("{forged}{line}"), format!("{line}{forged}")] {
            let said = judged(&format!("{text}\n\n{lines}"), "orders", b"code", known).unwrap_err();
            assert!(
                said.contains("[signers.release], but that key did not sign it"),
                "{said}"
            );
        }
        for lines in [
            format!("{line}more\n"),
            format!("more\n{line}"),
            format!("{line}\n"),
            format!("\n{line}"),
        ] {
            assert!(
                judged(&format!("{text}\n\n{lines}"), "orders", b"code", known).is_err(),
                "{lines:?}"
            );
        }
        for lines in [
            format!("{stranger}{line}"),
            format!("{line}{stranger}"),
            line.repeat(2),
        ] {
            assert_eq!(
                judged(&format!("{text}\n\n{lines}"), "orders", b"code", known).unwrap(),
                ["release"]
            );
        }
    }

    #[test]
    fn what_a_key_signed_for_another_purpose_is_no_signature_of_a_component() {
        let verifier = signer_key(&key(1)).unwrap();
        let digest = digest(b"code");
        for text in [
            format!("bailiwick component signature v2\norders\n{digest}\n"),
            format!("{KEY_NAME}\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"),
            format!("{FIRST}\norders\n{digest}\nmore\n"),
            format!("{FIRST}\norders\n"),
        ] {
            let note = verifier.sign(&text, &key(1));
            assert!(
                judged(&note, "orders", b"code", &[("release", 1)]).is_err(),
                "{text}"
            );
        }
        let journal = VerifierKey::new("acme.example/audit", key(1).public()).unwrap();
        let note = journal.sign(&statement("orders", &digest), &key(1));
        assert!(
            judged(&note, "orders", b"code", &[("release", 1)]).is_err(),
            "under another name"
        );
        assert!(!is_signer_key(&journal) && is_signer_key(&verifier));
    }
}

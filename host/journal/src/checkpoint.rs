//! Signed checkpoints: signed notes whose text is a log checkpoint (`c2sp.org/tlog-checkpoint`):
//! origin, size, root.
//!
//! The key's name is the log's origin, so that a checkpoint of another log under the same key is
//! not one of this log.

use bailiwick_envelope::SigningKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::tree::{Hash, Tree};
use crate::note::VerifierKey;

/// The number of lines in the log, and the root of the tree over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) size: u64,
    pub(super) root: Hash,
}

impl Checkpoint {
    pub(super) fn of(tree: &Tree) -> Self {
        Self {
            size: tree.size(),
            root: tree.root(),
        }
    }

    /// Returns the root as a checkpoint spells it.
    pub(super) fn root_text(&self) -> String {
        STANDARD.encode(self.root)
    }

    /// Signs the checkpoint as a note.
    pub(super) fn sign(&self, origin: &VerifierKey, key: &SigningKey) -> String {
        let text = format!("{}\n{}\n{}\n", origin.name(), self.size, self.root_text());
        origin.sign(&text, key)
    }

    /// Returns the checkpoint of a note that this key signed for the log of its name. Extension
    /// lines carry no meaning here; an empty one is not allowed (`c2sp.org/tlog-checkpoint`, "Note
    /// text").
    pub(super) fn open(note: &str, key: &VerifierKey) -> Option<Self> {
        let mut lines = key.open(note)?.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        let number: u64 = size.parse().ok()?;
        let formed = number.to_string() == size && lines.all(|extension| !extension.is_empty());
        (origin == key.name() && formed).then_some(Self { size: number, root })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn signer() -> (SigningKey, VerifierKey) {
        let key = SigningKey::from_seed(&[9; 32]);
        let verifier = VerifierKey::new("example/audit", key.public()).unwrap();
        (key, verifier)
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_signed() {
        let (key, verifier) = signer();
        let mut tree = Tree::default();
        tree.push([7; 32]);
        let checkpoint = Checkpoint::of(&tree);
        let note = checkpoint.sign(&verifier, &key);
        assert_eq!(Checkpoint::open(&note, &verifier), Some(checkpoint));
        assert_eq!(
            verifier.to_string().parse::<VerifierKey>().unwrap(),
            verifier
        );
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
        let other_key =
            VerifierKey::new("example/audit", SigningKey::from_seed(&[8; 32]).public()).unwrap();
        let other_log = VerifierKey::new("example/other", key.public()).unwrap();
        assert_eq!(Checkpoint::open(&note, &other_key), None);
        assert_eq!(Checkpoint::open(&note, &other_log), None);
        let text = "example/other\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
        let crossed = verifier.sign(text, &key);
        assert!(verifier.open(&crossed).is_some());
        assert_eq!(Checkpoint::open(&crossed, &verifier), None);
    }

    #[test]
    fn a_text_that_is_no_checkpoint_is_none_whoever_signed_it() {
        let (key, verifier) = signer();
        let text = "example/audit\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
        let opened = |text: &str| {
            Checkpoint::open(&verifier.sign(text, &key), &verifier).map(|found| found.size)
        };
        for good in [
            text.to_owned(),
            format!("{text}an extension\n"),
            text.replace("7\n", "0\n"),
        ] {
            assert!(opened(&good).is_some(), "{good:?}");
        }
        for wrong in [
            format!("{text}\n"),
            format!("\n{text}"),
            format!("{text}an extension\n\nand more\n"),
            text.replace("7\n", "07\n"),
            text.replace("7\n", "+7\n"),
            text.replace("7\n", "-7\n"),
            text.replace("7\n", "7 \n"),
            text.replace("7\n", "18446744073709551616\n"),
            text.replace("=\n", "\n"),
            text.replace("47DE", ""),
            "example/audit\n7\n".to_owned(),
        ] {
            assert_eq!(opened(&wrong), None, "{wrong:?}");
        }
    }
}

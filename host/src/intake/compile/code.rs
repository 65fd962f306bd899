//! Machine code, and the one place where bytes become code.
//!
//! The engine checks that code was made for its version and settings. It cannot check what the code
//! does: a party that chooses the code chooses what this process does. So a [`MachineCode`] comes
//! from a worker, or from bytes with the right authentication code over them and over their
//! purpose.
//!
//! Invariant: the authenticated memory is the very memory that is loaded; a file is never read
//! twice.

use std::hash::{Hash as _, Hasher};

use bailiwick_journal::MacKey;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::super::structure::RULES;
use crate::sandbox::INTERFACE;
use crate::seams::hex;

/// The identity of a piece of code: its component, its engine, and the rules by which that
/// component was admitted.
pub(super) struct CodeIdentity {
    digest: String,
    /// SHA-256 over the engine's version, settings and target, the rules and the interface.
    made_under: [u8; 32],
}

impl CodeIdentity {
    pub(super) fn new(engine: &Engine, digest: &str) -> Self {
        let mut settings = Digester(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut settings);
        RULES.hash(&mut settings);
        // Code that was made for an older interface is found under no name, whatever the file says.
        INTERFACE.hash(&mut settings);
        Self {
            digest: digest.to_owned(),
            made_under: settings.0.finalize().into(),
        }
    }

    /// Returns the file name, which differs for each identity.
    pub(super) fn name(&self) -> String {
        let digest = Sha256::digest(self.digest.as_bytes());
        format!("{}-{}", hex(&digest), hex(&self.made_under))
    }
}

/// A SHA-256 behind the standard library's hashing trait, whose own hashes are short and may
/// change.
struct Digester(Sha256);

impl Hasher for Digester {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        digest
            .iter()
            .take(8)
            .fold(0, |value, byte| (value << 8) | u64::from(*byte))
    }
}

/// Machine code that may be loaded.
pub(super) struct MachineCode(CodeBytes);

enum CodeBytes {
    /// Bytes from a worker.
    Bare(Vec<u8>),
    /// Bytes from the cache, behind their header.
    Headed(Vec<u8>),
}

impl MachineCode {
    /// Returns the code that a worker made.
    pub(super) fn from_worker(bytes: Vec<u8>) -> Self {
        Self(CodeBytes::Bare(bytes))
    }

    /// Returns the code in `file`, if that was made with `key` for this identity.
    pub(super) fn authentic(key: &MacKey, identity: &CodeIdentity, file: Vec<u8>) -> Option<Self> {
        let rest = file.strip_prefix(MAGIC)?;
        let (code, bytes) = rest.split_at_checked(MAC_LENGTH)?;
        mac(key, identity, bytes)?.verify_slice(code).ok()?;
        Some(Self(CodeBytes::Headed(file)))
    }

    /// Returns the header that precedes the code in an authentic file.
    pub(super) fn header(&self, key: &MacKey, identity: &CodeIdentity) -> Option<Vec<u8>> {
        let code = mac(key, identity, self.bytes())?.finalize().into_bytes();
        Some([MAGIC, code.as_slice()].concat())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match &self.0 {
            CodeBytes::Bare(bytes) => bytes,
            CodeBytes::Headed(file) => file.get(MAGIC.len() + MAC_LENGTH..).unwrap_or_default(),
        }
    }

    /// Loads the code as a component of the engine.
    pub(super) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        #[expect(unsafe_code, reason = "the one place where compiled code is loaded")]
        // SAFETY: `deserialize` demands bytes that the engine's compiler made. A `MachineCode`
        // exists only of bytes that a worker, which is this program with the same compiler, handed
        // over, or that carry an authentication code made over them with a key that never leaves
        // this process and its key folder. The bytes are in memory that no one else can change, and
        // the engine copies them. That they are for this engine is checked by `deserialize` itself.
        unsafe {
            Component::deserialize(engine, self.bytes())
        }
    }
}

/// Computes the authentication code over the identity, each part behind its length, and the code.
fn mac(key: &MacKey, identity: &CodeIdentity, bytes: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).ok()?;
    for part in [
        MAGIC,
        identity.digest.as_bytes(),
        &identity.made_under,
        bytes,
    ] {
        mac.update(&u64::try_from(part.len()).ok()?.to_be_bytes());
        mac.update(part);
    }
    Some(mac)
}

/// The first bytes of such a file. A change of the layout changes them.
const MAGIC: &[u8] = b"bailiwick-code-1";
const MAC_LENGTH: usize = 32;

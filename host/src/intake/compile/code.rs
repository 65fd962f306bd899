//! Machine code, and the one place where bytes become code.
//!
//! The engine checks that code was made for its version and settings. It cannot check what the code
//! does: a party that chooses the code chooses what this process does. So a [`MachineCode`] comes
//! from a worker, or from bytes with the right authentication code over them and over their
//! purpose. A development build writes data into it, in the one room that it has for that.
//!
//! Invariant: the authenticated memory is the very memory that is loaded, and it cannot change in
//! between; a file is never read twice.

use std::fs::File;
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _, Write};

use bailiwick_journal::MacKey;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;
use zeroize::{Zeroize as _, Zeroizing};

use super::super::room;
use super::super::structure::RULES;
use super::sealed::SealedCode;
use super::{MAX_CODE, length_of};
use crate::sandbox::INTERFACE;
use crate::seams::hex;

/// The identity of a piece of code: its component, its engine, and the rules by which that
/// component was admitted.
pub(super) struct CodeIdentity {
    digest: String,
    /// SHA-256 over the format of the file, the engine's version, settings and target, the rules
    /// and the interface.
    made_under: [u8; 32],
}

impl CodeIdentity {
    pub(super) fn new(engine: &Engine, digest: &str) -> Self {
        let mut settings = Digester(Sha256::new());
        // A file in an older format is found under no name, and so is code for an older interface,
        // whatever the file says.
        MAGIC.hash(&mut settings);
        engine.precompile_compatibility_hash().hash(&mut settings);
        RULES.hash(&mut settings);
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
    Made(Vec<u8>),
    /// Bytes from the cache.
    Kept(SealedCode),
}

impl MachineCode {
    /// Returns the code that a worker made.
    pub(super) fn from_worker(bytes: Vec<u8>) -> Self {
        Self(CodeBytes::Made(bytes))
    }

    /// Returns the code of the same component with another source in its room, if it has one: the
    /// instructions stay those that the worker made.
    pub(super) fn with_source(&self, source: &[u8]) -> Option<Self> {
        let filled = match &self.0 {
            CodeBytes::Made(bytes) => room::with_source(bytes, source)?,
            CodeBytes::Kept(sealed) => {
                room::with_source(&std::fs::read(sealed.path()).ok()?, source)?
            }
        };
        Some(Self(CodeBytes::Made(filled)))
    }

    /// Returns the code in a file of the cache, if that was made with `key` for this identity.
    pub(super) fn authentic(
        key: &MacKey,
        identity: &CodeIdentity,
        mut file: File,
    ) -> io::Result<Option<Self>> {
        let mut header = [0; MAGIC.len() + blake3::OUT_LEN];
        match file.read_exact(&mut header) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let most = u64::try_from(MAX_CODE).unwrap_or(u64::MAX);
        let code = Self(CodeBytes::Kept(SealedCode::copy(&file, most)?));
        let expected = code.mac(key, identity)?;
        let found = header
            .strip_prefix(MAGIC)
            .and_then(|found| blake3::Hash::from_slice(found).ok());
        // Hashes compare in constant time.
        Ok((found == Some(expected)).then_some(code))
    }

    /// Writes the file from which [`authentic`](Self::authentic) returns this code.
    pub(super) fn write(
        &self,
        key: &MacKey,
        identity: &CodeIdentity,
        to: &mut impl Write,
    ) -> io::Result<()> {
        to.write_all(MAGIC)?;
        to.write_all(self.mac(key, identity)?.as_bytes())?;
        match &self.0 {
            CodeBytes::Made(bytes) => to.write_all(bytes),
            CodeBytes::Kept(sealed) => io::copy(&mut File::open(sealed.path())?, to).map(drop),
        }
    }

    /// Loads the code as a component of the engine.
    pub(super) fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        #[expect(unsafe_code, reason = "the one place where compiled code is loaded")]
        // SAFETY: both functions demand bytes that the engine's compiler made. A `MachineCode`
        // exists only of bytes that a worker, which is this program with the same compiler, handed
        // over, perhaps with other bytes in the room of a data segment, or that carry an
        // authentication code made over them with a key that never leaves this process and its key
        // folder. `deserialize` copies bytes that this value alone holds. `deserialize_file` maps
        // the file, which must never change: its seals, which are older than its authentication,
        // see to that, and the path leads to this very file while `self` holds it open. That the
        // bytes are for this engine is checked by both.
        unsafe {
            match &self.0 {
                CodeBytes::Made(bytes) => Component::deserialize(engine, bytes),
                CodeBytes::Kept(sealed) => Component::deserialize_file(engine, sealed.path()),
            }
        }
    }

    /// Computes the authentication code over the identity and the code, each part behind its
    /// length.
    fn mac(&self, key: &MacKey, identity: &CodeIdentity) -> io::Result<blake3::Hash> {
        let key = Zeroizing::new(blake3::derive_key(PURPOSE, key.bytes()));
        let mut mac = blake3::Hasher::new_keyed(&key);
        for part in [MAGIC, identity.digest.as_bytes(), &identity.made_under] {
            mac.update(&length_of(part).to_be_bytes());
            mac.update(part);
        }
        mac.update(&self.length().to_be_bytes());
        match &self.0 {
            CodeBytes::Made(bytes) => mac.update(bytes),
            // Reads where the bytes lie, which nothing can change.
            CodeBytes::Kept(sealed) => mac.update_mmap(sealed.path())?,
        };
        let code = mac.finalize();
        mac.zeroize();
        Ok(code)
    }

    fn length(&self) -> u64 {
        match &self.0 {
            CodeBytes::Made(bytes) => length_of(bytes),
            CodeBytes::Kept(sealed) => sealed.length(),
        }
    }
}

/// The first bytes of such a file. A change of the layout changes them.
const MAGIC: &[u8] = b"bailiwick-code-2";
/// The one purpose of the key that is derived from the cache's.
const PURPOSE: &str = "bailiwick 2026-11-26 authentication of compiled code";

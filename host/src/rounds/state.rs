//! The sealed state of a round: `version | expiry | nonce | ciphertext and tag`, in base64url.
//!
//! Invariant: every byte of a state counts. The version, the expiry and the whole [`Binding`] are
//! associated data, so a change of any of them is a forgery.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};
use bailiwick_journal::MacKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{Binding, ID};
use crate::questions::ClientQuestion;
use crate::seams::{Random, hex};

/// The keys for states, and for the digests in records.
pub(super) struct StateKey {
    seal: LessSafeKey,
    digest: [u8; 32],
}

/// What is sealed.
#[derive(Serialize)]
pub(super) struct Plain<'p> {
    pub(super) id: [u8; ID],
    pub(super) questions: &'p BTreeMap<String, ClientQuestion>,
    pub(super) given: &'p BTreeMap<String, Value>,
    pub(super) state: Option<String>,
}

/// What was sealed.
#[derive(Deserialize)]
struct Unsealed {
    id: [u8; ID],
    questions: BTreeMap<String, ClientQuestion>,
    given: BTreeMap<String, Value>,
    state: Option<String>,
}

/// What was sealed, with its expiry.
pub(super) struct Reopened {
    pub(super) id: [u8; ID],
    pub(super) expires: u64,
    pub(super) questions: BTreeMap<String, ClientQuestion>,
    pub(super) given: BTreeMap<String, Value>,
    pub(super) state: Option<Vec<u8>>,
}

/// Returns bytes as they are within a sealed round.
pub(super) fn text(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

impl StateKey {
    /// Derives the keys from a key of the host, each for its own purpose.
    pub(super) fn derive(key: &MacKey) -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the derived key has the length of the cipher's"
        )]
        let seal = UnboundKey::new(&AES_256_GCM_SIV, &derived(key, SEALING)).expect("32 bytes");
        Self {
            seal: LessSafeKey::new(seal),
            digest: derived(key, DIGESTS),
        }
    }

    /// Seals a round. `None` if the arguments have no canonical form (RFC 8785), or the round is
    /// too large.
    pub(super) fn seal(
        &self,
        binding: &Binding<'_>,
        expires: u64,
        plain: &Plain<'_>,
        random: &dyn Random,
    ) -> Option<String> {
        let mut nonce = [0; NONCE];
        random.fill(&mut nonce);
        let mut sealed = serde_json::to_vec(plain).ok()?;
        let associated = Aad::from(associated(binding, expires)?);
        let unique = Nonce::assume_unique_for_key(nonce);
        self.seal
            .seal_in_place_append_tag(unique, associated, &mut sealed)
            .ok()?;
        let head = [&[VERSION], expires.to_be_bytes().as_slice(), &nonce].concat();
        let text = BASE64.encode([head, sealed].concat());
        (text.len() <= MAX_TEXT).then_some(text)
    }

    /// Opens a state. `None` unless this key sealed it for this call.
    pub(super) fn open(&self, binding: &Binding<'_>, text: &str) -> Option<Reopened> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let bytes = BASE64.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (expires, rest) = rest.split_first_chunk::<8>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        let expires = u64::from_be_bytes(*expires);
        if *version != VERSION {
            return None;
        }
        let associated = Aad::from(associated(binding, expires)?);
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self
            .seal
            .open_in_place(nonce, associated, &mut sealed)
            .ok()?;
        let plain: Unsealed = serde_json::from_slice(plain).ok()?;
        Some(Reopened {
            id: plain.id,
            expires,
            questions: plain.questions,
            given: plain.given,
            state: plain
                .state
                .map(|text| BASE64.decode(text))
                .transpose()
                .ok()?,
        })
    }

    /// Returns a keyed digest for records.
    pub(super) fn digest(&self, bytes: &[u8]) -> String {
        format!("hmac-sha256:{}", hex(&mac(&self.digest, bytes)))
    }
}

/// Returns the data to which a state is bound: each part with its length before it.
fn associated(binding: &Binding<'_>, expires: u64) -> Option<Vec<u8>> {
    let arguments = serde_json_canonicalizer::to_vec(binding.arguments).ok()?;
    let arguments: [u8; 32] = Sha256::digest(arguments).into();
    let expires = expires.to_be_bytes();
    let rule = binding.rule.text();
    // No tenant is not the tenant without a name.
    let tenant = binding
        .tenant
        .map(|tenant| [b"=", tenant.as_bytes()].concat());
    let parts: [&[u8]; 12] = [
        &[VERSION],
        &expires,
        binding.issuer.as_bytes(),
        binding.subject.as_bytes(),
        tenant.as_deref().unwrap_or_default(),
        &[u8::from(binding.service)],
        binding.client.as_bytes(),
        binding.kind.as_bytes(),
        binding.name.as_bytes(),
        binding.component.as_bytes(),
        rule.as_bytes(),
        &arguments,
    ];
    let mut all = Vec::new();
    for part in parts {
        all.extend(u64::try_from(part.len()).ok()?.to_be_bytes());
        all.extend(part);
    }
    Some(all)
}

fn derived(key: &MacKey, purpose: &[u8]) -> [u8; 32] {
    mac(key.bytes(), purpose)
}

fn mac(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    #[expect(
        clippy::expect_used,
        reason = "HMAC takes a key of any length (RFC 2104)"
    )]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

/// The first byte of a state.
const VERSION: u8 = 2;
const NONCE: usize = 12;
/// The purposes of the derived keys.
const SEALING: &[u8] = b"bailiwick/rounds/state/v1";
const DIGESTS: &[u8] = b"bailiwick/rounds/digest/v1";
/// The longest state, in bytes.
const MAX_TEXT: usize = 512 << 10;

//! The private half of a key, and the library that signs with it.
//!
//! RFC 8032 leaves a signer no choice: a key and a message have one signature, whichever library
//! makes it. ed25519-dalek is the reference, and verifies. With the feature `aws-lc`, aws-lc signs,
//! in about half the time.
//!
//! Invariant: the key's bytes are erased when it is dropped. ed25519-dalek zeroizes its copy.
//! aws-lc keeps the other behind a pointer, its `OPENSSL_free` cleanses everything that it frees,
//! and its signer cleanses what it derives from the key.

use ed25519_dalek::SigningKey;

/// A private key that can sign.
pub(super) struct PrivateKey {
    key: SigningKey,
    #[cfg(feature = "aws-lc")]
    fast: aws_lc_rs::signature::Ed25519KeyPair,
}

impl PrivateKey {
    #[cfg(feature = "aws-lc")]
    pub(super) fn new(key: SigningKey) -> Self {
        let public = key.verifying_key();
        #[expect(
            clippy::expect_used,
            reason = "32 bytes are a seed, and both libraries derive the same public key from it"
        )]
        let fast = aws_lc_rs::signature::Ed25519KeyPair::from_seed_and_public_key(
            key.as_bytes(),
            public.as_bytes(),
        )
        .expect("a seed and its public key");
        Self { key, fast }
    }

    #[cfg(not(feature = "aws-lc"))]
    pub(super) fn new(key: SigningKey) -> Self {
        Self { key }
    }

    /// Returns the seed (RFC 8032 §5.1.5).
    pub(super) fn seed(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    #[cfg(feature = "aws-lc")]
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(self.fast.sign(message).as_ref());
        bytes
    }

    #[cfg(not(feature = "aws-lc"))]
    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        use ed25519_dalek::Signer as _;
        self.key.sign(message).to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::Signer as _;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_key_signs_as_the_reference_does(
            seed: [u8; 32],
            message in prop::collection::vec(any::<u8>(), 0..3000),
        ) {
            let reference = SigningKey::from_bytes(&seed);
            let expected = reference.sign(&message).to_bytes();
            let key = PrivateKey::new(reference);
            prop_assert_eq!(key.sign(&message), expected);
            // The key pair is as good the second time.
            prop_assert_eq!(key.sign(&message), expected);
        }
    }

    #[test]
    fn a_key_signs_every_length_as_the_reference_does() {
        // Both sides of every block of SHA-512.
        let reference = SigningKey::from_bytes(&[9; 32]);
        let key = PrivateKey::new(reference.clone());
        let message: Vec<u8> = (0..=u8::MAX).cycle().take(600).collect();
        for length in 0..message.len() {
            let message = message.get(..length).unwrap_or_default();
            assert_eq!(
                key.sign(message),
                reference.sign(message).to_bytes(),
                "{length}"
            );
        }
    }
}

//! One public key of a set (RFC 7517 §4), read strictly.
//!
//! Invariant: a [`Key`] verifies exactly one algorithm, is published for signatures, and can
//! verify one: its point is on the curve, its modulus is of 2048 to 4096 bits.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::SetVersion;
use crate::json::member::{self, IllTyped};

/// A signature algorithm that access tokens may use (RFC 7518 §3.1, RFC 8037). All are asymmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

impl Algorithm {
    /// Every algorithm, in the order of preference.
    pub const ALL: [Self; 4] = [Self::Es256, Self::EdDsa, Self::Rs256, Self::Ps256];

    /// Returns the name of the `alg` parameter.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    /// Returns the algorithm with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.is_named(name))
    }

    /// Returns true if this is one of its names. `Ed25519` is the newer name of what `EdDSA` means
    /// with an Ed25519 key (RFC 9864 §2.2).
    pub fn is_named(self, name: &str) -> bool {
        self.as_str() == name || (self == Self::EdDsa && name == "Ed25519")
    }

    fn library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Ps256 => jsonwebtoken::Algorithm::PS256,
        }
    }

    /// Returns the algorithm of a key, or `None` for a kind of key that is not used. An RSA key
    /// that names no algorithm is for the first of RS256 and PS256 that the issuer may use.
    fn of(kind: KeyType<'_>, allowed: &[Self]) -> Option<Self> {
        let possible: &[Self] = match (kind.kty, kind.crv) {
            (Some("EC"), Some("P-256")) => &[Self::Es256],
            (Some("OKP"), Some("Ed25519")) => &[Self::EdDsa],
            (Some("RSA"), _) => &[Self::Rs256, Self::Ps256],
            _ => return None,
        };
        let mut fitting = possible
            .iter()
            .filter(|algorithm| kind.alg.is_none_or(|name| algorithm.is_named(name)));
        fitting
            .find(|algorithm| allowed.contains(algorithm))
            .copied()
    }
}

/// One public key with its one algorithm.
pub(crate) struct Key {
    algorithm: Algorithm,
    public: DecodingKey,
    set: SetVersion,
}

impl Key {
    pub(in crate::tokens) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the version of the set that the key is from.
    pub(in crate::tokens) fn set(&self) -> SetVersion {
        self.set
    }

    pub(in crate::tokens) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, message, &self.public, self.algorithm.library())
            .unwrap_or(false)
    }
}

/// The result of reading a well-formed key.
pub(super) enum Reading {
    /// The key verifies tokens. With it come the thumbprints of its certificate.
    Usable(Key, Vec<String>),
    /// The key is for another use, or of a kind or algorithm that the host does not use.
    PassedOver,
}

/// The reasons for which a key cannot be used. The set's other keys are not affected.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error(transparent)]
    Member(#[from] IllTyped),
    #[error("it is symmetric or private; replace it at the issuer at once")]
    Secret,
    #[error("it has no `{0}`")]
    Missing(&'static str),
    #[error("its `{0}` is not base64url without padding")]
    Base64(&'static str),
    #[error("expected {1} bytes in its `{0}`")]
    Length(&'static str, usize),
    #[error("its `{0}` is empty or begins with several zero bytes")]
    Padded(&'static str),
    #[error("it is not a point of its curve that can verify a signature")]
    Point,
    #[error("an RSA key of {0} bits; 2048 to 4096 are used")]
    Modulus(u64),
    #[error("an RSA key whose exponent is 1, even or larger than 33 bits")]
    Exponent,
}

#[derive(Clone, Copy)]
struct KeyType<'k> {
    kty: Option<&'k str>,
    crv: Option<&'k str>,
    alg: Option<&'k str>,
}

/// Reads one key of the set `set`.
pub(super) fn read(
    jwk: &Map<String, Value>,
    algorithms: &[Algorithm],
    set: SetVersion,
) -> Result<Reading, Malformed> {
    let text = |name| member::text(jwk, name);
    let kind = KeyType {
        kty: text("kty")?,
        crv: text("crv")?,
        alg: text("alg")?,
    };
    let verifies = is_for_signatures(jwk)?;
    if kind.kty == Some("oct") || SECRET.iter().any(|name| jwk.contains_key(*name)) {
        return Err(Malformed::Secret);
    }
    let Some(algorithm) = Algorithm::of(kind, algorithms).filter(|_| verifies) else {
        return Ok(Reading::PassedOver);
    };
    let public = match algorithm {
        Algorithm::Es256 => ec(jwk)?,
        Algorithm::EdDsa => ed25519(jwk)?,
        Algorithm::Rs256 | Algorithm::Ps256 => rsa(jwk)?,
    };
    // Only a name: one that cannot be read costs the key no other name, and no token its signature.
    let thumbprint = |name| text(name).ok().flatten().map(String::from);
    let thumbprints = ["x5t", "x5t#S256"].into_iter().filter_map(thumbprint);
    let key = Key {
        algorithm,
        public,
        set,
    };
    Ok(Reading::Usable(key, thumbprints.collect()))
}

/// Returns true if the key is for signatures. A key that states its use is used for nothing else
/// (RFC 7517 §4.2 and §4.3).
fn is_for_signatures(jwk: &Map<String, Value>) -> Result<bool, IllTyped> {
    let purpose = member::text(jwk, "use")?;
    let operations = member::texts(jwk, "key_ops")?;
    Ok(purpose.is_none_or(|purpose| purpose == "sig")
        && operations.is_none_or(|all| all.contains(&"verify")))
}

/// Reads a P-256 key (RFC 7518 §6.2.1): both coordinates in full, of a point on the curve.
fn ec(jwk: &Map<String, Value>) -> Result<DecodingKey, Malformed> {
    let (x, y) = (coordinate(jwk, "x")?, coordinate(jwk, "y")?);
    let point = [&[UNCOMPRESSED][..], &x, &y].concat();
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).map_err(|_| Malformed::Point)?;
    Ok(DecodingKey::from_ec_der(&point))
}

/// Reads an Ed25519 key (RFC 8037 §2). Refuses a point of small order, which would verify
/// signatures that were never made, and a point in a second spelling (RFC 8032 §5.1.3).
fn ed25519(jwk: &Map<String, Value>) -> Result<DecodingKey, Malformed> {
    let x = coordinate(jwk, "x")?;
    let point = ed25519_dalek::VerifyingKey::from_bytes(&x).map_err(|_| Malformed::Point)?;
    if point.is_weak() || point.to_edwards().compress().to_bytes() != x {
        return Err(Malformed::Point);
    }
    Ok(DecodingKey::from_ed_der(&x))
}

/// Reads an RSA key (RFC 7518 §6.3.1) that is strong and small enough.
fn rsa(jwk: &Map<String, Value>) -> Result<DecodingKey, Malformed> {
    let (modulus, exponent) = (unsigned(jwk, "n")?, unsigned(jwk, "e")?);
    let bits = bits(&modulus);
    if !MODULUS_BITS.contains(&bits) {
        return Err(Malformed::Modulus(bits));
    }
    let odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    if !odd || !EXPONENT_BITS.contains(&self::bits(&exponent)) {
        return Err(Malformed::Exponent);
    }
    Ok(DecodingKey::from_rsa_raw_components(&modulus, &exponent))
}

fn component(jwk: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, Malformed> {
    let text = member::text(jwk, name)?.ok_or(Malformed::Missing(name))?;
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| Malformed::Base64(name))
}

fn coordinate(jwk: &Map<String, Value>, name: &'static str) -> Result<[u8; 32], Malformed> {
    component(jwk, name)?
        .try_into()
        .map_err(|_| Malformed::Length(name, 32))
}

/// Reads a `Base64urlUInt` (RFC 7518 §2). Drops one leading zero byte: some issuers keep the sign
/// of their big-number library (the note in §6.3.1.1). More than one would make a short key look
/// long.
fn unsigned(jwk: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, Malformed> {
    let bytes = component(jwk, name)?;
    let digits = bytes.strip_prefix(&[0]).unwrap_or(&bytes);
    if digits.first().is_none_or(|first| *first == 0) {
        return Err(Malformed::Padded(name));
    }
    Ok(digits.to_vec())
}

/// Returns the number of bits of a number without leading zero bytes.
fn bits(number: &[u8]) -> u64 {
    let whole = u64::try_from(number.len())
        .unwrap_or(u64::MAX)
        .saturating_mul(8);
    whole.saturating_sub(
        number
            .first()
            .map_or(0, |first| u64::from(first.leading_zeros())),
    )
}

/// The members of secret and private keys (RFC 7518 §6.2.2, §6.3.2, §6.4, RFC 8037 §2).
const SECRET: [&str; 8] = ["k", "d", "p", "q", "dp", "dq", "qi", "oth"];
const MODULUS_BITS: std::ops::RangeInclusive<u64> = 2048..=4096;
/// The exponents that the library verifies with. An odd number of two bits is at least 3.
const EXPONENT_BITS: std::ops::RangeInclusive<u64> = 2..=33;
/// The prefix of an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

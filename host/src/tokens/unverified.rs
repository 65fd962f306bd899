//! A JWT before and at the moment of its verification (RFC 7515 compact form, RFC 8725).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::claims::Claims;
use super::error::TokenError;
use super::keys::{Key, KeyName};
use super::types::TypeRule;
use crate::egress::CertificateDigest;
use crate::json::{self, member};

/// A decoded but unverified JWT. Nothing in it is true yet.
pub struct Unverified<'t> {
    jws: Jws<'t>,
    claims: Map<String, Value>,
}

/// A compact JWS whose header is acceptable (RFC 7515 §7.1).
pub(super) struct Jws<'t> {
    header: Map<String, Value>,
    payload: &'t str,
    signed: &'t str,
    signature: &'t str,
}

impl<'t> Unverified<'t> {
    /// Splits and decodes `token`, bounded in size and depth.
    ///
    /// # Errors
    /// Fails if it is not a JWT that could be verified.
    pub fn parse(token: &'t str) -> Result<Self, TokenError> {
        let jws = Jws::parse(token)?;
        let claims = decode(jws.payload, "payload")?;
        Ok(Self { jws, claims })
    }

    /// Returns the issuer that the token claims, which serves to find the issuer's keys and for
    /// nothing else.
    ///
    /// # Errors
    /// Fails if there is no `iss` string.
    pub fn claimed_issuer(&self) -> Result<&str, TokenError> {
        member::text(&self.claims, "iss")
            .ok()
            .flatten()
            .ok_or_else(|| TokenError::Claim("iss".into()))
    }

    /// Returns the names of the key that is said to have signed the token.
    ///
    /// # Errors
    /// Fails without an `alg`.
    pub(super) fn key_name(&self) -> Result<KeyName<'_>, TokenError> {
        self.jws.key_name()
    }

    /// Verifies the signature with `key` and returns the claims, which are now the issuer's
    /// statements.
    ///
    /// # Errors
    /// Fails if the holder of `key` did not sign the token, if it is not of the expected type, or
    /// if it is bound to anything but `certificate`.
    pub(super) fn verify(
        self,
        key: &Key,
        expected: &TypeRule,
        certificate: Option<CertificateDigest>,
    ) -> Result<Claims, TokenError> {
        self.jws.verify(key)?;
        let claims = Claims::verified(self.claims);
        // First, because an ID token with the wrong `typ` is better called an ID token.
        claims.check_plain_access(certificate)?;
        expected.check(member::text(&self.jws.header, "typ").map_err(|_| TokenError::Type)?)?;
        Ok(claims)
    }
}

impl<'t> Jws<'t> {
    pub(super) fn parse(token: &'t str) -> Result<Self, TokenError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Form)?;
        if payload.contains('.') || header.len() > MAX_HEADER || payload.len() > MAX_PAYLOAD {
            return Err(TokenError::Form);
        }
        let header = decode(header, "header")?;
        for parameter in ["crit", "b64", "zip", "enc"] {
            if header.contains_key(parameter) {
                return Err(TokenError::Header(parameter));
            }
        }
        check_key_names(&header)?;
        Ok(Self {
            header,
            payload,
            signed,
            signature,
        })
    }

    pub(super) fn key_name(&self) -> Result<KeyName<'_>, TokenError> {
        let text = |name| member::text(&self.header, name).ok().flatten();
        Ok(KeyName {
            id: text("kid"),
            thumbprints: ["x5t#S256", "x5t"].map(text),
            algorithm: text("alg").ok_or(TokenError::Header("alg"))?,
        })
    }

    pub(super) fn verify(&self, key: &Key) -> Result<(), TokenError> {
        let algorithm = self.key_name()?.algorithm;
        if !key.algorithm().is_named(algorithm) {
            return Err(TokenError::Algorithm);
        }
        if key.verifies(self.signed.as_bytes(), self.signature) {
            Ok(())
        } else {
            Err(TokenError::Signature)
        }
    }
}

/// Checks the names that the header gives the key. A `kid` decides alone, so a thumbprint beside it
/// that is ill-typed costs the token nothing.
fn check_key_names(header: &Map<String, Value>) -> Result<(), TokenError> {
    let names: &[&'static str] = if header.contains_key("kid") {
        &["kid"]
    } else {
        &["x5t", "x5t#S256"]
    };
    for &parameter in names {
        let name = member::text(header, parameter).map_err(|_| TokenError::Header(parameter))?;
        if name.is_some_and(|name| name.len() > MAX_KEY_ID) {
            return Err(TokenError::Header(parameter));
        }
    }
    Ok(())
}

fn decode(part: &str, name: &'static str) -> Result<Map<String, Value>, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Form)?;
    match json::parse(&bytes, MAX_DEPTH) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(TokenError::Json(name)),
    }
}

// Checked before any cryptography; together they bound the cost of an unauthenticated request.
const MAX_HEADER: usize = 4 * 1024;
const MAX_PAYLOAD: usize = 16 * 1024;
const MAX_KEY_ID: usize = 256;
const MAX_DEPTH: usize = 16;

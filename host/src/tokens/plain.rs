//! The checks that every plain bearer token must pass: a caller's, and one that an authorization
//! server issued for a service.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::claims::Claims;
use super::error::TokenError;
use crate::egress::CertificateDigest;

impl Claims {
    /// Checks that the token is an access token that its bearer may use without a further proof, or
    /// with no other proof than `certificate`, which the connection shows (RFC 8705 §3.1).
    ///
    /// # Errors
    /// Fails if the token is bound to anything else (`cnf`, RFC 7800 §3.1), or has a mark of an ID
    /// token (`OpenID` Connect Core §2, §3.3.2.11), a security event (RFC 8417 §2.2) or, as Cognito
    /// and Keycloak write it, of another kind of token.
    pub(super) fn check_plain_access(
        &self,
        certificate: Option<CertificateDigest>,
    ) -> Result<(), TokenError> {
        let is_bound_to = |certificate: CertificateDigest| {
            let print = URL_SAFE_NO_PAD.encode(certificate);
            self.is("cnf", &json!({ "x5t#S256": print }))
        };
        if self.has("cnf") && !certificate.is_some_and(is_bound_to) {
            return Err(TokenError::Bound);
        }
        let mark = ID_TOKEN_MARKS.iter().find(|mark| self.has(mark));
        if let Some(mark) = mark {
            return Err(TokenError::IdToken(mark));
        }
        let stated = |claim| self.hint(claim).ok().flatten().unwrap_or_default();
        let kind = |claim| {
            let is_it =
                |kind: &(&str, &str)| kind.0 == claim && kind.1.eq_ignore_ascii_case(stated(claim));
            OTHER_KINDS.iter().any(is_it)
        };
        match ["token_use", "typ"].into_iter().find(|claim| kind(claim)) {
            Some(claim) => Err(TokenError::Kind(claim)),
            None if self.has("events") => Err(TokenError::Kind("events")),
            None => Ok(()),
        }
    }
}

impl Claims {
    /// Checks that an issuer's answer (RFC 7662 §2.2) says of the token that it is a bearer access
    /// token: by `token_type`, by `typ` as Keycloak writes it, or by `token_use` as Cognito does.
    /// Without such a mark it could be a refresh token, about which an issuer also answers.
    ///
    /// # Errors
    /// Fails if no mark says so, or if `token_type` says otherwise.
    pub(super) fn check_access(&self) -> Result<(), TokenError> {
        self.check_bearer()?;
        let stated = |(claim, kind): &(&str, &str)| {
            let stated = self.hint(claim).ok().flatten();
            stated.is_some_and(|stated| stated.eq_ignore_ascii_case(kind))
        };
        if ACCESS_KINDS.iter().any(stated) {
            Ok(())
        } else {
            Err(TokenError::NotBearer)
        }
    }

    /// Checks the type that an issuer's answer states (RFC 7662 §2.2), if it states one.
    pub(super) fn check_bearer(&self) -> Result<(), TokenError> {
        let stated = self.optional_string("token_type");
        match stated.map_err(|_| TokenError::NotBearer)? {
            Some(stated) if !stated.eq_ignore_ascii_case("bearer") => Err(TokenError::NotBearer),
            _ => Ok(()),
        }
    }
}

/// Claims in which an issuer says that a token is an access token.
const ACCESS_KINDS: [(&str, &str); 6] = [
    ("token_type", "bearer"),
    ("typ", "bearer"),
    ("typ", "at+jwt"),
    ("typ", "application/at+jwt"),
    ("token_use", "access"),
    ("token_use", "access_token"),
];
const ID_TOKEN_MARKS: [&str; 3] = ["nonce", "at_hash", "c_hash"];
/// Claims in which an issuer says that a token is no access token.
const OTHER_KINDS: [(&str, &str); 8] = [
    ("token_use", "id"),
    ("token_use", "id_token"),
    ("token_use", "refresh"),
    ("token_use", "refresh_token"),
    ("typ", "ID"),
    ("typ", "Refresh"),
    ("typ", "Offline"),
    ("typ", "Logout"),
];

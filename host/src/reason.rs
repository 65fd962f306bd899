//! One vocabulary for why something did not happen.
//!
//! The audit journal, the answers to clients and the errors that tools see are all rendered from
//! [`Reason`], so that one cause never has two names.

use std::fmt;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $code:literal,)*) => {
        /// A stable code. Codes are part of the journal's format: they are added, never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[$doc])* $name,)* }

        impl Reason {
            /// Every code, for tests that want one story for each.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it stands in the journal and in answers.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

reasons! {
    /// No bearer token was presented.
    TokenMissing => "token-missing",
    /// The `Authorization` header is not one well-formed bearer token.
    TokenMalformed => "token-malformed",
    /// The token did not pass verification.
    TokenInvalid => "token-invalid",
    /// The token's issuer has no usable keys at the moment.
    KeysUnavailable => "keys-unavailable",
    /// The token lacks scopes that the tool requires.
    InsufficientScope => "insufficient-scope",
    /// There is no such tool for this caller.
    UnknownTool => "unknown-tool",
    /// The arguments do not fit the tool's input schema.
    InvalidArguments => "invalid-arguments",
    /// Too much is going on.
    Overloaded => "overloaded",
    /// The journal cannot be written.
    AuditUnavailable => "audit-unavailable",
    /// The token expires too soon for a call.
    Expiring => "token-expiring",

    /// The tool answered with an error of its own.
    ToolError => "tool-error",
    /// The tool broke the rules of WebAssembly or of its world.
    Trapped => "trapped",
    /// The tool used up its memory.
    MemoryExceeded => "memory-exceeded",
    /// The tool used up its processor time.
    CpuExceeded => "cpu-exceeded",
    /// The call took too long.
    TimedOut => "timed-out",
    /// The client went away.
    Cancelled => "cancelled",
    /// The tool's result is larger than the limit.
    OutputTooLarge => "output-too-large",
    /// The tool's result does not fit its output schema, or is not what MCP allows.
    InvalidOutput => "invalid-output",
    /// The tool asks a question that this host cannot relay yet.
    InputUnsupported => "input-unsupported",
    /// The host stopped while this was under way.
    HostCrashed => "host-crashed",
    /// Something inside the host went wrong.
    Internal => "internal",

    /// No service of that name is granted.
    UnknownService => "unknown-service",
    /// The grant does not cover the request.
    NotGranted => "not-granted",
    /// The tool's request is malformed.
    InvalidRequest => "invalid-request",
    /// The mode needs an identity that this call does not have.
    IdentityUnavailable => "identity-unavailable",
    /// The user must consent first.
    ConsentRequired => "consent-required",
    /// The authorization server did not give the scopes.
    ScopeDenied => "scope-denied",
    /// No acceptable credential was issued.
    CredentialRefused => "credential-refused",
    /// The service or its authorization server cannot be reached.
    Unavailable => "unavailable",
    /// The service's answer is larger than the limit.
    TooLarge => "too-large",
    /// The service asks the tool to slow down, or the host asks its caller to.
    RateLimited => "rate-limited",
    /// The call used up its downstream calls.
    QuotaExhausted => "quota-exhausted",

    /// A component imports what no tool gets.
    ImportRefused => "import-refused",
    /// A component is not the code that the grant is for.
    DigestMismatch => "digest-mismatch",
    /// A component's signature does not count, or is missing.
    SignatureRefused => "signature-refused",
    /// A tool's definition is not acceptable.
    DefinitionRefused => "definition-refused",
    /// The definitions of a component's tools are not those that the operator accepted.
    DefinitionChanged => "definition-changed",
    /// A file is not a component that loads.
    NotLoadable => "not-loadable",
    /// Two components claim one tool name.
    NameClash => "name-clash",
    /// A changed configuration is wrong.
    ConfigRefused => "config-refused",
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_kebab_case() {
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert!(
            codes
                .iter()
                .all(|code| code.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
        );
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
    }
}

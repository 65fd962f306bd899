//! Reasons: one closed list of codes for each step that can fail.
//!
//! The journal, the answers to clients and the errors that tools see are all written from these
//! enums, so that one cause never has two names. Each enum holds exactly the reasons of its step:
//! for example, a call that was refused before it was opened never "ran out of memory".

use super::codes::codes;

codes! {
    /// The reasons for refusing a request before a call is opened. Codes are part of the journal's
    /// format: they are added, never renamed.
    RefusalReason {
        /// No credential was presented.
        TokenMissing => "token-missing",
        /// The `Authorization` header is not one well-formed bearer token.
        TokenMalformed => "token-malformed",
        /// The token is larger than any that is accepted.
        TokenTooLarge => "token-too-large",
        /// The token did not pass verification.
        TokenInvalid => "token-invalid",
        /// The token's issuer has no usable keys at the moment.
        KeysUnavailable => "keys-unavailable",
        /// The token lacks scopes that the target requires.
        InsufficientScope => "insufficient-scope",
        /// There is no such target for this caller.
        UnknownTarget => "unknown-target",
        /// The arguments do not fit the target's input schema.
        InvalidArguments => "invalid-arguments",
        /// The state of a round of questions is not one that this host gave for this call, has
        /// expired, or was used before.
        StateRefused => "state-refused",
        /// There is no session with the identifier that the request names.
        SessionUnknown => "session-unknown",
        /// The session that the request names is another principal's or another client's.
        SessionForeign => "session-foreign",
        /// The request contradicts itself or the protocol.
        InvalidRequest => "invalid-request",
        /// The client lacks a capability that the target requires.
        CapabilityMissing => "capability-missing",
        /// The operator has denied the caller, the tool or its code.
        Denied => "denied",
        /// It is not known what the operator has denied.
        DenialsUnavailable => "denials-unavailable",
        /// Too many calls are under way.
        Overloaded => "overloaded",
        /// The caller makes too many requests.
        RateLimited => "rate-limited",
        /// The journal cannot be written.
        AuditUnavailable => "audit-unavailable",
        /// The token expires too soon for a call.
        Expiring => "token-expiring",
        /// The client went away.
        Cancelled => "cancelled",
        /// The host failed.
        Internal => "internal",
    }
}

codes! {
    /// The reasons for which an opened call did not simply succeed.
    EndReason {
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
        /// The tool asks, and goes on in another call with the answers.
        InputRequired => "input-required",
        /// The tool asks, and its client's revision or capabilities have no way for it.
        InputUnsupported => "input-unsupported",
        /// The tool asks a question that may not be asked.
        QuestionRefused => "question-refused",
        /// The host ran out of places or memory while it ran the call.
        Overloaded => "overloaded",
        /// The host stopped before the call did; recorded at the next start.
        HostCrashed => "host-crashed",
        /// The journal could not be written when the record was due.
        AuditUnavailable => "audit-unavailable",
        /// The host failed.
        Internal => "internal",
    }
}

codes! {
    /// The reasons for which a tool's request to a service got no answer.
    DownstreamReason {
        /// No service of that name is granted.
        UnknownService => "unknown-service",
        /// The grant does not cover the request.
        NotGranted => "not-granted",
        /// A rule of the grant denies the request by its content.
        DeniedByRule => "denied-by-rule",
        /// The operator's policy point denies the request.
        DeniedByPolicy => "denied-by-policy",
        /// The operator's policy point gave no decision about the request.
        PolicyUnavailable => "policy-unavailable",
        /// The remote server's definition of the tool is not the one that the operator accepted.
        DefinitionChanged => "definition-changed",
        /// The tool's request is malformed.
        InvalidRequest => "invalid-request",
        /// The operator has denied the caller, the tool or its code meanwhile.
        Denied => "denied",
        /// It is not known what the operator has denied.
        DenialsUnavailable => "denials-unavailable",
        /// The mode needs an identity that this call does not have.
        IdentityUnavailable => "identity-unavailable",
        /// The user must consent first.
        ConsentRequired => "consent-required",
        /// The authorization server did not grant the scopes.
        ScopeDenied => "scope-denied",
        /// No acceptable credential was issued.
        CredentialRefused => "credential-refused",
        /// The service or its authorization server cannot be reached.
        Unavailable => "unavailable",
        /// No answer came within the deadline.
        TimedOut => "timed-out",
        /// The service's answer is larger than the limit.
        TooLarge => "too-large",
        /// The call used up its downstream calls.
        QuotaExhausted => "quota-exhausted",
        /// The host stopped before the answer came; recorded at the next start.
        HostCrashed => "host-crashed",
        /// The journal cannot be written.
        AuditUnavailable => "audit-unavailable",
        /// The call ended before the answer came.
        Cancelled => "cancelled",
    }
}

codes! {
    /// The reasons for not applying a component or a configuration.
    LoadReason {
        /// A component imports an interface that no tool gets.
        ImportRefused => "import-refused",
        /// A component is not the code that the grant is for.
        DigestMismatch => "digest-mismatch",
        /// A component's signature is missing or not trusted for it.
        SignatureRefused => "signature-refused",
        /// A tool's definition is not acceptable.
        DefinitionRefused => "definition-refused",
        /// The operator has not accepted these definitions of the component's tools.
        DefinitionChanged => "definition-changed",
        /// A file is not a component that loads.
        NotLoadable => "not-loadable",
        /// Two components claim one tool name.
        NameClash => "name-clash",
        /// A changed configuration is wrong.
        ConfigRefused => "config-refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_in_their_list_and_in_kebab_case() {
        let lists = [
            codes(RefusalReason::ALL, RefusalReason::as_str),
            codes(EndReason::ALL, EndReason::as_str),
            codes(DownstreamReason::ALL, DownstreamReason::as_str),
            codes(LoadReason::ALL, LoadReason::as_str),
        ];
        for mut list in lists {
            let kebab = |code: &str| code.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            assert!(list.iter().all(|code| kebab(code)), "{list:?}");
            let all = list.len();
            list.sort_unstable();
            list.dedup();
            assert_eq!(list.len(), all);
        }
    }

    fn codes<R: Copy>(all: &[R], code: fn(R) -> &'static str) -> Vec<&'static str> {
        all.iter().map(|reason| code(*reason)).collect()
    }
}

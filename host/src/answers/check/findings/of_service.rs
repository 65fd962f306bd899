//! The words about a service that the configuration describes.

use std::fmt;

use super::Finding;
use crate::dispatch::in_words;

impl Finding {
    /// Writes a fault of a service alone.
    pub(super) fn fmt_service(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceUnused { service } => {
                write!(formatter, "[services.{service}] is granted to no component")
            }
            Self::NothingAllowed { service } => write!(
                formatter,
                "services.{service}.allow is empty, so nothing may be asked of it; list requests \
                 such as \"GET /items/{{}}\""
            ),
            Self::TakenLiterally {
                service,
                template,
                part,
            } => write!(
                formatter,
                "services.{service}.allow: in {template:?}, {part:?} is plain text and stands for \
                 nothing else; write {{}} for one free value, {{**}} for several segments, or \
                 {{*}} for several values of one query key"
            ),
            Self::OneAccount { service } => write!(
                formatter,
                "services.{service}.one_account: everyone who may call a tool with this service \
                 reaches everything that the host's key reaches there; bind {{actor.sub}} in allow, \
                 or give each user a key (auth.secrets_by), if they must not"
            ),
            Self::KeyInUrl { service, parameter } => write!(
                formatter,
                "services.{service}.auth.query: the key goes into URLs as {parameter}, and the \
                 service and proxies before it write URLs into their logs; use a header, if the \
                 service accepts the key there"
            ),
            Self::SecretInHeader { service, header } => write!(
                formatter,
                "services.{service}.headers: {header} looks like a credential, and this file is \
                 no place for a secret; set auth = {{ kind = \"static\", header = \"{header}\", \
                 secret_file = \"...\" }}"
            ),
            Self::OpaqueIssued { service } => write!(
                formatter,
                "services.{service}.exchange.expect_opaque: the host cannot see whose token it \
                 sends; leave it out if the authorization server can issue a JWT"
            ),
            Self::IssuesTokens {
                service,
                issuer,
                users_of,
            } => write!(
                formatter,
                "services.{service}.reissue: this host issues the tokens, as {issuer}, and whoever \
                 has reissue.key_file is any user of {users_of} there; use exchange if the \
                 authorization server can issue them"
            ),
            Self::IssuesNoTokens => formatter.write_str(
                "[reissue]: no service has a reissue, so the key is published and signs nothing; \
                 remove it",
            ),
            Self::ReissueWithoutScope {
                tool,
                service,
                scopes,
            } => write!(
                formatter,
                "{} needs none of {} (services.{service}.reissue.scopes), so it gets no token for \
                 {service} (scope-denied); add one to the scopes of the tool or its component",
                in_words(tool),
                scopes.join(" ")
            ),
            _ => Ok(()),
        }
    }
}

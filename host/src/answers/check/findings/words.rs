//! Each finding as a sentence that says what to change.

use std::fmt;

use super::Finding;
use crate::dispatch::{expected_alike, in_words, table};

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeysUnusable { issuer, cause } => write!(
                formatter,
                "issuers.jwks_file of {issuer} cannot be used: {cause}"
            ),
            Self::KeyLeftOut { issuer, key } => {
                write!(formatter, "issuers.jwks_file of {issuer}: not used: {key}")
            }
            Self::ComponentRefused { component, cause } => {
                write!(formatter, "{component}.wasm would be refused: {cause}")
            }
            Self::ComponentMissing { component } => write!(
                formatter,
                "[components.{component}] is for {component}.wasm, which is not in the tools \
                 folder; add the file or remove the section"
            ),
            Self::ServiceNotGranted { .. }
            | Self::GrantUnused { .. }
            | Self::ToolMissing { .. } => self.fmt_grant(formatter),
            Self::ToolDisabled { component, tool } => write!(
                formatter,
                "{} is not offered: components.{component}.{} has enabled = false",
                in_words(tool),
                table(tool)
            ),
            Self::DeniesByArguments { rule } => write!(
                formatter,
                "{rule}: its condition reads the arguments of a call and nothing of the request, \
                 and a tool may send something else; read request.body, request.query or request.path"
            ),
            Self::ScopeUnneeded { scope } => write!(
                formatter,
                "server.initial_scopes: no tool needs {scope}; remove it, so that tokens allow no \
                 more than is used"
            ),
            Self::ServiceUnused { .. }
            | Self::NothingAllowed { .. }
            | Self::TakenLiterally { .. }
            | Self::OneAccount { .. }
            | Self::KeyInUrl { .. }
            | Self::SecretInHeader { .. }
            | Self::OpaqueIssued { .. }
            | Self::IssuesTokens { .. }
            | Self::IssuesNoTokens
            | Self::ReissueWithoutScope { .. } => self.fmt_service(formatter),
            Self::SecretReadable { file, by } => write!(
                formatter,
                "{file} is a secret that {by} may read, as far as the folders above let them; run: \
                 chmod go-r {file}",
                file = file.display()
            ),
            Self::Online { checkup } => checkup.fmt(formatter),
            Self::LimitTooHigh { limit } => formatter.write_str(limit),
        }
    }
}

impl Finding {
    /// Writes a fault between a grant and the services that tools ask for.
    fn fmt_grant(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServiceNotGranted {
                tool,
                component,
                service,
                described,
            } => {
                let grant = if *described {
                    format!("add {service} = \"<mode>\" to services")
                } else {
                    format!("describe it under [services.{service}], then grant it")
                };
                write!(
                    formatter,
                    "{} asks for the service {service}, which is not granted; {grant} under \
                     [components.{component}]",
                    in_words(tool)
                )
            }
            Self::GrantUnused {
                component,
                tool: None,
                service,
            } => write!(
                formatter,
                "components.{component}.services: no tool of this component asks for {service}; \
                 remove it"
            ),
            Self::GrantUnused {
                component,
                tool: Some(tool),
                service,
            } => write!(
                formatter,
                "components.{component}.{}.services: it does not ask for {service}; remove it",
                table(tool)
            ),
            Self::ToolMissing {
                component,
                tool,
                tools,
            } => write!(
                formatter,
                "[components.{component}.{}] names what this component does not have; {}",
                table(tool),
                expected_alike(tool, tools.iter().map(String::as_str))
            ),
            _ => Ok(()),
        }
    }
}

//! The `client` import: what the client of the call says about itself, and messages to it.

use super::bindings::bailiwick::tool::client as wit;
use super::state::CallState;
use super::view::Severity;

impl From<wit::Severity> for Severity {
    fn from(severity: wit::Severity) -> Self {
        match severity {
            wit::Severity::Debug => Self::Debug,
            wit::Severity::Info => Self::Info,
            wit::Severity::Notice => Self::Notice,
            wit::Severity::Warning => Self::Warning,
            wit::Severity::Error => Self::Error,
            wit::Severity::Critical => Self::Critical,
            wit::Severity::Alert => Self::Alert,
            wit::Severity::Emergency => Self::Emergency,
        }
    }
}

impl wit::Host for CallState {
    fn revision(&mut self) -> wasmtime::Result<String> {
        Ok(self.scope("client")?.client.revision.clone())
    }

    fn declares(&mut self, capability: String) -> wasmtime::Result<bool> {
        Ok(self.scope("client")?.client.declares(&capability))
    }

    fn message(&mut self, severity: wit::Severity, data: String) -> wasmtime::Result<()> {
        if let Some(sink) = &self.scope("client")?.reports {
            sink.message(severity.into(), &data);
        }
        Ok(())
    }
}

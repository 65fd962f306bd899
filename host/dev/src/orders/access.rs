//! The service's own access log: who came, through which agent and tool, and what they got.
//!
//! This is the log that a shared service account would make worthless; here it names both.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::Context as _;
use http::StatusCode;
use serde::Serialize;

use super::visitor::Visitor;
use crate::clock::now;
use crate::http::Request;

/// One line of the access log.
#[derive(Clone, Debug, Serialize)]
pub struct Access {
    /// Seconds since 1970-01-01 UTC.
    pub time: u64,
    /// The user, if there was a verified one.
    pub user: Option<String>,
    /// The agent, if the host named one.
    pub agent: Option<String>,
    /// The tool, likewise.
    pub tool: Option<String>,
    /// The delegation mode, likewise.
    pub mode: Option<String>,
    /// The call, likewise: the same identifier as in the host's journal.
    pub call: Option<String>,
    /// Who presented the bearer token for the user: its `act.sub`.
    pub via: Option<String>,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// Why the visitor was turned away, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Access {
    pub(super) fn new(
        request: &Request,
        visitor: Option<&Visitor>,
        status: StatusCode,
        reason: Option<String>,
    ) -> Self {
        let call = visitor.and_then(|visitor| visitor.transaction.as_ref());
        Self {
            time: now(),
            user: visitor.map(|visitor| visitor.sub.clone()),
            agent: call.map(|call| call.agent_id.clone()),
            tool: call.map(|call| call.tool.clone()),
            mode: call.map(|call| call.mode.as_str().to_owned()),
            call: call.map(|call| call.txn.clone()),
            via: visitor.and_then(|visitor| visitor.via.clone()),
            method: request.method.to_string(),
            path: request.path.clone(),
            status: status.as_u16(),
            reason,
        }
    }
}

/// Lines in memory, and in a file if there is one.
pub(super) struct AccessLog {
    inner: Mutex<(Vec<Access>, Option<File>)>,
}

impl AccessLog {
    pub(super) fn open(path: Option<&Path>) -> anyhow::Result<Self> {
        let file = match path {
            Some(path) => Some(
                OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(path)
                    .with_context(|| format!("cannot write {}", path.display()))?,
            ),
            None => None,
        };
        Ok(Self { inner: Mutex::new((Vec::new(), file)) })
    }

    pub(super) fn write(&self, line: Access) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(file), Ok(text)) = (&mut inner.1, serde_json::to_string(&line)) {
            // A sample service has nobody to tell; the line stays in memory.
            let _lost = writeln!(file, "{text}");
        }
        inner.0.push(line);
    }

    pub(super) fn lines(&self) -> Vec<Access> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.0.clone()
    }
}

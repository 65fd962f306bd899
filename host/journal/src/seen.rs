//! A line of a journal as the record that it was, as far as a reader needs it.

use bailiwick_envelope::CallMode;
use serde::Deserialize;

use super::record::{Downstream, Event, Record, Subject};

/// What is read of a line: enough to follow the sequence and to end what was left open.
#[derive(Debug, Deserialize)]
pub(super) struct Seen {
    pub(super) seq: u64,
    pub(super) time: String,
    pub(super) event: String,
    #[serde(default)]
    pub(super) call: Option<String>,
    #[serde(default)]
    actor_sub: Option<String>,
    #[serde(default)]
    actor_iss: Option<String>,
    #[serde(default)]
    tenant: Option<String>,
    #[serde(default)]
    agent_id: Option<String>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    delegation_mode: Option<CallMode>,
    #[serde(default)]
    session_id: Option<String>,
    #[serde(default)]
    trace_id: Option<String>,
    #[serde(default)]
    tool: Option<String>,
    #[serde(default)]
    component: Option<String>,
    #[serde(default)]
    service: Option<String>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    path_template: Option<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    audience: Option<String>,
    #[serde(default)]
    credential_kind: Option<String>,
}

impl Seen {
    /// The record of one of these events, as far as it can be told again.
    pub(super) fn into_record(self, event: Event) -> Record {
        let downstream = self.service.map(|service| Downstream {
            service,
            method: self.method.unwrap_or_default(),
            path_template: self.path_template,
            status: None,
            scopes: self.scopes,
            audience: self.audience,
            credential_kind: self.credential_kind,
        });
        let subject = Subject {
            actor_sub: self.actor_sub,
            actor_iss: self.actor_iss,
            tenant: self.tenant,
            agent_id: self.agent_id,
            client_id: self.client_id,
            session_id: self.session_id,
            trace_id: self.trace_id,
        };
        Record {
            call: self.call,
            subject,
            delegation_mode: self.delegation_mode,
            tool: self.tool,
            component: self.component,
            downstream,
            ..Record::new(event)
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_line_is_read_as_the_record_that_it_was() {
        let record = Record {
            call: Some("c".to_owned()),
            tool: Some("t".to_owned()),
            downstream: Some(Downstream {
                service: "s".to_owned(),
                method: "GET".to_owned(),
                ..Downstream::default()
            }),
            ..Record::new(Event::DownstreamOpened)
        };
        let seen: Seen = serde_json::from_slice(&record.line(7, 0).unwrap()).unwrap();
        assert_eq!((seen.seq, seen.event.as_str()), (7, "downstream.opened"));
        assert_eq!(seen.into_record(Event::DownstreamOpened), record);
    }
}

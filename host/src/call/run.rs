//! The fifth step: an [`OpenCall`] runs, and has [`Ended`].

use std::convert::Infallible;
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::mpsc;

use super::{CallClient, Ended, Host, OpenCall, Reports, resume};
use crate::audit::{Outcome, Trail};
use crate::delegation::Authority;
use crate::reason::EndReason;
use crate::rounds::Round;
use crate::sandbox::{Ending, Job, Report, ReportSink};

impl OpenCall {
    /// Runs the guest to its end, then stops or awaits the requests to services that it left
    /// behind, until all of them are recorded.
    pub async fn run(mut self, host: &Host, client: CallClient) -> Ended {
        let authority = Arc::new(self.authority());
        let wishes = client.reports.as_ref().map(Reports::wishes);
        let sink = wishes.and_then(|wishes| ReportSink::new(host.sandbox.limits(), wishes));
        let (sink, reports) = sink.unzip();
        let guest = self.guest(host, &client, Arc::clone(&authority), sink);
        // A panic of the host ends this call, but the call is still closed in the journal.
        let guest = AssertUnwindSafe(guest).catch_unwind();
        let mut relay = Relay::new(self.trail(), &client, reports);
        // A client that reads slowly holds up its progress, and neither the end of the call nor the
        // call's place.
        let ending = tokio::select! {
            ending = guest => ending,
            never = relay.run() => match never {},
        };
        relay.finish().await;
        let reached = authority.end().await;
        let ending = ending.unwrap_or_else(|_| panicked());
        let ended = self.ask(host, &client, ending, reached);
        Ended::new(self, ended, reached)
    }

    async fn guest(
        &self,
        host: &Host,
        client: &CallClient,
        authority: Arc<Authority>,
        reports: Option<ReportSink>,
    ) -> Ending {
        let permit = self.sealed().permit();
        let round = permit.round();
        if let Some(answered) = round.and_then(|round| resume::answered(host, round)) {
            self.trail().answered(&answered).await;
        }
        // The start of a guest is an effect: everything recorded so far must be durable first.
        let Ok(settled) = self.trail().settled().await else {
            let message = "the call cannot be recorded";
            return Ending::without_answer(Outcome::Failed, EndReason::Internal, message);
        };
        if let Some(open) = round.and_then(Round::again) {
            return Ending::asking(open);
        }
        let target = permit.target();
        let backing = target.backing();
        let job = Job {
            code: &backing.code,
            component: &backing.component.name,
            settings: &backing.settings,
            export: target.export(permit.arguments()),
            envelope: self.sealed().envelope().sealed(),
            input: target.component_input(permit.arguments()),
            answers: round.map(Round::answers).unwrap_or_default(),
            state: round.and_then(Round::state).map(<[u8]>::to_vec),
            services: authority,
            client: Arc::clone(&client.view),
            reports,
        };
        host.sandbox.run(job, client.gone(), settled).await
    }

    /// Builds the call's authority at services. The caller's token goes along only if a service is
    /// granted; otherwise it is erased here.
    fn authority(&mut self) -> Authority {
        let subject = self.surrender();
        let permit = self.sealed().permit();
        let backing = permit.target().backing();
        let needed = !backing.services().is_empty();
        let broker = &permit.entry().policy().access.broker;
        let rules = needed.then(|| broker.rules(&backing.deny, permit.arguments()));
        let envelope = Arc::clone(self.sealed().envelope());
        let subject = subject.filter(|_| needed);
        let rules = rules.unwrap_or_default();
        broker.authority(envelope, subject, rules, self.trail().clone())
    }
}

/// Hands the guest's reports to the client, each once everything before it is durable. Skips
/// progress that is no further than the last, because MCP's progress must increase. The guest does
/// not wait: reports that come too fast are dropped where they are made.
struct Relay<'c> {
    trail: &'c Trail,
    way: Option<(&'c Reports, mpsc::Receiver<Report>)>,
    last: f64,
}

impl<'c> Relay<'c> {
    fn new(
        trail: &'c Trail,
        client: &'c CallClient,
        reports: Option<mpsc::Receiver<Report>>,
    ) -> Self {
        Self {
            trail,
            way: client.reports.as_ref().zip(reports),
            last: f64::NEG_INFINITY,
        }
    }

    /// Relays for as long as it is polled.
    async fn run(&mut self) -> Infallible {
        while let Some((client, reports)) = &mut self.way {
            let Some(report) = reports.recv().await else {
                break;
            };
            if !is_next(&report, &mut self.last) {
                continue;
            }
            let sent = match self.trail.settled().await {
                Ok(settled) => client.report(report, settled).await.is_ok(),
                Err(_) => false,
            };
            if !sent {
                break;
            }
        }
        pending().await
    }

    /// Relays the reports that are left, as far as the client has room for them.
    async fn finish(&mut self) {
        let Some((client, reports)) = &mut self.way else {
            return;
        };
        while let Ok(report) = reports.try_recv() {
            if !is_next(&report, &mut self.last) {
                continue;
            }
            let Ok(settled) = self.trail.settled().await else {
                return;
            };
            if client.try_report(report, settled).is_err() {
                return;
            }
        }
    }
}

/// Returns true unless a report is progress that is no further than the `last`.
fn is_next(report: &Report, last: &mut f64) -> bool {
    match report {
        Report::Message { .. } => true,
        Report::Progress { done, .. } if *done <= *last => false,
        Report::Progress { done, .. } => {
            *last = *done;
            true
        }
    }
}

fn panicked() -> Ending {
    tracing::error!(
        "the host failed during a call; this is a defect of the host, please report it"
    );
    Ending::without_answer(Outcome::Failed, EndReason::Internal, "the host failed")
}

//! The fifth step: an [`OpenCall`] runs, and has [`Ended`].

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;

use super::{Ended, Host, OpenCall};
use crate::audit::Outcome;
use crate::delegation::Authority;
use crate::reason::EndReason;
use crate::sandbox::{Ending, Job, Signals};

impl OpenCall {
    /// Runs the call to its end, with everything that it began at services.
    pub async fn run(mut self, host: &Host, signals: Signals) -> Ended {
        let authority = Arc::new(self.authority());
        let permit = self.sealed().permit();
        let target = permit.target();
        let backing = target.backing();
        let job = Job {
            code: &backing.code,
            component: &backing.component.name,
            settings: &backing.settings,
            export: target.export(),
            envelope: self.sealed().envelope().signed(),
            input: permit.arguments().to_string(),
            services: Arc::clone(&authority) as _,
            signals,
        };
        let ending = AssertUnwindSafe(host.sandbox.run(job))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| panicked());
        let reached = authority.end().await;
        Ended::new(self, ending, reached)
    }

    /// What the call may do at services. The caller's token goes along only if a service is
    /// granted; otherwise it is erased here.
    fn authority(&mut self) -> Authority {
        let subject = self.surrender();
        let permit = self.sealed().permit();
        let needed = !permit.target().backing().services.is_empty();
        let broker = &permit.entry().policy().broker;
        let envelope = Arc::clone(self.sealed().envelope());
        broker.authority(envelope, subject.filter(|_| needed), self.trail().clone())
    }
}

fn panicked() -> Ending {
    tracing::error!(
        "the host failed during a call; this is a defect of the host, please report it"
    );
    Ending::without_answer(Outcome::Failed, EndReason::Internal, "the host failed")
}

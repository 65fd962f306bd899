//! A process that somebody else started.

use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process that is not this one's child, held so that its number cannot come to mean another.
pub struct Other(OwnedFd);

impl Other {
    /// The process with this number.
    ///
    /// # Errors
    /// There is none.
    pub fn of(id: u32) -> anyhow::Result<Self> {
        let pid = i32::try_from(id)
            .ok()
            .and_then(Pid::from_raw)
            .context("not the number of a process")?;
        Ok(Self(pidfd_open(pid, PidfdFlags::empty())?))
    }

    /// Waits, and blocks meanwhile; whether it has ended `within` that time.
    ///
    /// # Errors
    /// The system refuses.
    pub fn ends(&self, within: Duration) -> anyhow::Result<bool> {
        let mut watched = [PollFd::new(&self.0, PollFlags::IN)];
        Ok(poll(&mut watched, Some(&Timespec::try_from(within)?))? > 0)
    }

    /// Kills it; that it has ended already is no error.
    pub fn kill(&self) {
        // All that can be wrong is that there is nothing left to kill.
        let _gone = pidfd_send_signal(&self.0, Signal::KILL);
    }
}

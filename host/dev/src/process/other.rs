//! A process that another program started.

use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process that is not this one's child, held so that its number cannot be reused.
pub struct Other(OwnedFd);

impl Other {
    /// Finds the process with this number.
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

    /// Blocks until the process has ended; returns whether it did `within` that time.
    ///
    /// # Errors
    /// The system refuses.
    pub fn ends(&self, within: Duration) -> anyhow::Result<bool> {
        let mut watched = [PollFd::new(&self.0, PollFlags::IN)];
        Ok(poll(&mut watched, Some(&Timespec::try_from(within)?))? > 0)
    }

    /// Kills it, unless it has already ended.
    pub fn kill(&self) {
        // The only possible error is that it has already ended.
        let _gone = pidfd_send_signal(&self.0, Signal::KILL);
    }
}

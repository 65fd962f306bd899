//! The process that keeps a spawner of compile workers: `bailiwick compile-keeper`.
//!
//! The serving process starts it first of all and then gives up the right to start anything. For
//! each byte that arrives on its standard input, a socket, the keeper kills the present spawner,
//! starts a new one and sends the ends of its pipes back. So a spawner that ends, for example when
//! memory runs out, is replaced although the serving process can start nothing.
//!
//! Trusts the serving process, whose child it is. It reads no component and no code, so little
//! could end it.
//!
//! Invariant: it holds no key and no secret, and there is one spawner at most. It ends when the
//! serving process does, and its spawner with it.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as Socket;
use std::process::Stdio;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};

use super::spawner::command;
use crate::harden;

/// Runs the keeper until the serving process ends.
///
/// # Errors
/// Fails if its socket does.
pub async fn keep_spawner() -> anyhow::Result<()> {
    harden::spawning()?;
    // Those signals are for the serving process, which then closes the socket.
    let _passed_over = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
        signal(SignalKind::hangup())?,
    );
    let mut socket = asynchronous(Socket::from(io::stdin().as_fd().try_clone_to_owned()?))?;
    let mut spawner: Option<Child> = None;
    let mut asked = [0];
    while socket.read(&mut asked).await? > 0 {
        if let Some(mut before) = spawner.take() {
            let _ = before.kill().await;
        }
        match start() {
            Ok((process, pipes)) => {
                spawner = Some(process);
                send(&socket, &[pipes.requests.as_fd(), pipes.answers.as_fd()])?;
            }
            Err(_) => send(&socket, &[])?,
        }
    }
    Ok(())
}

/// The serving process's ends of a spawner's pipes.
pub(super) struct Pipes {
    pub(super) requests: OwnedFd,
    pub(super) answers: OwnedFd,
}

/// The reasons for getting no new spawner.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoSpawner {
    /// A later attempt may succeed.
    #[error("no process can be started")]
    Failed,
    /// The keeper has ended, so nothing can start one.
    #[error("the process that starts it has ended: {0}")]
    Gone(io::Error),
}

/// The serving process's end of the keeper.
pub(super) struct Keeper {
    socket: UnixStream,
    /// Killed when dropped.
    _process: Child,
}

impl Keeper {
    /// Starts the keeper.
    pub(super) fn start() -> io::Result<Self> {
        let (own, theirs) = Socket::pair()?;
        let mut keeper = command(&["compile-keeper".to_owned()])?;
        keeper
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(Self {
            _process: keeper.spawn()?,
            socket: asynchronous(own)?,
        })
    }

    /// Asks for a spawner in place of the present one.
    pub(super) async fn spawner(&mut self) -> Result<Pipes, NoSpawner> {
        let asked = async {
            self.socket.write_all(&[0]).await?;
            loop {
                self.socket.readable().await?;
                match self
                    .socket
                    .try_io(Interest::READABLE, || receive(&self.socket))
                {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    received => return received,
                }
            }
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(Some(pipes))) => Ok(pipes),
            Ok(Ok(None)) => Err(NoSpawner::Failed),
            Ok(Err(error)) => Err(NoSpawner::Gone(error)),
            Err(_elapsed) => Err(NoSpawner::Gone(io::ErrorKind::TimedOut.into())),
        }
    }
}

fn asynchronous(socket: Socket) -> io::Result<UnixStream> {
    socket.set_nonblocking(true)?;
    UnixStream::from_std(socket)
}

fn start() -> io::Result<(Child, Pipes)> {
    let mut spawner = command(&["compile-spawner".to_owned()])?;
    let mut process = spawner
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let (Some(requests), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    let pipes = Pipes {
        requests: requests.into_owned_fd()?,
        answers: answers.into_owned_fd()?,
    };
    Ok((process, pipes))
}

/// Sends one byte, and descriptors with it.
fn send(socket: &UnixStream, descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    sendmsg(
        socket,
        &[IoSlice::new(&[0])],
        &mut ancillary,
        SendFlags::empty(),
    )?;
    Ok(())
}

/// Receives one byte, and the pipes with it if there are any.
fn receive(socket: &UnixStream) -> io::Result<Option<Pipes>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let received = recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut byte)],
        &mut ancillary,
        RecvFlags::empty(),
    )?;
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let rights = |message| match message {
        RecvAncillaryMessage::ScmRights(rights) => Some(rights),
        _ => None,
    };
    let mut descriptors = ancillary.drain().filter_map(rights).flatten();
    Ok(descriptors
        .next()
        .zip(descriptors.next())
        .map(|(requests, answers)| Pipes { requests, answers }))
}

/// The time in which a spawner must start.
const PATIENCE: Duration = Duration::from_secs(30);

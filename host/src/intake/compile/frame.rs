//! The messages between the serving process and the spawner: one byte, a length, and that many
//! bytes.
//!
//! Invariant: nothing longer than the reader's bound is read, and a frame that ends early is an
//! error.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::harden::CompileLimits;
use crate::sandbox::Tier;

/// One message.
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) bytes: Vec<u8>,
}

impl Frame {
    pub(super) fn new(kind: u8, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            kind,
            bytes: bytes.into(),
        }
    }

    /// Makes the request to compile a component: the kind is the engine, and the limits come first.
    pub(super) fn request(tier: Tier, limits: CompileLimits, component: &[u8]) -> Self {
        let limits = [limits.cpu.to_be_bytes(), limits.address_space.to_be_bytes()].concat();
        Self::new(byte_of(tier), [&limits, component].concat())
    }

    /// Returns the limits and the component of a request.
    pub(super) fn asked(&self) -> Option<(CompileLimits, &[u8])> {
        let (cpu, rest) = self.bytes.split_first_chunk()?;
        let (address_space, component) = rest.split_first_chunk()?;
        let (cpu, address_space) = (u64::from_be_bytes(*cpu), u64::from_be_bytes(*address_space));
        Some((CompileLimits { address_space, cpu }, component))
    }

    /// Returns the time by the clock that a worker may take: a backstop, since on a busy machine it
    /// waits for everything else.
    pub(super) fn patience(&self) -> Duration {
        let cpu = self.asked().map_or(0, |(limits, _)| limits.cpu);
        Duration::from_secs(cpu.saturating_mul(5).saturating_add(60))
    }

    /// Reads the next frame; `None` if the other side ended before it.
    pub(super) async fn read(
        from: &mut (impl AsyncRead + Unpin),
        most: usize,
    ) -> io::Result<Option<Self>> {
        let kind = match from.read_u8().await {
            Ok(kind) => kind,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = usize::try_from(from.read_u32().await?).unwrap_or(usize::MAX);
        if length > most {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a message is too long",
            ));
        }
        let mut bytes = Vec::with_capacity(length);
        let within = u64::try_from(length).unwrap_or(u64::MAX);
        if from.take(within).read_to_end(&mut bytes).await? < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some(Self { kind, bytes }))
    }

    pub(super) async fn write(&self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let length = u32::try_from(self.bytes.len());
        let length = length
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a message is too long"))?;
        to.write_u8(self.kind).await?;
        to.write_u32(length).await?;
        to.write_all(&self.bytes).await?;
        to.flush().await
    }
}

/// The answer is code.
pub(super) const CODE: u8 = 0;
/// The answer says why the component does not compile.
pub(super) const REFUSED: u8 = 1;
/// The answer says what was too much.
pub(super) const TOO_COSTLY: u8 = 2;
/// The answer says why nothing could be compiled.
pub(super) const FAILED: u8 = 3;

/// Returns the byte by which a request and a worker's input name the engine.
fn byte_of(tier: Tier) -> u8 {
    match tier {
        Tier::Compact => b'c',
        Tier::Script => b's',
        Tier::Resident => b'r',
    }
}

pub(super) fn tier_of(byte: u8) -> Option<Tier> {
    match byte {
        b'c' => Some(Tier::Compact),
        b's' => Some(Tier::Script),
        b'r' => Some(Tier::Resident),
        _ => None,
    }
}

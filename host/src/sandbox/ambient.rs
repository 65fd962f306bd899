//! The small imports: log, progress, clock, random, settings.

use super::bindings::bailiwick::tool::{clock, log, progress, random, settings};
use super::log::{Level, one_line};
use super::state::CallState;

impl log::Host for CallState {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Error => Level::Error,
            log::Level::Warn => Level::Warn,
            log::Level::Info => Level::Info,
            log::Level::Debug => Level::Debug,
        };
        self.log.write(level, &message);
        Ok(())
    }
}

impl progress::Host for CallState {
    fn report(
        &mut self,
        done: f64,
        total: Option<f64>,
        message: Option<String>,
    ) -> wasmtime::Result<()> {
        if let Some(sink) = &self.scope("progress")?.reports {
            sink.progress(done, total, message.as_deref().map(one_line));
        }
        Ok(())
    }
}

impl clock::Host for CallState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.clock.now_ms())
    }
}

impl random::Host for CallState {
    fn bytes(&mut self, len: u32) -> wasmtime::Result<Vec<u8>> {
        if len > MAX_RANDOM {
            return Err(wasmtime::Error::msg(format!(
                "more than {MAX_RANDOM} random bytes at once"
            )));
        }
        let mut bytes = vec![0; usize::try_from(len)?];
        self.random.fill(&mut bytes);
        Ok(bytes)
    }
}

impl settings::Host for CallState {
    fn get(&mut self) -> wasmtime::Result<String> {
        Ok(self.scope("settings")?.settings.to_string())
    }
}

const MAX_RANDOM: u32 = 4096;

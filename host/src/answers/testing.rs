//! The parts that the tests of answers share.
#![expect(clippy::unwrap_used, reason = "tests")]

mod site;

use super::Folder;
use crate::config::{self, Config};
use crate::harden::CompileLimits;
use crate::intake::{Compile, Compiler, Compiling, compile_here};
use crate::sandbox::Tier;

pub(super) use site::{CONFIG, HELLO, ORDER, Offered, Site, component, jwks, reissuing, signed};

/// Reads the configuration of a site.
pub(super) fn config(site: &Site) -> Config {
    config::load(&site.config()).unwrap()
}

/// Loads the tools folder of a site.
pub(super) async fn folder(site: &Site) -> Folder {
    Folder::load(&config(site), compiler()).await.unwrap()
}

/// Makes a compiler without a process of its own.
pub(super) fn compiler() -> Compiler {
    struct Here;
    impl Compile for Here {
        fn compile<'a>(&'a self, tier: Tier, bytes: &'a [u8], _: CompileLimits) -> Compiling<'a> {
            Box::pin(async move { compile_here(tier, bytes) })
        }
    }
    Compiler::new(Here)
}

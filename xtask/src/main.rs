//! `cargo xtask`: sets up the guest toolchain, builds, tests and shows Bailiwick.
//!
//! Only orchestrates: it starts cargo and the programs that cargo made, and passes their paths on.
//! It must not depend on the host, which takes minutes to build. Invariant: every step builds the
//! same packages with the same profile and features, so nothing is built twice. Only `demo` builds
//! faster if nothing was built before, and `release`, `dist`, `bench` and `deep` build in release.

mod advisories;
mod bench;
#[cfg(test)]
mod causes;
mod clients;
mod conformance;
mod crates;
mod deep;
mod delegation;
mod deny;
mod dist;
#[cfg(test)]
mod features;
mod guests;
mod hunt;
mod languages;
mod order;
mod packages;
mod progress;
mod release;
mod sdks;
mod step;
mod tables;
mod targets;
mod wit;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use step::{run, run_all, say, step};

const HELP: &str = "\
cargo xtask tools            set up the guest toolchain and build the example tools
cargo xtask test [ARGS]      build everything and run all tests; ARGS go to `cargo test`
cargo xtask sdks             run the tests that the SDKs for TypeScript and Python have of their own
cargo xtask demo [--once]    build everything and show it
cargo xtask release          build the program as it is released: optimized by what calls execute (half an hour)
cargo xtask dist             pack a release for machines like this one, into target/dist/TARGET
cargo xtask dist --target aarch64-unknown-linux-gnu  pack it for other machines
cargo xtask dist --programs FOLDER  pack the programs of a folder in place of a release
cargo xtask packages         pack the crates as a registry gets them, into target/packages
cargo xtask bench [ARGS]     do that and measure the program; ARGS go to `bailiwick-bench measure`
cargo xtask bench --plain [ARGS]  measure the host as `cargo build --release` makes it
cargo xtask tables           write what the last tests did with clients and providers into the documents
cargo xtask pictures         write pictures of the operator's page into docs/pictures
cargo xtask wit              write the reference of the interface, docs/wit.md, from wit/tool.wit
cargo xtask imported         build the guest of imported APIs anew, into host/src/import/imported.wasm
cargo xtask conformance      run the official conformance suite, and write what passes into its list and its page
cargo xtask deny [ARGS]      check the dependency graph by deny.toml; ARGS go to `cargo deny check`
cargo xtask advisories [DB]  replace the snapshot of the advisory database by DB, a repository, or by what it has now
cargo xtask order            check that the host's modules import only what stands before them in ARCHITECTURE.md
cargo xtask order --siblings list cycles between the files of one module
cargo xtask hunt [--users N] [--calls N]  hunt for values that another user sees, and print how many there are
cargo xtask delegation --url URL --tool NAME [ARGS]  check how a gateway delegates (docs/delegation-suite.md)
cargo xtask deep [SECTION]   run the long tests, all or one, and print their figures";

fn main() -> ExitCode {
    Project::find()
        .and_then(|project| project.take(&arguments()?))
        .unwrap_or_else(|error| {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        })
}

/// Returns the command line without the program's name.
fn arguments() -> Result<Vec<String>> {
    let argument = |argument: std::ffi::OsString| {
        let text = argument.into_string();
        text.map_err(|argument| anyhow::anyhow!("{}: expected UTF-8", argument.display()))
    };
    env::args_os().skip(1).map(argument).collect()
}

/// How the programs are built.
#[derive(Clone, Copy)]
struct Profile {
    name: &'static str,
    /// What it builds, if not the default members.
    packages: &'static [&'static str],
    /// The arguments about features.
    features: &'static [&'static str],
    /// Its folder in cargo's target folder.
    folder: &'static str,
    /// How long the first build takes.
    time: &'static str,
}

/// As the tests need them.
const DEV: Profile = Profile {
    name: "dev",
    packages: &[],
    features: &[],
    folder: "debug",
    time: "ten minutes on two processors",
};
/// As fast as possible, for whoever has built nothing yet: the programs alone.
const QUICK: Profile = Profile {
    name: "quick",
    packages: &["bailiwick", "bailiwick-dev"],
    features: &["--no-default-features"],
    folder: "quick",
    time: "five minutes on two processors",
};

/// The example tools that the demo shows.
const SHOWN: [&str; 3] = ["billing", "orders", "whoami"];

/// The folder of the workspace.
struct Project {
    root: PathBuf,
}

impl Project {
    fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies in the workspace")?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    fn take(&self, arguments: &[String]) -> Result<ExitCode> {
        match arguments.split_first() {
            Some((task, [])) if task == "tools" => self.tools(),
            Some((task, rest)) if task == "test" => self.test(rest),
            Some((task, [])) if task == "sdks" => sdks::test(&self.root),
            Some((task, rest)) if task == "demo" => self.demo(rest),
            Some((task, [])) if task == "release" => self.release(),
            Some((task, rest)) if task == "dist" => self.dist(rest),
            Some((task, [])) if task == "packages" => self.packages(),
            Some((task, rest)) if task == "bench" => bench::measure(self, rest),
            Some((task, rest)) if task == "deny" => deny::check(self, rest),
            Some((task, [])) if task == "tables" => self.tables(),
            Some((task, [])) if task == "pictures" => self.pictures(),
            Some((task, [])) if task == "wit" => self.wit(),
            Some((task, [])) if task == "imported" => self.imported(),
            Some((task, [])) if task == "conformance" => conformance::measure(self),
            Some((task, [])) if task == "advisories" => self.advisories(None),
            Some((task, [from])) if task == "advisories" => self.advisories(Some(from)),
            Some((task, rest)) if task == "order" => order::report(&self.root, rest),
            Some((task, rest)) if task == "hunt" => hunt::run(self, rest),
            Some((task, rest)) if task == "delegation" => delegation::run(self, rest),
            Some((task, [])) if task == "deep" => deep::run(self, None),
            Some((task, [section])) if task == "deep" => deep::run(self, Some(section)),
            _ => bail!("expected a command\n{HELP}"),
        }
    }

    fn tools(&self) -> Result<ExitCode> {
        self.build_all()?;
        Ok(ExitCode::SUCCESS)
    }

    fn test(&self, arguments: &[String]) -> Result<ExitCode> {
        let (mut tests, is_whole) = self.tests()?;
        // One run tells everything that fails.
        tests.arg("--no-fail-fast").args(arguments);
        step("running all tests", || run(&mut tests))?;
        if arguments.is_empty() {
            let missing = tables::check(&self.root, is_whole)?;
            if missing > 0 {
                say(&format!(
                    "  left out: {missing} of the clients and providers"
                ));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn tables(&self) -> Result<ExitCode> {
        tables::write(&self.root)?;
        Ok(ExitCode::SUCCESS)
    }

    fn wit(&self) -> Result<ExitCode> {
        wit::write(&self.root)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Writes the module that the host has in it. The host must be built again afterwards.
    fn imported(&self) -> Result<ExitCode> {
        guests::set_up()?;
        self.build_host(DEV)?;
        let mut build = Command::new(self.binary("bailiwick"));
        build.arg("build").arg(self.root.join("host/imported"));
        build
            .arg("--module")
            .arg(self.root.join("host/src/import/imported.wasm"));
        build
            .arg("--target-dir")
            .arg(self.root.join("example-tools/target"));
        step("building the guest of imported APIs", || run(&mut build))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Takes the pictures while the story of the page looks at it.
    fn pictures(&self) -> Result<ExitCode> {
        let (mut tests, _) = self.tests()?;
        let folder = self.root.join("docs/pictures");
        std::fs::create_dir_all(&folder)?;
        tests.env("BAILIWICK_PICTURES", folder);
        tests.args(["--test", "stories", "--", "pages::browser::", "--nocapture"]);
        step("taking pictures", || run(&mut tests))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Builds and fetches everything that the tests need; returns `cargo test` with the variables
    /// for them, and true if no client was left out.
    fn tests(&self) -> Result<(Command, bool)> {
        self.build_all()?;
        step("fetching what tests ask cargo about", || {
            run(&mut self.fetch())
        })?;
        let mut cargo = self.cargo_test();
        let clients = clients::set_up(&self.root);
        let is_whole = clients::is_whole(&clients);
        cargo.envs(clients);
        cargo.envs([languages::set_up(&self.root)]);
        cargo.env(tables::VARIABLE, tables::begin(&self.root)?);
        Ok((cargo, is_whole))
    }

    /// Returns `cargo test` with the variables for what [`Project::build_all`] builds.
    fn cargo_test(&self) -> Command {
        let mut cargo = self.cargo();
        cargo.arg("test");
        cargo.env("BAILIWICK_BIN", self.binary("bailiwick"));
        cargo.env("BAILIWICK_DEMO_BIN", self.binary("bailiwick-demo"));
        cargo.env("BAILIWICK_DEV_BIN", self.binary("bailiwick-dev"));
        cargo.env("BAILIWICK_TOOLS", self.tools_folder());
        cargo
    }

    /// Returns the command that fetches the crates that a build does not download: those of the
    /// platforms and members that it leaves out.
    fn fetch(&self) -> Command {
        let mut cargo = self.cargo();
        cargo.args(["fetch", "--locked"]);
        for target in targets::TARGETS {
            cargo.args(["--target", target]);
        }
        cargo
    }

    fn release(&self) -> Result<ExitCode> {
        let program = release::build(self)?;
        say(&format!("built: {}", program.display()));
        Ok(ExitCode::SUCCESS)
    }

    fn dist(&self, arguments: &[String]) -> Result<ExitCode> {
        dist::run_with(self, arguments)?;
        Ok(ExitCode::SUCCESS)
    }

    fn packages(&self) -> Result<ExitCode> {
        crates::pack(self, false)?;
        Ok(ExitCode::SUCCESS)
    }

    fn advisories(&self, from: Option<&str>) -> Result<ExitCode> {
        advisories::refresh(&self.root, from)?;
        Ok(ExitCode::SUCCESS)
    }

    fn demo(&self, arguments: &[String]) -> Result<ExitCode> {
        guests::set_up()?;
        let built = self.binary("bailiwick-demo").is_file();
        let profile = if built { DEV } else { QUICK };
        self.build_host(profile)?;
        let mut tools = guests::examples(&self.root)?;
        tools.retain(|tool| SHOWN.iter().any(|shown| tool.ends_with(shown)));
        self.build_tools(profile, &tools)?;
        let mut demo = Command::new(self.program(profile, "bailiwick-demo"));
        demo.current_dir(&self.root)
            .arg("--bailiwick")
            .arg(self.program(profile, "bailiwick"));
        demo.arg("--tools").arg(self.tools_folder());
        demo.arg("--code").arg(self.code_folder());
        demo.arg("--out")
            .arg(self.root.join("target/demo"))
            .args(arguments);
        step::replace(&mut demo)
    }

    /// Builds the host, the demonstration and the example tools.
    fn build_all(&self) -> Result<()> {
        guests::set_up()?;
        self.build_host(DEV)?;
        self.build_tools(DEV, &guests::examples(&self.root)?)
    }

    /// Builds the programs.
    fn build_host(&self, profile: Profile) -> Result<()> {
        let mut cargo = self.cargo();
        cargo.args(["build", "--profile", profile.name]);
        cargo.args(profile.features);
        for package in profile.packages {
            cargo.args(["--package", package]);
        }
        if self.program(profile, "bailiwick").is_file() {
            return step("building the host", || run(&mut cargo));
        }
        let label = format!("building the host (the first time takes {})", profile.time);
        step(&label, || {
            progress::build(cargo, &self.root, profile.packages)
        })
    }

    /// Builds the example tools with a profile's program. If they were built before, there is
    /// little to compile and no progress to show, so they are built side by side.
    fn build_tools(&self, profile: Profile, tools: &[PathBuf]) -> Result<()> {
        let name = |tool: &Path| tool.file_name().unwrap_or_default().to_owned();
        let component = |tool: &Path| self.tools_folder().join(name(tool)).with_extension("wasm");
        if tools.iter().all(|tool| component(tool).is_file()) {
            let builds = tools.iter().map(|tool| self.build_tool(profile, tool));
            return step("building the tools", || run_all(builds));
        }
        for tool in tools {
            step(
                &format!("building the tool {}", name(tool).display()),
                || run(&mut self.build_tool(profile, tool)),
            )?;
        }
        Ok(())
    }

    fn build_tool(&self, profile: Profile, tool: &Path) -> Command {
        let mut bailiwick = Command::new(self.program(profile, "bailiwick"));
        bailiwick
            .arg("build")
            .arg(tool)
            .arg("--out")
            .arg(self.tools_folder());
        bailiwick
            .arg("--target-dir")
            .arg(self.root.join("example-tools/target"));
        // What looks at a tool compiles it, and so would the demo.
        bailiwick.arg("--development").arg(self.code_folder());
        bailiwick
    }

    /// Returns cargo on the default members. Neither a package nor a feature is ever selected, so
    /// that features unify one way.
    fn cargo(&self) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root);
        cargo
    }

    fn binary(&self, name: &str) -> PathBuf {
        self.program(DEV, name)
    }

    fn program(&self, profile: Profile, name: &str) -> PathBuf {
        self.target()
            .join(profile.folder)
            .join(name)
            .with_extension(env::consts::EXE_EXTENSION)
    }

    fn tools_folder(&self) -> PathBuf {
        self.root.join("target/tools")
    }

    fn code_folder(&self) -> PathBuf {
        self.root.join("target/code")
    }

    /// Returns the folder in which cargo puts its output.
    fn target(&self) -> PathBuf {
        let named = env::var_os("CARGO_TARGET_DIR").map(|target| self.root.join(target));
        named.unwrap_or_else(|| self.root.join("target"))
    }
}

//! The author's command line.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use url::{Host, Url};

use super::ports;
use crate::process::UNTIL_STDIN_CLOSES;

/// The help text.
pub const USAGE: &str = "\
usage: bailiwick dev FOLDER [--target-dir DIR] [--services FILE] [--users FILE] [--port N]
                     [--service NAME=URL] [--record FILE] [--issuer-port N] [--page-port N]
                     [--tokens] [--bailiwick PATH] [--until-stdin-closes]

Serves the tools of a folder on loopback, with an issuer where clients log in as alice or bob. For
development only.

A folder with a Cargo.toml, package.json or pyproject.toml is a project: it is built at the start
and after each change of its sources, as by `bailiwick build`. Links, hidden files, node_modules,
__pycache__, lock files and the project's own target, tools and dist are no sources. Any other
folder has components (.wasm): build into it (bailiwick build PATH --out FOLDER). The host loads
what has changed. If a build fails or the host refuses a component, the reason is printed, and the
last good version goes on serving.

  --target-dir DIR    the folder for cargo's build products, for a crate
  --services FILE     the services: fake ones, which answer from the file, and real ones, with a
                      url and the other keys of [services.*] as for `bailiwick serve`. (default:
                      services.toml in the project, or in the folder of components or beside it;
                      without one, the samples orders_api, billing_api and reports_api)
                      For real ones {issuer} is the issuer's URL and {secrets}/exchange the secret
                      of the client \"bailiwick\", the issuer's alias is \"demo\", and file names
                      are relative to FILE. [components.*] says what a component gets, if not all
                      fake services. Digests are not checked.
  --service NAME=URL  let the service NAME be the one at URL, http on loopback; with the token
                      that it would get as a fake one. May be given several times
  --record FILE       write what tools ask fake services and those of --service, and the answers,
                      into a new file of services, without any credential
  --users FILE        more users to log in as: tables [users.SUB] with the optional keys name,
                      tenant, and scopes (the most that a login as this user gives)
  --port N            the host's port (default: 6280; 0: any)
  --issuer-port N     the issuer's port (default: the one after the host's, or any)
  --page-port N       the port of the operator's page, which needs no token here (default: the one
                      two after the host's, or any)
  --tokens            also print a token for each user and a service account, and a call of each
                      tool
  --bailiwick PATH    the host (default: `bailiwick` beside this program)
  --until-stdin-closes
                      also stop when standard input closes, for a program that starts this one";

/// The options of the workbench.
#[derive(Clone, Debug)]
pub struct Options {
    /// A project, or a folder with components.
    pub folder: PathBuf,
    /// Cargo's target folder, for a project.
    pub target_dir: Option<PathBuf>,
    /// The author's own services and grants.
    pub services: Option<PathBuf>,
    /// Services that run on this machine: the name and the URL of each.
    pub upstreams: Vec<(String, Url)>,
    /// The new file for what tools asked and got.
    pub record: Option<PathBuf>,
    /// The author's own users.
    pub users: Option<PathBuf>,
    /// Prints tokens and a call of each tool.
    pub tokens: bool,
    /// The host's port; 0 for any.
    pub port: u16,
    /// The issuer's port; 0 for any.
    pub issuer_port: u16,
    /// The port of the operator's page; 0 for any.
    pub page_port: u16,
    /// The binary `bailiwick`.
    pub bailiwick: PathBuf,
    /// Ends also when standard input closes.
    pub until_stdin_closes: bool,
}

impl Options {
    /// Reads the command line, without the program's name.
    ///
    /// # Errors
    /// It is malformed, or the host's program is missing.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Self> {
        let (mut folder, mut target_dir, mut bailiwick) = (None, None, None);
        let (mut services, mut users, mut record) = (None, None, None);
        let mut upstreams = Vec::new();
        let (mut port, mut issuer_port, mut page_port) = (ports::HOST, None, None);
        let (mut tokens, mut until_stdin_closes) = (false, false);
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .with_context(|| format!("{} needs a value\n\n{USAGE}", argument.display()))
            };
            // Only the name of a file may be other than UTF-8.
            match argument.to_str().unwrap_or_default() {
                "--target-dir" => target_dir = Some(PathBuf::from(value()?)),
                "--services" => services = Some(PathBuf::from(value()?)),
                "--service" => upstreams.push(upstream(&text(value()?)?)?),
                "--record" => record = Some(PathBuf::from(value()?)),
                "--users" => users = Some(PathBuf::from(value()?)),
                "--bailiwick" => bailiwick = Some(PathBuf::from(value()?)),
                "--port" => port = number(&text(value()?)?)?,
                "--issuer-port" => issuer_port = Some(number(&text(value()?)?)?),
                "--tokens" => tokens = true,
                "--page-port" => page_port = Some(number(&text(value()?)?)?),
                UNTIL_STDIN_CLOSES => until_stdin_closes = true,
                _ if argument.as_encoded_bytes().starts_with(b"-") => {
                    bail!("unknown argument {}\n\n{USAGE}", argument.display())
                }
                _ if folder.is_some() => bail!("one folder at a time\n\n{USAGE}"),
                _ => folder = Some(PathBuf::from(argument)),
            }
        }
        let folder = folder.with_context(|| format!("which folder?\n\n{USAGE}"))?;
        let bailiwick = bailiwick.map_or_else(beside, Ok)?;
        Ok(Self {
            folder,
            target_dir,
            services,
            upstreams,
            record,
            users,
            tokens,
            port,
            issuer_port: issuer_port.map_or_else(|| ports::of_issuer(port), Ok)?,
            page_port: page_port.map_or_else(|| ports::of_page(port), Ok)?,
            bailiwick,
            until_stdin_closes,
        })
    }
}

/// Returns a value that is a text.
fn text(value: OsString) -> anyhow::Result<String> {
    value
        .into_string()
        .map_err(|value| anyhow::anyhow!("{}: expected UTF-8", value.display()))
}

/// Reads `NAME=URL`, of a service on loopback.
fn upstream(text: &str) -> anyhow::Result<(String, Url)> {
    let (name, url) = text
        .split_once('=')
        .with_context(|| format!("--service {text}: expected NAME=URL"))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    ensure!(
        !name.is_empty() && name.bytes().all(plain),
        "--service {text}: {name:?} cannot be a service's name; expected [A-Za-z0-9_-]"
    );
    let url: Url = url.parse().with_context(|| format!("--service {text}"))?;
    ensure!(
        is_here(&url) && url.query().is_none() && url.username().is_empty(),
        "--service {text}: expected a service on this machine, such as \
         {name}=http://127.0.0.1:3000; others belong into services.toml, with url"
    );
    Ok((name.to_owned(), url))
}

/// Returns true for a URL of this machine, by http on loopback.
pub(super) fn is_here(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    loopback && url.scheme() == "http"
}

fn number(text: &str) -> anyhow::Result<u16> {
    text.parse()
        .with_context(|| format!("{text} is not a port"))
}

/// Finds the host's program beside this one.
pub(super) fn beside() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("bailiwick");
    ensure!(
        path.is_file(),
        "{} does not exist; name the host with --bailiwick PATH",
        path.display()
    );
    Ok(path)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn parse(line: &str) -> anyhow::Result<Options> {
        Options::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn a_command_line_is_read_or_answered_with_the_usage() {
        let options =
            parse("--port 8080 tools --until-stdin-closes --services s.toml --bailiwick /b")
                .unwrap();
        assert!(
            options.until_stdin_closes
                && !parse("tools --bailiwick /b").unwrap().until_stdin_closes
        );
        assert_eq!(
            (options.port, options.folder),
            (8080, PathBuf::from("tools"))
        );
        assert_eq!(options.services, Some(PathBuf::from("s.toml")));
        assert_eq!((options.issuer_port, options.tokens), (8081, false));
        let options =
            parse("tools --bailiwick /b --users u.toml --tokens --issuer-port 0").unwrap();
        assert_eq!(options.target_dir, None);
        let recorded =
            parse("tools --bailiwick /b --record r --service crm=http://127.0.0.1:3000/v1")
                .unwrap();
        assert_eq!(recorded.record, Some(PathBuf::from("r")));
        let names: Vec<&str> = recorded.upstreams.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["crm"]);
        let chosen = parse("tools --bailiwick /b --target-dir t").unwrap();
        assert_eq!(chosen.target_dir, Some(PathBuf::from("t")));
        assert_eq!((options.port, options.issuer_port), (ports::HOST, 0));
        assert!(options.tokens && options.users == Some(PathBuf::from("u.toml")));
        let not_text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        let folder = [not_text(b"t\xff"), "--bailiwick".into(), not_text(b"/\xff")];
        let options = Options::parse(folder.clone()).unwrap();
        assert_eq!(options.folder, PathBuf::from(not_text(b"t\xff")));
        for wrong in [not_text(b"-\xff"), not_text(b"u\xff")] {
            assert!(Options::parse(folder.iter().cloned().chain([wrong])).is_err());
        }
        let port = ["--port".into(), not_text(b"\xff")];
        assert!(Options::parse(folder.into_iter().chain(port)).is_err());
        for wrong in [
            "",
            "--bailiwick /b",
            "a b",
            "a --port",
            "a --port x",
            "a --target-dir",
            "a --prot 1",
            "a --bailiwick /b --service crm",
            "a --bailiwick /b --service =http://127.0.0.1:1",
            "a --bailiwick /b --service crm=http://crm.example",
            "a --bailiwick /b --service crm=https://127.0.0.1:1",
            "a --bailiwick /b --record",
            "a --bailiwick /b --port 65535",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}

//! The denial that the options ask for.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use bailiwick::audit::{parse_time, rfc3339};
use bailiwick::config::DenySettings;
use bailiwick::denials::{Denial, DenialOf};
use bailiwick::dispatch::is_tool_name;
use bailiwick::seams::hex;
use sha2::{Digest as _, Sha256};

use super::Args;

impl Args {
    /// Returns what is to be denied.
    pub(super) fn named(&self) -> Option<(DenialOf, &str)> {
        let options = [
            (DenialOf::Subject, &self.subject),
            (DenialOf::Agent, &self.agent),
            (DenialOf::Client, &self.client),
            (DenialOf::Tenant, &self.tenant),
            (DenialOf::Tool, &self.tool),
            (DenialOf::Component, &self.component),
        ];
        options
            .into_iter()
            .find_map(|(of, name)| Some((of, name.as_deref()?)))
    }

    /// Fails if there are options of a denial, and none is made.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let options = [
            ("--issuer", &self.issuer),
            ("--reason", &self.reason),
            ("--for", &self.lasts),
            ("--until", &self.until),
        ];
        let given = options.into_iter().find(|(_, value)| value.is_some());
        let Some((option, _)) = given.filter(|_| self.named().is_none()) else {
            return Ok(());
        };
        let other = if self.adopt { "--adopt" } else { "--lift" };
        ensure!(
            self.adopt || !self.lift.is_empty(),
            "{option} belongs to a denial: say also what to deny, with --subject, --agent, \
             --client, --tenant, --tool or --component"
        );
        bail!("{option} belongs to a new denial: leave it out with {other}")
    }

    pub(super) fn denial(
        &self,
        settings: &DenySettings,
        of: DenialOf,
        name: &str,
        now_ms: u64,
    ) -> anyhow::Result<Denial> {
        let reason = self.reason.clone();
        let reason = reason.context("--reason is missing: say why, for the journal")?;
        let name = match of {
            DenialOf::Component => digest(name)?,
            DenialOf::Tool => {
                ensure!(
                    is_tool_name(name),
                    "--tool: expected one tool's name, 1 to 64 characters of [A-Za-z0-9_.-], \
                     found {name:?}"
                );
                name.to_owned()
            }
            _ => name.to_owned(),
        };
        let denial = Denial {
            // The change gives it its own.
            id: "d0".into(),
            of,
            issuer: issuer(settings, of, self.issuer.as_deref())?,
            name,
            reason,
            added: now_ms,
            until: self.end(now_ms)?,
        };
        denial.check()?;
        Ok(denial)
    }

    fn end(&self, now_ms: u64) -> anyhow::Result<Option<u64>> {
        let end = match (&self.lasts, &self.until) {
            (None, None) => return Ok(None),
            (Some(lasts), _) => length(lasts)
                .and_then(|length| now_ms.checked_add(length))
                .filter(|end| *end <= LATEST)
                .with_context(|| format!("--for: expected 30m, 8h or 7d, found {lasts:?}"))?,
            (None, Some(until)) => parse_time(until)
                .filter(|end| *end <= LATEST)
                .with_context(|| format!("--until: expected 2026-12-24T08:00, found {until:?}"))?,
        };
        ensure!(
            end > now_ms,
            "--for and --until: expected a time that is to come, it is {} now",
            rfc3339(now_ms)
        );
        Ok(Some(end))
    }
}

/// Returns the issuer by its alias or, of a subject, the only one.
fn issuer(
    settings: &DenySettings,
    of: DenialOf,
    given: Option<&str>,
) -> anyhow::Result<Option<String>> {
    let issuers = &settings.issuers;
    let aliases: Vec<_> = issuers.iter().map(|(alias, _)| alias.as_str()).collect();
    let aliases = aliases.join(" or ");
    let known = |(alias, name): &&(String, String)| {
        Some(alias.as_str()) == given || Some(name.as_str()) == given
    };
    match (given, issuers.as_slice()) {
        (Some(given), _) => match issuers.iter().find(known) {
            Some((_, issuer)) => Ok(Some(issuer.clone())),
            None => bail!("--issuer: expected {aliases}, found {given:?}"),
        },
        (None, [(_, only)]) if of == DenialOf::Subject => Ok(Some(only.clone())),
        (None, _) if of == DenialOf::Subject => {
            bail!("--issuer is missing: a subject is one of {aliases}")
        }
        (None, _) => Ok(None),
    }
}

/// Returns the digest of code: as it is given, or of the file that is named.
fn digest(given: &str) -> anyhow::Result<String> {
    if given.starts_with("sha256:") {
        return Ok(given.to_owned());
    }
    let bytes = std::fs::read(Path::new(given))
        .with_context(|| format!("--component: {given} is neither \"sha256:...\" nor a file"))?;
    ensure!(
        bytes.starts_with(b"\0asm"),
        "--component: {given} is no WebAssembly component"
    );
    Ok(format!("sha256:{}", hex(&Sha256::digest(bytes))))
}

fn length(text: &str) -> Option<u64> {
    let units = [
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
    ];
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))?;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// The beginning of the year 10000, which RFC 3339 cannot write.
const LATEST: u64 = 253_402_300_800_000 - 1;

//! `[tenants."ALIAS:NAME"]`: tenants with a share or a rate of their own, and their names
//! elsewhere.

use std::collections::BTreeSet;

use super::Issuer;
use super::reader::Section;
use crate::call::{Rate, TenantShare};
use crate::limits::{Limit, Limits};
use crate::principal::Tenant;

pub(super) fn tenants(root: &Section<'_>, issuers: &[Issuer]) -> Vec<TenantShare> {
    let named = root.named("tenants");
    named
        .into_iter()
        .filter_map(|(name, section)| share(&name, &section, issuers))
        .collect()
}

fn share(name: &str, section: &Section<'_>, issuers: &[Issuer]) -> Option<TenantShare> {
    let number = |key: &str, bound: &str| {
        let bound = Limits::ALL.iter().find(|limit| limit.key == bound);
        let range = bound.map_or(1..=u64::MAX, |limit: &Limit| limit.min..=limit.max);
        let number = section.number(key, range)?;
        usize::try_from(number).ok()
    };
    let concurrent_calls = number("concurrent_calls", "concurrent_calls_per_tenant");
    let per_minute = number("calls_per_minute", "calls_per_minute_per_tenant");
    let burst = number("calls_burst", "calls_burst_per_tenant");
    if burst.is_some() && per_minute.is_none() {
        section.wrong("calls_burst", "it needs calls_per_minute beside it");
    }
    let tenant = tenant(name, issuers);
    if let Err(why) = &tenant {
        section.problem(section.start, format!("{}: {why}", section.path));
    }
    Some(TenantShare {
        tenant: tenant.ok()?,
        concurrent_calls,
        // As a rule, a tenth of what a minute allows may come at once.
        rate: per_minute.map(|many| Rate::new(many, burst.unwrap_or((many / 10).max(1)))),
    })
}

/// Reads a list of tenants, if there is one.
pub(super) fn listed(
    section: &Section<'_>,
    key: &str,
    issuers: &[Issuer],
) -> Option<BTreeSet<Tenant>> {
    let names = section.texts(key)?;
    if names.is_empty() {
        section.wrong(
            key,
            "it is empty; leave it out to offer to all, or set enabled = false",
        );
    }
    let one = |(name, at): (String, usize)| match tenant(&name, issuers) {
        Ok(tenant) => Some(tenant),
        Err(why) => {
            section.problem(at, format!("{}: {why}", section.name(key)));
            None
        }
    };
    Some(names.into_iter().filter_map(one).collect())
}

/// Reads `ALIAS:NAME`. A tenant is only unique at its issuer.
fn tenant(text: &str, issuers: &[Issuer]) -> Result<Tenant, String> {
    let (alias, name) = text.split_once(':').unwrap_or((text, ""));
    let issuer = issuers.iter().find(|one| one.settings.alias == alias);
    match issuer {
        Some(issuer) if issuer.settings.tenant.is_none() => Err(format!(
            "tokens of {alias} have no tenant; give that issuer a tenant (tenant = {{ claim = ... }})"
        )),
        Some(issuer) if !name.is_empty() => Ok(Tenant::new(&issuer.settings.issuer, name)),
        _ => {
            let aliases: Vec<_> = issuers
                .iter()
                .map(|one| format!("\"{}:NAME\"", one.settings.alias))
                .collect();
            let expected = aliases.join(" or ");
            Err(format!(
                "{text:?}: expected an issuer's alias and a tenant: {expected}"
            ))
        }
    }
}

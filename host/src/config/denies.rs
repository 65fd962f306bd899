//! `deny` of a grant: requests that are denied by their content.

use std::collections::BTreeMap;

use bailiwick_envelope::DelegationMode;

use super::reader::Section;
use super::services::ServiceSections;
use crate::conditions::{DenyRule, RequestPattern};
use crate::dispatch::expected;

/// Reads the rules of a grant to these services.
pub(super) fn denied(
    section: &Section<'_>,
    granted: &BTreeMap<String, DelegationMode>,
    services: &ServiceSections,
) -> Vec<DenyRule> {
    let rules = section.sections("deny");
    let numbered = rules.iter().enumerate();
    numbered
        .filter_map(|(index, rule)| {
            let name = format!("{}[{}]", section.name("deny"), index + 1);
            one(rule, &name, granted, services)
        })
        .collect()
}

fn one(
    section: &Section<'_>,
    name: &str,
    granted: &BTreeMap<String, DelegationMode>,
    services: &ServiceSections,
) -> Option<DenyRule> {
    let (service, request) = (section.text("service"), section.required("request"));
    let when = section.required("when");
    if let Some(service) = &service
        && !granted.contains_key(service)
    {
        let known = granted.keys().map(String::as_str);
        section.wrong(
            "service",
            &format!("it is not granted here; {}", expected(service, known)),
        );
        return None;
    }
    let pattern = request?.parse::<RequestPattern>();
    let pattern = pattern.map_err(|why| section.wrong("request", &why.to_string()));
    let rule = DenyRule::new(name, service, pattern.ok()?, &when?);
    let rule = rule
        .map_err(|why| section.wrong("when", &why.to_string()))
        .ok()?;
    // A rule with a slip of the pen would let through what it was written to stop.
    let concerns = |name: &String| {
        let service = services.sound.iter().find(|service| service.name == *name);
        let unsound = services.unsound.contains(name);
        unsound
            || service.is_some_and(|service| {
                let mut allow = service.allow.iter();
                allow.any(|template| rule.may_concern(name, &template.to_string()))
            })
    };
    if !granted.keys().any(concerns) {
        section.wrong(
            "request",
            "no service that is granted here allows such a request, so the rule would deny nothing",
        );
    }
    Some(rule)
}

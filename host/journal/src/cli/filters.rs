//! The explanation of an empty result: the filters that leave nothing of the requested calls.

use std::path::Path;

use super::page::listed;
use crate::{Entries, Query};

/// One filter, applied alone to the requested calls.
struct Filter {
    option: &'static str,
    alone: Query,
    /// True if any record of the calls passes it.
    passes: bool,
}

/// Explains why nothing is shown of the calls whose ids begin with `id`.
pub(super) fn why_nothing(id: &str, folder: &Path, query: &Query) -> anyhow::Result<String> {
    let call = of_call(query);
    let mut given = given(query);
    let mut any = false;
    let entries = Entries::open(folder)?.map_while(Result::ok);
    for entry in entries.filter(|entry| call.covers(entry)) {
        any = true;
        for filter in &mut given {
            filter.passes |= filter.alone.covers(&entry);
        }
    }
    if !any {
        return Ok(format!(
            "no call's id begins with {id:?}; `bailiwick audit show` without --call lists them"
        ));
    }
    let (names, how) = blamed(&given);
    Ok(format!(
        "{names} {how} of what begins with {id:?}; leave that out to see it"
    ))
}

/// Returns the filters that no record passes, or all of them if each alone leaves something.
fn blamed(given: &[Filter]) -> (String, &'static str) {
    let failing = given.iter().filter(|filter| !filter.passes);
    let failing: Vec<_> = failing.map(|filter| filter.option).collect();
    let all: Vec<_> = given.iter().map(|filter| filter.option).collect();
    match failing.as_slice() {
        [] => (listed(&all, "and"), "together leave nothing"),
        [one] => ((*one).to_owned(), "leaves nothing"),
        several => (listed(several, "and"), "each leave nothing"),
    }
}

fn of_call(query: &Query) -> Query {
    Query {
        call: query.call.clone(),
        ..Query::default()
    }
}

/// Splits `query` into its filters, and leaves out those that it does not use.
fn given(query: &Query) -> Vec<Filter> {
    type Keep = fn(&mut Query, Query);
    let options: [(&'static str, Keep); 6] = [
        ("--actor", |alone, all| alone.actor = all.actor),
        ("--agent", |alone, all| alone.agent = all.agent),
        ("--tool", |alone, all| alone.tool = all.tool),
        ("--event", |alone, all| alone.events = all.events),
        ("--outcome", |alone, all| alone.outcomes = all.outcomes),
        ("--since", |alone, all| alone.since_ms = all.since_ms),
    ];
    let filter = |(option, keep): (&'static str, Keep)| {
        let mut alone = of_call(query);
        keep(&mut alone, query.clone());
        Filter {
            option,
            alone,
            passes: false,
        }
    };
    let nothing = of_call(query);
    let filters = options.into_iter().map(filter);
    filters.filter(|filter| filter.alone != nothing).collect()
}

//! The choice among calls: what a click adds to the address, and what it takes away.

use url::form_urlencoded::{Serializer, parse};

use super::calls::CallRow;

/// A part of a call that a click can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Facet {
    Who,
    Issuer,
    Agent,
    Tool,
    Service,
    Mode,
    Outcome,
}

/// A choice among calls, and the page of the result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    chosen: Vec<(Facet, String)>,
    /// Only calls that began before this record.
    pub(super) before: Option<u64>,
}

impl Facet {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Who, "who"),
        (Self::Issuer, "issuer"),
        (Self::Agent, "agent"),
        (Self::Tool, "tool"),
        (Self::Service, "service"),
        (Self::Mode, "mode"),
        (Self::Outcome, "outcome"),
    ];

    /// Returns its name in the address.
    pub(super) fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(facet, _)| *facet == self);
        known.map_or("", |(_, name)| name)
    }

    fn is_in(self, row: &CallRow, value: &str) -> bool {
        match self {
            Self::Who => row.actor == value,
            Self::Issuer => row.issuer == value,
            Self::Agent => row.agent == value,
            Self::Tool => row.target == value,
            Self::Service => row.services.iter().any(|service| service == value),
            Self::Mode => row.mode == value,
            Self::Outcome => row.state() == value,
        }
    }
}

impl Filter {
    /// Reads the query of an address. What is not known is left out.
    pub(super) fn of(query: &str) -> Self {
        let (mut filter, mut before) = (Self::default(), None);
        for (name, value) in parse(query.as_bytes()) {
            if name == "before" {
                before = value.parse().ok();
            }
            let facet = Facet::ALL.iter().find(|(_, known)| *known == name);
            if let Some((facet, _)) = facet {
                filter = filter.with(*facet, &value);
            }
        }
        Self { before, ..filter }
    }

    /// Returns the same choice with one part more.
    pub(super) fn with(&self, facet: Facet, value: &str) -> Self {
        let mut filter = self.without(facet);
        filter.chosen.push((facet, value.to_owned()));
        filter.chosen.sort();
        filter
    }

    /// Returns the same choice without one part.
    pub(super) fn without(&self, facet: Facet) -> Self {
        let others = self.chosen.iter().filter(|(other, _)| *other != facet);
        Self {
            chosen: others.cloned().collect(),
            before: None,
        }
    }

    /// Returns the same choice of the newest calls.
    pub(super) fn newest(&self) -> Self {
        Self {
            before: None,
            ..self.clone()
        }
    }

    /// Returns the same choice of calls that began before a record.
    pub(super) fn older_than(&self, before: u64) -> Self {
        Self {
            before: Some(before),
            ..self.clone()
        }
    }

    /// Returns its parts.
    pub(super) fn chosen(&self) -> &[(Facet, String)] {
        &self.chosen
    }

    /// Returns true if it covers this call.
    pub(super) fn covers(&self, row: &CallRow) -> bool {
        let mut chosen = self.chosen.iter();
        chosen.all(|(facet, value)| facet.is_in(row, value))
    }

    /// Returns its address.
    pub(super) fn address(&self) -> String {
        let mut query = Serializer::new(String::new());
        for (facet, value) in &self.chosen {
            query.append_pair(facet.name(), value);
        }
        if let Some(before) = self.before {
            query.append_pair("before", &before.to_string());
        }
        match query.finish() {
            query if query.is_empty() => "/".to_owned(),
            query => format!("/?{query}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_was_written() {
        let all = Filter::default();
        let alice = all.with(Facet::Who, "alice & <b>\u{202e}");
        let both = alice.with(Facet::Outcome, "done").older_than(7);
        for filter in [&all, &alice, &both] {
            let address = filter.address();
            let query = address.trim_start_matches(['/', '?']);
            assert_eq!(Filter::of(query), *filter, "{address}");
            assert!(address.is_ascii(), "{address}");
        }
        assert_eq!(both.without(Facet::Outcome), alice);
        assert_eq!(alice.with(Facet::Who, "bob"), all.with(Facet::Who, "bob"));
        assert_eq!(Filter::of("x=1&before=x"), all);
    }

    #[test]
    fn a_filter_covers_what_fits_all_its_parts() {
        let row = CallRow {
            actor: "alice".into(),
            target: "t".into(),
            services: vec!["a".into(), "b".into()],
            ..CallRow::default()
        };
        for (query, covers) in [
            ("", true),
            ("who=alice&tool=t&service=b&outcome=running", true),
            ("who=alice&tool=u", false),
            ("service=c", false),
            ("outcome=done", false),
            ("issuer=i", false),
        ] {
            assert_eq!(Filter::of(query).covers(&row), covers, "{query}");
        }
    }
}

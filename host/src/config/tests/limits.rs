//! Every limit is read, and has its row in the documents.

use super::*;

#[test]
fn the_documents_have_a_row_for_every_limit_with_its_default_and_its_maximum() {
    let page = include_str!("../../../../docs/configuration.md");
    let shown = |limit: &Limit, value: u64| match limit.unit {
        Unit::Count => value.to_string(),
        Unit::Time if value.is_multiple_of(1000) => format!("\"{}s\"", value / 1000),
        Unit::Time => format!("\"{value}ms\""),
        Unit::Bytes => {
            let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
            let fits = |(_, bits): &&(&str, u32)| {
                value.is_multiple_of(1 << bits) && value >> bits < 1 << 20
            };
            let (unit, bits) = units.iter().find(fits).copied().unwrap_or(("B", 0));
            format!("\"{}{unit}\"", value >> bits)
        }
    };
    for limit in Limits::ALL {
        let row = format!(
            "| `{}` | `{}` | `{}` | ",
            limit.key,
            shown(limit, limit.default),
            shown(limit, limit.max)
        );
        assert!(page.contains(&row), "docs/configuration.md lacks: {row}");
    }
}

#[test]
fn every_limit_is_read_and_held_to_its_range() {
    let folder = Folder::new();
    for limit in Limits::ALL {
        let written = |value: u64| match limit.unit {
            Unit::Count => value.to_string(),
            Unit::Bytes => format!("\"{value}B\""),
            Unit::Time => format!("\"{value}ms\""),
        };
        let refused = |value| {
            let set = format!("[limits]\n{} = {}\n", limit.key, written(value));
            let text = GOOD.replace("[limits]\nmemory = \"32MiB\"\ntime = \"5s\"\n", &set);
            folder
                .load(&text)
                .err()
                .is_some_and(|told| told.contains(&format!("limits.{}", limit.key)))
        };
        assert!(
            !refused(limit.min.max(1)) && !refused(limit.max),
            "{limit:?}"
        );
        assert!(refused(limit.max + 1), "{limit:?}");
        assert!(limit.min == 0 || refused(limit.min - 1), "{limit:?}");
    }
}

//! Tables in Markdown.

use crate::contest::Memory;
use crate::figures::Spread;
use crate::growth::Stage;
use crate::rounds::Row;

/// Returns the rows of servers, compared with `base`.
pub(crate) fn of_rows(base: &str, rows: &[Row]) -> Vec<String> {
    let mut lines = vec![
        format!(
            "| conn. | server | calls/s | ÷ {base} | p50 µs | ÷ {base} | p99 µs | cpu µs | ÷ {base} | \
             machine µs | wakes | records/sync | RSS MiB | busy |"
        ),
        "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|".to_owned(),
    ];
    lines.extend(rows.iter().map(row));
    lines
}

fn row(row: &Row) -> String {
    let (figures, used, ratios) = (&row.figures, &row.figures.used, &row.ratios);
    let cells = [
        row.connections.to_string(),
        row.name.clone(),
        format!("{:.0}", figures.calls_per_s),
        spread(ratios.calls_per_s),
        format!("{:.0}", figures.p50_us),
        spread(ratios.p50_us),
        format!("{:.0}", figures.p99_us),
        perhaps(used.cpu_us, 0),
        spread(ratios.cpu_us),
        perhaps(used.machine_us, 0),
        perhaps(used.wakes, 2),
        perhaps(used.records_per_sync, 1),
        perhaps(used.resident_mib, 0),
        figures.busy.to_string(),
    ];
    line(&cells)
}

/// Returns the stages of a growing journal.
pub(crate) fn of_stages(base: &str, stages: &[Stage]) -> Vec<String> {
    let mut lines = vec![
        format!(
            "| records | MB | start ms | RSS MiB | verify s | sha256sum ÷ verify | calls/s ÷ {base} | \
             cpu ÷ {base} |"
        ),
        "|---:|---:|---:|---:|---:|---:|---:|---:|".to_owned(),
    ];
    lines.extend(stages.iter().map(|stage| {
        line(&[
            thousands(stage.records),
            thousands(stage.bytes / 1_000_000),
            format!("{:.0}", stage.start_ms),
            perhaps(stage.resident_mib, 0),
            format!("{:.2}", stage.verify_s),
            format!("{:.2}", stage.sha256_s / stage.verify_s),
            spread(stage.calls.ratios.calls_per_s),
            spread(stage.calls.ratios.cpu_us),
        ])
    }));
    lines
}

/// Returns the memory of servers after all their calls.
pub(crate) fn of_memory(memory: &[Memory]) -> Vec<String> {
    let mut lines = vec![
        "| server | calls | RSS MiB |".to_owned(),
        "|---|---:|---:|".to_owned(),
    ];
    lines.extend(memory.iter().map(|of| {
        line(&[
            of.server.clone(),
            thousands(of.calls),
            perhaps(of.resident_mib, 0),
        ])
    }));
    lines
}

fn line(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// Writes `0.24 (0.22-0.26)`: the median and the bounds.
pub(crate) fn spread(of: Option<Spread>) -> String {
    of.map_or_else(String::new, |of| {
        let digits = if of.median < 10.0 { 2 } else { 0 };
        format!(
            "{:.digits$} ({:.digits$}-{:.digits$})",
            of.median, of.least, of.most
        )
    })
}

fn perhaps(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.digits$}"))
}

/// Writes `1,000,000`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_commas() {
        for (number, text) in [
            (7, "7"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(thousands(number), text);
        }
    }
}

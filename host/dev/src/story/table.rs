//! The journal as a table: *user | agent | tool | service | mode | decision*.
//!
//! One row for each refused call, for each call that asked no service, and for each downstream
//! call; and one for each component that was refused.

use serde_json::Value;

use crate::journal::{target, text};

const COLUMNS: [&str; 6] = ["user", "agent", "tool", "service", "mode", "decision"];

type Row = [String; 6];

/// Renders the table.
pub(super) fn render(records: &[Value]) -> String {
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(records.iter().filter_map(|record| row(record, records)));
    let widths: Vec<usize> = (0..COLUMNS.len())
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or_default()
        })
        .collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut lines: Vec<String> = rows.iter().map(|row| line(row, &widths)).collect();
    lines.insert(1, format!("  {}", rule.join("-+-")));
    lines.join("\n")
}

fn line(row: &Row, widths: &[usize]) -> String {
    let cells: Vec<String> = row
        .iter()
        .zip(widths)
        .map(|(cell, &width)| format!("{cell:width$}"))
        .collect();
    format!("  {}", cells.join(" | ")).trim_end().to_owned()
}

fn row(record: &Value, records: &[Value]) -> Option<Row> {
    match text(record, "event") {
        "call.refused" | "downstream.refused" => {
            Some(with(record, &format!("deny: {}", text(record, "reason"))))
        }
        "call.opened" if !asks_a_service(record, records) => Some(with(record, "allow")),
        "downstream.opened" => Some(with(record, &sent(record, records))),
        "component.refused" => {
            let mut row = with(record, &format!("deny: {}", text(record, "reason")));
            if let Some(tool) = row.get_mut(2) {
                *tool = format!("component {}", component(record));
            }
            Some(row)
        }
        _ => None,
    }
}

/// Describes the end of a downstream call, from the record that closes it.
fn sent(opened: &Value, records: &[Value]) -> String {
    let seq = |record: &Value| record.get("seq").and_then(Value::as_u64);
    let closed = records.iter().find(|record| {
        text(record, "event") == "downstream.closed"
            && text(record, "call") == text(opened, "call")
            && text(record, "service") == text(opened, "service")
            && seq(record) > seq(opened)
    });
    match closed.map(|record| (record.get("status").and_then(Value::as_u64), record)) {
        Some((Some(403), _)) => "allow; the service refused: 403".to_owned(),
        Some((Some(status), _)) => format!("allow; the service answered: {status}"),
        Some((None, record)) => format!("allow; no answer: {}", text(record, "reason")),
        None => "allow".to_owned(),
    }
}

fn asks_a_service(opened: &Value, records: &[Value]) -> bool {
    records.iter().any(|record| {
        text(record, "event").starts_with("downstream.")
            && text(record, "call") == text(opened, "call")
    })
}

fn with(record: &Value, decision: &str) -> Row {
    let or_dash = |text: &str| if text.is_empty() { "-" } else { text }.to_owned();
    let cell = |field: &str| or_dash(text(record, field));
    [
        cell("actor_sub"),
        cell("agent_id"),
        or_dash(target(record)),
        cell("service"),
        cell("mode"),
        decision.to_owned(),
    ]
}

/// Returns the refused component's name, wherever the record has it.
fn component(record: &Value) -> &str {
    let detail = record.get("detail").unwrap_or(record);
    ["file", "name", "component"]
        .into_iter()
        .map(|field| text(detail, field))
        .chain([text(record, "component")])
        .find(|name| !name.is_empty())
        .unwrap_or("-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_decision_is_a_row() {
        let who = |event: &str, seq: u64| {
            json!({"seq": seq, "event": event, "call": "c", "actor_sub": "alice",
                   "agent_id": "clerk", "target": {"kind": "tool", "name": "t"}, "mode": "on_behalf_of"})
        };
        let mut opened = who("downstream.opened", 2);
        let mut closed = who("downstream.closed", 3);
        for record in [&mut opened, &mut closed] {
            if let Some(members) = record.as_object_mut() {
                members.insert("service".into(), json!("orders_api"));
                members.insert("status".into(), json!(403));
            }
        }
        let records = [
            who("call.opened", 1),
            opened,
            closed,
            json!({"event": "call.refused", "reason": "token-missing"}),
            json!({"event": "component.refused", "detail": {"file": "nosy.wasm"}}),
        ];
        let table = render(&records);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 5, "{table}");
        assert!(
            table.contains("on_behalf_of | allow; the service refused: 403"),
            "{table}"
        );
        assert!(table.contains("deny: token-missing"), "{table}");
        assert!(table.contains("component nosy.wasm"), "{table}");
    }
}

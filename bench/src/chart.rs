//! A chart of calls a second: one group of bars for each number of connections, one bar for each
//! server.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::rounds::Row;

/// Draws the chart as SVG.
pub(crate) fn draw(measured: &[Row]) -> String {
    let groups: BTreeSet<usize> = measured.iter().map(|of| of.connections).collect();
    let mut servers: Vec<&str> = Vec::new();
    for of in measured {
        if !servers.contains(&of.name.as_str()) {
            servers.push(&of.name);
        }
    }
    let most = measured
        .iter()
        .map(|of| of.figures.calls_per_s)
        .fold(1.0, f64::max);
    let mut svg = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">"#
    );
    let _ = write!(
        svg,
        r#"<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>"#
    );
    let _ = write!(
        svg,
        r#"<text x="{LEFT}" y="22" font-size="14">Calls a second by connections (more is better)</text>"#
    );
    legend(&mut svg, &servers);
    let across = (WIDTH - 2.0 * LEFT) / count(groups.len());
    for (place, connections) in groups.iter().enumerate() {
        let from = LEFT + across * count(place);
        let middle = from + across / 2.0;
        let _ = write!(
            svg,
            r#"<text x="{middle:.1}" y="{:.1}" text-anchor="middle">{connections}</text>"#,
            BASE + 18.0
        );
        let wide = across * 0.84 / count(servers.len());
        for of in measured.iter().filter(|of| of.connections == *connections) {
            let number = servers
                .iter()
                .position(|server| *server == of.name)
                .unwrap_or_default();
            let x = from + across * 0.08 + wide * count(number);
            let high = of.figures.calls_per_s / most * (BASE - TOP);
            bar(
                &mut svg,
                x,
                wide,
                high,
                colour(number),
                of.figures.calls_per_s,
            );
        }
    }
    svg + "</svg>\n"
}

fn bar(svg: &mut String, x: f64, wide: f64, high: f64, fill: &str, value: f64) {
    let (y, inner, middle) = (BASE - high, wide * 0.9, x + wide * 0.45);
    let _ = write!(
        svg,
        r#"<rect x="{x:.1}" y="{y:.1}" width="{inner:.1}" height="{high:.1}" fill="{fill}"/>"#
    );
    let _ = write!(
        svg,
        r#"<text x="{middle:.1}" y="{:.1}" text-anchor="middle" font-size="10">{value:.0}</text>"#,
        y - 4.0
    );
}

fn legend(svg: &mut String, servers: &[&str]) {
    for (number, server) in servers.iter().enumerate() {
        let x = LEFT + (WIDTH - 2.0 * LEFT) / count(servers.len()) * count(number);
        let fill = colour(number);
        let name: String = server
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
            .collect();
        let _ = write!(
            svg,
            r#"<rect x="{x:.1}" y="34" width="12" height="12" fill="{fill}"/>"#
        );
        let _ = write!(svg, r#"<text x="{:.1}" y="44">{name}</text>"#, x + 18.0);
    }
}

fn colour(number: usize) -> &'static str {
    COLOURS
        .get(number % COLOURS.len())
        .copied()
        .unwrap_or("black")
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

const COLOURS: [&str; 7] = [
    "#9a9a9a", "#d5d5d5", "#c47a3d", "#e0b07c", "#1f6f8b", "#79b4c4", "#6b5b95",
];
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 30.0;
const TOP: f64 = 76.0;
const BASE: f64 = 305.0;

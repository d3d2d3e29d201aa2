//! Charts as SVG made here: widths in percent and heights in pixels, so that text keeps its size at any width. Each
//! has a title, a description and a table with the same numbers; no inline style, so that the strict policy holds.

use std::fmt::Write as _;

use serde::Serialize;
use utoipa::ToSchema;

/// One kind of thing that is counted, in the order in which it is stacked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Series {
    /// What people call it.
    pub(crate) label: &'static str,
    /// The class of its colour: `allow`, `coach` ...
    pub(crate) class: &'static str,
}

/// Numbers over time.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Stacked {
    /// Unique on its page: the start of the ids.
    pub(crate) id: &'static str,
    /// What it shows, in one line.
    pub(crate) title: String,
    /// What a reader who cannot see it should know.
    pub(crate) description: String,
    /// What is counted.
    pub(crate) series: Vec<Series>,
    /// The columns, from the earliest.
    pub(crate) columns: Vec<Column>,
}

/// One column of a chart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Column {
    /// What stands under it.
    pub(crate) label: String,
    /// How many of each series, in their order.
    pub(crate) counts: Vec<u64>,
}

const HEIGHT: f64 = 150.0;
const AXIS: f64 = 20.0;
/// Labels under the chart, at most.
const LABELS: usize = 6;

impl Stacked {
    /// The largest column.
    fn most(&self) -> u64 {
        self.columns
            .iter()
            .map(|column| column.counts.iter().fold(0u64, |sum, count| sum.saturating_add(*count)))
            .max()
            .unwrap_or(0)
    }

    /// The SVG.
    pub(crate) fn svg(&self) -> String {
        let (most, count) = (nice(self.most()), self.columns.len().max(1));
        let mut svg = open(self.id, &self.title, &self.description, HEIGHT + AXIS);
        lines(&mut svg, most);
        let step = 100.0 / float(count as u64);
        for (at, column) in self.columns.iter().enumerate() {
            let mut y = HEIGHT;
            for (series, number) in self.series.iter().zip(&column.counts).filter(|(_, number)| **number > 0) {
                let height = (float(*number) / float(most) * (HEIGHT - 14.0)).max(1.0);
                y -= height;
                let _ = write!(
                    svg,
                    "<rect class=\"f-{}\" x=\"{:.2}%\" y=\"{y:.1}\" width=\"{:.2}%\" height=\"{height:.1}\"><title>{}: {} {}</title></rect>",
                    series.class,
                    float(at as u64) * step + step * 0.12,
                    step * 0.76,
                    escape(&column.label),
                    grouped(*number),
                    series.label.to_lowercase(),
                );
            }
        }
        numbers(&mut svg, most);
        let _ = write!(svg, "<line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"{HEIGHT}\" y2=\"{HEIGHT}\"/>");
        labels(&mut svg, self.columns.iter().map(|column| column.label.as_str()), HEIGHT);
        svg.push_str("</svg>");
        svg
    }
}

/// One number over time.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Line {
    /// Unique on its page.
    pub(crate) id: &'static str,
    /// What it shows.
    pub(crate) title: String,
    /// What a reader who cannot see it should know.
    pub(crate) description: String,
    /// What stands beside numbers: ` ms`, ` %`.
    pub(crate) unit: &'static str,
    /// The points, from the earliest.
    pub(crate) points: Vec<Point>,
}

/// One point of a line.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Point {
    /// What stands under it.
    pub(crate) label: String,
    /// The number; none where there was nothing to measure.
    pub(crate) value: Option<f64>,
}

const LINE_HEIGHT: f64 = 96.0;

impl Line {
    /// The SVG: the line lies in a nested drawing that is stretched, its labels do not.
    pub(crate) fn svg(&self) -> String {
        let most = self.points.iter().filter_map(|point| point.value).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        let place = |at: usize| float(at as u64) / float(self.points.len().saturating_sub(1).max(1) as u64) * 100.0;
        let height = |number: f64| LINE_HEIGHT - number / most * (LINE_HEIGHT - 20.0);
        let known: Vec<(f64, f64)> = self
            .points
            .iter()
            .enumerate()
            .filter_map(|(at, point)| point.value.map(|number| (place(at), height(number))))
            .collect();
        let mut svg = open(self.id, &self.title, &self.description, LINE_HEIGHT + AXIS);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"20\" y2=\"20\"/><text x=\"0\" y=\"13\">{}{}</text>",
            short_number(most),
            self.unit
        );
        let mut path = String::new();
        for (at, (x, y)) in known.iter().enumerate() {
            let _ = write!(path, "{}{x:.2} {y:.1}", if at == 0 { "M" } else { " L" });
        }
        if let (Some(first), Some(last)) = (known.first(), known.last()) {
            let _ = write!(
                svg,
                "<svg x=\"0\" y=\"0\" width=\"100%\" height=\"{LINE_HEIGHT}\" viewBox=\"0 0 100 {LINE_HEIGHT}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
                 <path class=\"area\" d=\"{path} L{:.2} {LINE_HEIGHT} L{:.2} {LINE_HEIGHT} Z\"/><path class=\"line\" d=\"{path}\"/></svg>",
                last.0, first.0
            );
        }
        let _ = write!(svg, "<line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"{LINE_HEIGHT}\" y2=\"{LINE_HEIGHT}\"/>");
        labels(&mut svg, self.points.iter().map(|point| point.label.as_str()), LINE_HEIGHT);
        svg.push_str("</svg>");
        svg
    }

    /// A number of it with its unit.
    pub(crate) fn said(&self, number: &Option<f64>) -> String {
        number.map_or_else(|| "none".to_owned(), |number| format!("{}{}", short_number(number), self.unit))
    }
}

/// A number in a table, with a bar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Bar {
    /// What is counted.
    pub(crate) label: String,
    /// Where to see it one by one.
    pub(crate) href: Option<String>,
    /// How many.
    pub(crate) count: u64,
    /// How many the largest has.
    pub(crate) most: u64,
}

impl Bar {
    /// Bars from counts: the largest first, at most `shown`.
    pub(crate) fn largest(
        counts: impl IntoIterator<Item = (String, u64)>,
        shown: usize,
        name: impl Fn(&str) -> (String, Option<String>),
    ) -> Vec<Self> {
        let mut all: Vec<(String, u64)> = counts.into_iter().collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let most = all.first().map_or(0, |(_, count)| *count);
        let bar = |(id, count): (String, u64)| {
            let (label, href) = name(&id);
            Self { label, href, count, most }
        };
        all.into_iter().take(shown).map(bar).collect()
    }

    /// The bar as SVG.
    pub(crate) fn bar(&self) -> String {
        bar(self.count, self.most, "accent")
    }

    /// The number for people.
    pub(crate) fn said(&self) -> String {
        grouped(self.count)
    }
}

/// A bar of a table: the number beside it says the same, so that it is hidden from screen readers.
fn bar(number: u64, most: u64, class: &str) -> String {
    let width = if most == 0 { 0.0 } else { float(number) / float(most) * 100.0 };
    format!(
        "<svg aria-hidden=\"true\" focusable=\"false\"><rect class=\"f-{}\" width=\"{:.1}%\" height=\"10\" rx=\"2\"/></svg>",
        escape(class),
        if number > 0 { width.max(0.8) } else { 0.0 }
    )
}

fn open(id: &str, title: &str, description: &str, height: f64) -> String {
    format!(
        "<svg role=\"img\" aria-labelledby=\"{id}-t {id}-d\" height=\"{height}\"><title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>",
        escape(title),
        escape(description)
    )
}

/// Where the lines of the whole and of its half are.
fn marks(most: u64) -> impl Iterator<Item = (f64, u64)> {
    let marks = [(0.0, most), (0.5, most / 2)].into_iter().filter(|(_, number)| *number > 0);
    marks.map(|(part, number)| (14.0 + (HEIGHT - 14.0) * part, number))
}

fn lines(svg: &mut String, most: u64) {
    for (y, _) in marks(most) {
        let _ = write!(svg, "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
    }
}

/// After the bars, so that none hides them.
fn numbers(svg: &mut String, most: u64) {
    for (y, number) in marks(most) {
        let _ = write!(svg, "<text x=\"0\" y=\"{:.1}\">{}</text>", y - 4.0, grouped(number));
    }
}

/// At most six labels, the first one at the left end, the last one at the right end.
fn labels<'a>(svg: &mut String, all: impl ExactSizeIterator<Item = &'a str>, height: f64) {
    let count = all.len();
    let every = count.div_ceil(LABELS).max(1);
    for (number, (at, label)) in all.enumerate().filter(|(at, _)| at % every == 0).enumerate() {
        let x = (float(at as u64) + 0.5) / float(count as u64) * 100.0;
        let (x, anchor) = match at {
            0 => (0.0, "start"),
            at if at + 1 == count => (100.0, "end"),
            _ => (x, "middle"),
        };
        // On a phone every second one has no room.
        let class = if number % 2 == 1 { " class=\"alt\"" } else { "" };
        let _ = write!(
            svg,
            "<text{class} x=\"{x:.2}%\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>",
            height + 15.0,
            escape(label)
        );
    }
}

/// The next round number: 1, 2, 5 times a power of ten, and even, so that its half is whole.
fn nice(number: u64) -> u64 {
    let mut power = 1u64;
    loop {
        for step in [2, 4, 6, 10] {
            let round = power.saturating_mul(step);
            if round >= number || round == u64::MAX {
                return round;
            }
        }
        power = power.saturating_mul(10);
    }
}

fn float(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}

/// `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == first {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three significant digits.
pub(crate) fn short_number(number: f64) -> String {
    if number >= 100.0 {
        format!("{number:.0}")
    } else if number >= 10.0 {
        format!("{number:.1}").trim_end_matches(".0").to_owned()
    } else {
        let text = format!("{number:.2}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// Text for HTML and its attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stacked(columns: Vec<(String, Vec<u64>)>) -> Stacked {
        let columns = columns.into_iter().map(|(label, counts)| Column { label, counts }).collect();
        let series = vec![Series { label: "Sent", class: "allow" }, Series { label: "Stopped", class: "block" }];
        Stacked { id: "c", title: "a < b".into(), description: "d".into(), series, columns }
    }

    #[test]
    fn a_chart_says_what_it_shows_and_has_no_style() {
        let svg = stacked(vec![("09:00".into(), vec![3, 1]), ("10:00".into(), vec![0, 0])]).svg();
        assert!(svg.contains("<title id=\"c-t\">a &lt; b</title>") && svg.contains("<title>09:00: 3 sent</title>"));
        assert!(!svg.contains("style=") && svg.matches("<rect").count() == 2);
        assert!(stacked(vec![]).svg().ends_with("</svg>"));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([grouped(0), grouped(999), grouped(1000), grouped(12_345_678)], ["0", "999", "1,000", "12,345,678"]);
        assert_eq!([short_number(0.5), short_number(12.0), short_number(123.4)], ["0.5", "12", "123"]);
    }

    proptest! {
        #[test]
        fn columns_stay_inside(numbers in prop::collection::vec((0u64..u64::MAX / 4, 0u64..1_000_000), 0..40)) {
            let chart = stacked(numbers.into_iter().map(|(a, b)| (String::new(), vec![a, b])).collect());
            let svg = chart.svg();
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf"));
        }

        #[test]
        fn round_numbers_are_even_and_large_enough(number in 0u64..1_000_000_000_000) {
            let round = nice(number);
            prop_assert!(round >= number && round.is_multiple_of(2) && round > 0);
        }
    }
}

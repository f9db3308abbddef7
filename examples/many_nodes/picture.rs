//! The bars as a picture.

use crate::report::{BOUNDS, Report, marks, milliseconds};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 342.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 76.0;
const FLOOR: f64 = 274.0;

/// An SVG of it: how long after a revocation other nodes still accepted.
pub(crate) fn draw(report: &Report) -> String {
    let ([median, p99, worst], bars) = (marks(&report.all), report.bars());
    let (count, announced) = (report.all.len(), milliseconds(report.announced));
    // So that each of the four lines is at a whole number.
    let highest = bars.iter().map(|(_, count)| (report.share(*count) * 5.0).ceil() / 5.0).fold(0.2, f64::max);
    let step = (WIDTH - LEFT - 16.0) / bars.len() as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#24292f\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"26\" font-size=\"15\" font-weight=\"600\">From a revocation to the last accept on another node\
         </text>\n\
         <text x=\"16\" y=\"46\" fill=\"#57606a\">{count} measured; median {median:.1} ms, 99th percentile {p99:.1} ms, \
         worst {worst:.1} ms; announced {announced:.0} ms</text>\n"
    );
    for quarter in 0..=4 {
        let line = highest * f64::from(quarter) / 4.0;
        let y = FLOOR - (FLOOR - TOP) * f64::from(quarter) / 4.0;
        svg += &format!(
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#d0d7de\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#57606a\">{:.0} %</text>\n",
            WIDTH - 16.0,
            LEFT - 8.0,
            y + 4.0,
            line * 100.0
        );
    }
    for (place, (label, count)) in bars.iter().enumerate() {
        let x = LEFT + step * place as f64;
        let height = (FLOOR - TOP) * report.share(*count) / highest;
        svg += &format!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"#0969da\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"12\">{label}</text>\n",
            x + 6.0,
            FLOOR - height,
            step - 12.0,
            x + step / 2.0,
            FLOOR + 20.0
        );
    }
    for (name, mark) in [("median", median), ("99th percentile", p99)] {
        let x = LEFT + step * place_of(mark);
        svg += &format!(
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{FLOOR}\" stroke=\"#bc4c00\" stroke-width=\"1.5\" \
             stroke-dasharray=\"4 3\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"12\" fill=\"#bc4c00\">{name}</text>\n",
            x + 4.0,
            TOP - 3.0
        );
    }
    let middle = LEFT + (WIDTH - LEFT) / 2.0;
    svg + &format!(
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" fill=\"#57606a\">milliseconds after the acknowledgement</text>\n</svg>\n",
        FLOOR + 46.0
    )
}

/// How many bars lie before it, with the part of the one that it is in: each is as wide as its logarithm is long, but the
/// first, which begins at zero, and the last, which has no end.
fn place_of(took: f64) -> f64 {
    let bar = BOUNDS.iter().take_while(|bound| **bound <= took).count();
    let part = match bar {
        0 => took / BOUNDS[0],
        bar => (took / BOUNDS[bar - 1]).log2().min(1.0),
    };
    bar as f64 + part
}

//! The operations of a training run against every rule.

use kuva::plot::LinePlot;
use kuva::plot::annotations::{ReferenceLine, TextAnnotation};
use kuva::plot::scatter::{MarkerShape, ScatterPlot};
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;

use super::{BURST, Chart, Data, INK, ISSUE, MARK};
use crate::report::round::round;
use crate::report::topic::value;
use crate::threshold::{Determination, TrainingDetermination, Verdict};

/// Room beyond the outermost end, as a factor.
const ROOM: f64 = 3.0;

/// Low to high end of the value that each rule counts, over its limit.
pub fn training(number: usize, run: &TrainingDetermination) -> Chart {
    let row = |d: &Determination| {
        let limit = format!("{} {}", d.comparison, round(&d.limit));
        vec![name(d), d.verdict.name().to_owned(), value(d), limit, d.unit.clone()]
    };
    let table = Data::new(
        &["rule", "verdict", "value", "limit", "unit"],
        run.determinations.iter().map(row).collect(),
    );
    let title = format!("Training run against every rule: {}", run.name);
    let description = "Bars: what each rule counts, from the low to the high end of the estimate, over the limit of \
        that rule. Left of the line the limit is not passed, right of it it is; a bar across it is undetermined.";
    let chart = Chart::new("training", &number.to_string(), title, description.to_owned(), table);
    let bars: Vec<(&Determination, f64, Option<f64>)> =
        run.determinations.iter().rev().filter_map(|d| ends(d).map(|(low, high)| (d, low, high))).collect();
    if bars.is_empty() {
        return chart.without("no rule compares a value above nothing with a limit");
    }
    let all = bars.iter().flat_map(|(_, low, high)| [Some(*low), *high]).flatten();
    let (least, most) = all.fold((1.0_f64, 1.0_f64), |(least, most), end| (least.min(end), most.max(end)));
    let (least, most) = (least / ROOM, most * ROOM * ROOM * ROOM);
    #[expect(clippy::cast_precision_loss, reason = "some ten rows")]
    let count = bars.len() as f64;
    let mut layout = Layout::new((least, most), (0.4, count + 0.6))
        .with_log_x()
        .with_y_categories(bars.iter().map(|(d, ..)| name(d)).collect())
        .with_x_label("value over the limit of the rule; at 1 it is at the limit")
        .with_x_tick_format(TickFormat::Custom(std::sync::Arc::new(tick)))
        .with_reference_line(ReferenceLine::vertical(1.0).with_color(INK).with_stroke_width(1.6))
        .with_height(110.0 + 34.0 * count);
    let mut plots = Vec::new();
    for (place, (d, low, high)) in bars.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "some ten rows")]
        let at = place as f64 + 1.0;
        let colour = match d.verdict {
            Verdict::Met => MARK,
            Verdict::NotMet => BURST,
            Verdict::Undetermined => ISSUE,
        };
        let end = high.unwrap_or(most);
        let bar = LinePlot::new().with_data([(*low, at), (end, at)]);
        plots.push(Plot::Line(bar.with_color(colour).with_stroke_width(9.0)));
        // An interval without width is a point, which a bar alone does not show.
        let shape = if d.verdict == Verdict::NotMet { MarkerShape::Circle } else { MarkerShape::Diamond };
        let ends = ScatterPlot::new().with_data([(*low, at), (end, at)]).with_marker(shape);
        plots.push(Plot::Scatter(ends.with_color(colour).with_size(4.5)));
        let text = match high {
            Some(_) => d.verdict.name().to_owned(),
            None => format!("{}, unbounded", d.verdict.name()),
        };
        let place = most / (most / least).powf(0.08);
        layout = layout
            .with_annotation(TextAnnotation::new(text, place, at - 0.24).with_color(INK).with_font_size(12));
    }
    chart.drawn(plots, layout)
}

/// `0.1`, `100`, `1e4`.
fn tick(value: f64) -> String {
    if value < 1e4 { format!("{value}") } else { format!("{value:e}") }
}

fn name(determination: &Determination) -> String {
    format!("{} {}", determination.rule, determination.test)
}

/// Low and high end over the limit; the high end is `None` when nothing bounds it. A low end of nothing is drawn at a
/// thousandth of the high one.
fn ends(determination: &Determination) -> Option<(f64, Option<f64>)> {
    let [low, high] = determination.margin_decades.map(|decades| decades.map(|d| 10_f64.powf(d)));
    match (low, high, &determination.high) {
        (Some(low), high, Some(_)) => Some((low, Some(high.unwrap_or(low)))),
        (Some(low), _, None) => Some((low, None)),
        (None, Some(high), _) => Some((high / 1000.0, Some(high))),
        (None, None, _) => None,
    }
}

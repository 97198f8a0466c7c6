//! The three figures of every precision on one axis.

use kuva::plot::BarPlot;
use kuva::plot::annotations::TextAnnotation;
use kuva::plot::scatter::{MarkerShape, ScatterPlot};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::render::{Primitive, render_multiple};

use super::{BURST, Chart, Data, DeviceRun, INK, ISSUE, MARK, SUSTAINED, THEORETICAL, si_ticks, styled};
use crate::device::ClockBasis;
use crate::report::summary::{Figures, share, three_figures};
use crate::units::OpRate;

/// Share of a row's height that its three bars take.
const HEIGHT: f64 = 0.72;
/// Width of a letter of a label, as a share of the greatest rate.
const LETTER: f64 = 0.0135;
/// The library puts the foot of a label 6 pixels above its point; so many lower it stands beside.
const DROP: f64 = 10.0;
/// Height of the chart beside its rows, and of what of it is no axis, in pixels.
const BESIDE: [f64; 2] = [150.0, 61.0];
/// Height of a row, in pixels.
const ROW: f64 = 64.0;

/// Theoretical, issue and sustained rate per precision, with every theoretical peak that is known as a mark.
pub fn figures(run: &DeviceRun<'_>) -> Chart {
    let rows = three_figures(run);
    let table = Data::new(
        &["precision", "theoretical", "issue", "sustained", "burst", "sustained of theoretical"],
        rows.iter().map(cells).collect(),
    );
    let title = format!("Three figures per precision: {}", run.name());
    let description = "Bars: the headline theoretical peak, the greater one where issue and product have different ones; \
        the issue rate and the sustained rate. Whiskers: 95 % intervals of the medians. Marks: theoretical peaks at each \
        known clock, and the burst rate.";
    let chart = Chart::new("figures", &run.id(), title, description.to_owned(), table);
    let drawable: Vec<&Figures> = rows.iter().rev().filter(|row| row.most() > 0.0).collect();
    if drawable.is_empty() {
        return chart.without("no case of this device was measured, and no theoretical peak is known");
    }
    let most = drawable.iter().map(|row| row.most()).fold(0.0, f64::max);
    let labels = drawable.iter().map(|row| row.name()).collect();
    #[expect(clippy::cast_precision_loss, reason = "some ten rows")]
    let count = drawable.len() as f64;
    let mut layout = Layout::new((0.0, most * 1.28), (0.4, count + 0.6))
        .with_y_categories(labels)
        .with_clamp_axis()
        .with_x_label("operations per second")
        .with_x_tick_format(si_ticks())
        .with_height(BESIDE[0] + ROW * count);
    layout.show_legend = true;
    // In rows of the axis, which shows two tenths of a row more than there are.
    let drop = DROP * (count + 0.2) / (BESIDE[0] - BESIDE[1] + ROW * count);
    for (place, row) in drawable.iter().enumerate() {
        layout = labels_of(row, place, most, drop).into_iter().fold(layout, Layout::with_annotation);
    }
    let mut scene = render_multiple(plots(&drawable), styled(layout));
    without_empty_whiskers(&mut scene.elements);
    chart.of(scene)
}

/// The library draws a whisker on every bar; one without length, on a bar without an interval, is none.
fn without_empty_whiskers(elements: &mut Vec<Primitive>) {
    let is_point = |element: &Primitive| match element {
        Primitive::Line { x1, y1, x2, y2, .. } => (x2 - x1).abs() + (y2 - y1).abs() < 1e-9,
        _ => false,
    };
    while let Some(at) = elements.iter().position(is_point) {
        // The line, and a cap at each of its ends.
        elements.drain(at..(at + 3).min(elements.len()));
    }
}

/// The values in words at the ends of the bars of a row: beside a far greater row its bars are slivers.
fn labels_of(row: &Figures, place: usize, most: f64, drop: f64) -> Vec<TextAnnotation> {
    #[expect(clippy::cast_precision_loss, reason = "some ten rows")]
    let at = place as f64 + 1.0;
    let [issue, sustained] = [row.issue, row.sustained].map(|estimate| estimate.map(|e| (e.median, e.high)));
    let peak = row.peak();
    let farthest = row.peaks.iter().map(|peak| peak.1).chain(peak).map(OpRate::get).fold(0.0, f64::max);
    let burst = row.burst.map_or(0.0, OpRate::get);
    [
        (sustained.map(|s| (s.0, s.1.get().max(burst))), -HEIGHT / 3.0),
        (issue.map(|i| (i.0, i.1.get())), 0.0),
        (peak.map(|rate| (rate, farthest)), HEIGHT / 3.0),
    ]
    .into_iter()
    .filter_map(|(bar, offset)| {
        let (rate, end) = bar?;
        let text = row.rate(rate);
        #[expect(clippy::cast_precision_loss, reason = "some fifteen letters")]
        let half = text.chars().count() as f64 * LETTER / 2.0;
        Some(TextAnnotation::new(text, end + most * (half + 0.03), at + offset - drop).with_font_size(11))
    })
    .collect()
}

fn plots(rows: &[&Figures]) -> Vec<Plot> {
    let mut bars = BarPlot::new()
        .with_horizontal(true)
        .with_width(HEIGHT)
        .with_legend(vec!["sustained", "issue", "theoretical"])
        .with_error_color(INK)
        .with_error_cap_width(0.35);
    let mut errors = Vec::new();
    let mut marks: Vec<(ClockBasis, f64, f64)> = Vec::new();
    let mut bursts = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "some ten rows")]
        let at = place as f64 + 1.0;
        let median = |estimate: &Option<crate::units::Estimate<crate::units::OpRate>>| {
            estimate.map_or(0.0, |estimate| estimate.median.get())
        };
        let theoretical = row.peak().map_or(0.0, OpRate::get);
        bars = bars.with_group(
            row.name(),
            [(median(&row.sustained), SUSTAINED), (median(&row.issue), ISSUE), (theoretical, THEORETICAL)],
        );
        for estimate in [&row.sustained, &row.issue] {
            errors.push(
                estimate
                    .map_or((0.0, 0.0), |e| (e.median.get() - e.low.get(), e.high.get() - e.median.get())),
            );
        }
        errors.push((0.0, 0.0));
        marks.extend(row.peaks.iter().map(|(basis, rate)| (*basis, rate.get(), at + HEIGHT / 3.0)));
        bursts.extend(row.burst.map(|rate| (rate.get(), at - HEIGHT / 3.0)));
    }
    let mut plots = vec![Plot::Bar(bars.with_asymmetric_error(errors))];
    for (basis, shape, name) in [
        (ClockBasis::Rated, MarkerShape::Diamond, "rated peak"),
        (ClockBasis::MaximumBoost, MarkerShape::Triangle, "boost peak"),
        (ClockBasis::Observed, MarkerShape::Circle, "observed peak"),
    ] {
        let of: Vec<_> = marks.iter().filter(|mark| mark.0 == basis).map(|mark| (mark.1, mark.2)).collect();
        plots.extend(scatter(of, shape, name, MARK));
    }
    plots.extend(scatter(bursts, MarkerShape::Square, "burst", BURST));
    plots
}

fn scatter(points: Vec<(f64, f64)>, shape: MarkerShape, name: &str, colour: &str) -> Option<Plot> {
    let plot = ScatterPlot::new().with_marker(shape).with_color(colour).with_size(5.0).with_legend(name);
    (!points.is_empty()).then(|| Plot::Scatter(plot.with_data(points)))
}

fn cells(row: &Figures) -> Vec<String> {
    vec![
        row.name(),
        row.theoretical_text(),
        row.text(&row.issue),
        row.text(&row.sustained),
        row.burst.map_or_else(|| "none".to_owned(), |rate| row.rate(rate)),
        share(row.shares[1]),
    ]
}

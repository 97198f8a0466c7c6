//! Products by their arithmetic intensity, under the measured ceilings.

use kuva::plot::LinePlot;
use kuva::plot::annotations::TextAnnotation;
use kuva::plot::scatter::{MarkerShape, ScatterPlot};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::products::{Product, products, row};
use super::{BURST, Chart, Data, DeviceRun, INK, ISSUE, MARK, SUSTAINED, si_ticks};
use crate::precision::Arithmetic;
use crate::report::summary::three_figures;
use crate::units::ByteRate;

/// Issue rates nearer than this share one label.
const NEAR: f64 = 1.3;

/// Products by operations per byte, under the issue rates and the rate of a copy.
pub fn roofline(run: &DeviceRun<'_>) -> Chart {
    let all = products(run);
    let copy = run.copy().and_then(|measured| {
        let what = if measured.working_set.is_none_or(|set| set.is_memory()) { "memory" } else { "cache" };
        Some((what, measured.bandwidth()?.rate_byte_per_s.median))
    });
    let mut rows: Vec<Vec<String>> = all
        .iter()
        .map(|product| {
            let mut cells = row(product);
            cells.push(format!("{:.1}", intensity(product)));
            cells
        })
        .collect();
    rows.extend(copy.map(|(what, rate)| {
        let none = || "-".to_owned();
        vec![none(), format!("copy, {what}"), none(), rate.to_string(), none()]
    }));
    let header = ["precision", "shape", "input", "rate", "operations per byte, each operand once"];
    let title = format!("Roofline: {}", run.name());
    let slope = match copy {
        Some((what, rate)) => format!("Slope: the measured copy, {rate} of {what}, read plus written."),
        None => {
            "There is no slope: no verified copy is in the record; --method copy measures one.".to_owned()
        }
    };
    let description = format!(
        "Points: products by operations per byte of A, B and C, each moved once. Level lines: the measured issue rate \
         of each precision. {slope}"
    );
    let chart = Chart::new("roofline", &run.id(), title, description, Data::new(&header, rows));
    let ceilings: Vec<(Arithmetic, f64)> =
        three_figures(run).iter().filter_map(|row| Some((row.arithmetic, row.issue?.median.get()))).collect();
    if all.is_empty() || ceilings.is_empty() {
        return chart.without("a roofline needs a measured product and an issue rate");
    }
    draw(chart, &all, ceilings, copy)
}

fn intensity(product: &Product) -> f64 {
    let element = u64::from(product.arithmetic.precision.bits().next_power_of_two().div_ceil(8));
    #[expect(clippy::cast_precision_loss, reason = "drawn")]
    let bytes = product.shape.bytes(element, product.arithmetic.accumulate.bytes()) as f64;
    product.shape.ops().to_f64() / bytes
}

/// Least and greatest of positive values.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, 0.0), |(least, most), value| (least.min(value), most.max(value)))
}

fn draw(
    chart: Chart,
    all: &[Product],
    mut ceilings: Vec<(Arithmetic, f64)>,
    copy: Option<(&str, ByteRate)>,
) -> Chart {
    ceilings.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (lowest, highest) = range(ceilings.iter().map(|ceiling| ceiling.1));
    let ridges = copy.map(|(_, rate)| (lowest / rate.get(), highest / rate.get()));
    let of_ridges = ridges.into_iter().flat_map(|(first, last)| [first, last]);
    let (low, high) = range(all.iter().map(intensity).chain(of_ridges));
    let (low, high) = (low / 4.0, high * 4.0);
    let (least, most) = range(all.iter().map(|product| product.rate.get()).chain([lowest, highest]));
    let (bottom, top) = (least / 3.0, most * 3.0);
    let mut layout = Layout::new((low, high), (bottom, top))
        .with_log_scale()
        .with_x_label("operations per byte")
        .with_y_label("operations per second")
        .with_y_tick_format(si_ticks())
        .with_height(460.0);
    layout.show_legend = true;
    let mut plots = Vec::new();
    let line = |from: (f64, f64), to: (f64, f64), colour: &str| {
        Plot::Line(LinePlot::new().with_data([from, to]).with_color(colour).with_stroke_width(1.4))
    };
    for (_, rate) in &ceilings {
        let from = copy.map_or(low, |(_, bandwidth)| rate / bandwidth.get());
        plots.push(line((from, *rate), (high, *rate), ISSUE));
    }
    for (name, rate) in labels(&ceilings) {
        // The label stands to the right, in the middle of the last quarter of a logarithmic axis.
        let at = high / (high / low).powf(0.14);
        layout =
            layout.with_annotation(TextAnnotation::new(name, at, rate).with_color(INK).with_font_size(12));
    }
    if let Some((what, bandwidth)) = copy {
        let from = low.max(bottom / bandwidth.get());
        plots.push(line((from, from * bandwidth.get()), (highest / bandwidth.get(), highest), BURST));
        // To the left of the slope, in its middle.
        let at = (from * highest / bandwidth.get()).sqrt() / (high / low).powf(0.08);
        let name = format!("{what}, {bandwidth}");
        let text = TextAnnotation::new(name, at, (at * bandwidth.get() * 1.5).min(top / 1.3));
        layout = layout.with_annotation(text.with_color(INK).with_font_size(12));
    }
    plots.extend(points(all));
    chart.drawn(plots, layout)
}

/// One label for ceilings that are near each other, at the highest of them.
fn labels(ceilings: &[(Arithmetic, f64)]) -> Vec<(String, f64)> {
    let mut labels: Vec<(Vec<String>, f64)> = Vec::new();
    for (arithmetic, rate) in ceilings {
        match labels.last_mut() {
            Some((names, last)) if *rate < *last * NEAR => {
                names.push(arithmetic.to_string());
                *last = *rate;
            }
            _ => labels.push((vec![arithmetic.to_string()], *rate)),
        }
    }
    labels.into_iter().map(|(names, rate)| (format!("{} issue", names.join(", ")), rate)).collect()
}

/// One series a precision, told apart by shape as well as by colour.
fn points(all: &[Product]) -> Vec<Plot> {
    use MarkerShape::{Circle, Cross, Diamond, Plus, Square, Triangle, TriangleDown};
    let shapes = [Circle, Square, Triangle, Diamond, TriangleDown, Cross, Plus];
    let colours = [SUSTAINED, ISSUE, MARK, BURST, INK];
    let mut known: Vec<Arithmetic> = all.iter().map(|product| product.arithmetic).collect();
    known.sort();
    known.dedup();
    let looks = shapes.into_iter().cycle().zip(colours.into_iter().cycle());
    let series = known.into_iter().zip(looks).map(|(arithmetic, (shape, colour))| {
        let of = all.iter().filter(|product| product.arithmetic == arithmetic);
        let data: Vec<(f64, f64)> = of.map(|product| (intensity(product), product.rate.get())).collect();
        let plot = ScatterPlot::new().with_data(data).with_marker(shape).with_color(colour).with_size(5.0);
        Plot::Scatter(plot.with_legend(format!("{arithmetic} product")))
    });
    series.collect()
}

//! Products by their shape, by their data and by their arithmetic intensity.

use std::collections::BTreeMap;

use kuva::plot::scatter::ScatterPlot;
use kuva::plot::{BarPlot, ColorMap, Heatmap, LinePlot};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::{Chart, Data, DeviceRun, INK, ISSUE, SUSTAINED, si_ticks};
use crate::measure::Measured;
use crate::precision::Precision;
use crate::record::Measurement;
use crate::report::summary::three_figures;
use crate::units::{OpRate, Ratio};
use crate::workload::{Distribution, GemmShape, Work};

/// One measured product.
struct Product {
    precision: Precision,
    shape: GemmShape,
    input: Distribution,
    rate: OpRate,
}

fn products(run: &DeviceRun<'_>) -> Vec<Product> {
    let one = |(measurement, measured): (&Measurement, &Measured)| {
        let Work::Gemm { shape, input, .. } = measurement.request.work else { return None };
        let rate = measured.headline()?.statistics.rate_op_per_s.median;
        Some(Product { precision: measurement.request.precision, shape, input, rate })
    };
    run.products().filter_map(one).collect()
}

fn row(product: &Product) -> Vec<String> {
    vec![
        product.precision.to_string(),
        product.shape.to_string(),
        product.input.to_string(),
        product.rate.display(product.precision.is_integer()),
    ]
}

fn table(products: &[&Product]) -> Data {
    let rows = products.iter().map(|product| row(product)).collect();
    Data { header: vec!["precision", "shape", "input", "rate"], rows }
}

/// Heat map of a sweep: shapes by precision, as a share of the best of the precision.
pub fn shapes(run: &DeviceRun<'_>) -> Chart {
    let all = products(run);
    let found: Vec<&Product> = all.iter().filter(|product| product.input == Distribution::Normal).collect();
    let mut best: BTreeMap<Precision, f64> = BTreeMap::new();
    let mut shapes: Vec<GemmShape> = Vec::new();
    for product in &found {
        let most = best.entry(product.precision).or_default();
        *most = most.max(product.rate.get());
        if !shapes.contains(&product.shape) {
            shapes.push(product.shape);
        }
    }
    let title = format!("Shapes: {}", run.name());
    let description = "Rate of each shape as a percentage of the best shape of the same precision, normal data. \
        Brighter is faster; an empty cell was not measured.";
    let chart = Chart::new("shapes", &run.id(), title, description.to_owned(), table(&found));
    if shapes.len() < 3 {
        return chart.without("fewer than three shapes were measured; --sweep coarse measures about sixty");
    }
    shapes.sort_by_key(|shape| shape.ops());
    let cell = |precision: &Precision, shape: &GemmShape| {
        let product = found.iter().find(|p| p.precision == *precision && p.shape == *shape)?;
        Some((product.rate.get() / best.get(precision)? * 100.0).round())
    };
    let rows: Vec<Vec<f64>> = shapes
        .iter()
        .map(|shape| best.keys().map(|precision| cell(precision, shape).unwrap_or(f64::NAN)).collect())
        .collect();
    let names = shapes.iter().map(ToString::to_string).collect();
    let columns = best.keys().map(ToString::to_string).collect();
    let map = Heatmap::new()
        .with_data(rows)
        .with_labels(names, columns)
        .with_color_map(ColorMap::Viridis)
        .with_values();
    #[expect(clippy::cast_precision_loss, reason = "some sixty rows")]
    let height = 120.0 + 22.0 * shapes.len() as f64;
    let plots = vec![Plot::Heatmap(map)];
    let layout = Layout::auto_from_plots(&plots).with_height(height);
    chart.drawn(plots, layout)
}

/// Bars of the rate by input distribution, as a share of normal data.
pub fn inputs(run: &DeviceRun<'_>) -> Chart {
    let all = products(run);
    let several = |product: &&Product| {
        all.iter()
            .any(|o| (o.precision, o.shape) == (product.precision, product.shape) && o.input != product.input)
    };
    let found: Vec<&Product> = all.iter().filter(several).collect();
    let title = format!("Sensitivity to data: {}", run.name());
    let description = "Rate of the same product on other data, as a share of that on normal data. Data changes power \
        and with it the clock.";
    let chart = Chart::new("inputs", &run.id(), title, description.to_owned(), table(&found));
    if found.is_empty() {
        return chart.without("one distribution of operands was measured; --input all measures five");
    }
    let normal = |product: &Product| {
        let same = |o: &&Product| {
            (o.precision, o.shape, o.input) == (product.precision, product.shape, Distribution::Normal)
        };
        all.iter().find(same).map(|normal| normal.rate)
    };
    let bars: Vec<(String, f64)> = found
        .iter()
        .rev()
        .filter_map(|product| {
            let share = product.rate.over(normal(product)?)?;
            Some((format!("{} {} {}", product.precision, product.shape, product.input), share.get()))
        })
        .collect();
    if bars.is_empty() {
        return chart.without("normal data, with which the others are compared, was not measured");
    }
    let most = bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "some ten rows")]
    let count = bars.len() as f64;
    let percent = |value: f64| Ratio::new(value).unwrap_or_default().to_string();
    let layout = Layout::new((0.0, most * 1.05), (0.4, count + 0.6))
        .with_y_categories(bars.iter().map(|bar| bar.0.clone()).collect())
        .with_x_label("rate over that on normal data")
        .with_x_tick_format(kuva::render::layout::TickFormat::Custom(std::sync::Arc::new(percent)))
        .with_height(100.0 + 28.0 * count);
    let plot = bars.into_iter().fold(BarPlot::new().with_horizontal(true), |plot, (name, share)| {
        plot.with_colored_bar(name, share, SUSTAINED)
    });
    chart.drawn(vec![Plot::Bar(plot)], layout)
}

/// Products by arithmetic intensity under the issue rates of their precisions.
pub fn roofline(run: &DeviceRun<'_>) -> Chart {
    let all = products(run);
    let intensity = |product: &Product| {
        let element = u64::from(product.precision.bits().next_power_of_two().div_ceil(8));
        #[expect(clippy::cast_precision_loss, reason = "drawn")]
        let bytes = product.shape.bytes(element, element.max(4)) as f64;
        product.shape.ops().to_f64() / bytes
    };
    let rows = all
        .iter()
        .map(|product| {
            let mut cells = row(product);
            cells.push(format!("{:.1}", intensity(product)));
            cells
        })
        .collect();
    let table = Data {
        header: vec!["precision", "shape", "input", "rate", "operations per byte, each operand once"],
        rows,
    };
    let title = format!("Roofline: {}", run.name());
    let description = "Points: products by operations per byte of A, B and C, each moved once. Lines: the measured \
        issue rate of each precision. There is no bandwidth slope: no memory bandwidth is in the record.";
    let chart = Chart::new("roofline", &run.id(), title, description.to_owned(), table);
    let ceilings: Vec<(String, f64)> = three_figures(run)
        .iter()
        .filter_map(|row| Some((format!("{} issue", row.name()), row.issue?.median.get())))
        .collect();
    if all.is_empty() || ceilings.is_empty() {
        return chart.without("a roofline needs a measured product and an issue rate");
    }
    let at: Vec<f64> = all.iter().map(intensity).collect();
    let low = at.iter().copied().fold(f64::INFINITY, f64::min) / 4.0;
    let high = at.iter().copied().fold(0.0, f64::max) * 4.0;
    let rates = all.iter().map(|p| p.rate.get()).chain(ceilings.iter().map(|c| c.1));
    let (least, most) = rates.fold((f64::INFINITY, 0.0_f64), |(l, m), rate| (l.min(rate), m.max(rate)));
    let points: Vec<(f64, f64)> = at.iter().copied().zip(all.iter().map(|p| p.rate.get())).collect();
    let names: Vec<String> = all.iter().map(|p| format!("{} {}", p.precision, p.shape)).collect();
    let scatter = ScatterPlot::new().with_data(points).with_color(SUSTAINED).with_size(4.5);
    let scatter = if names.len() <= 12 { scatter.with_labels(names).with_repel_labels() } else { scatter };
    let mut plots = vec![Plot::Scatter(scatter)];
    let mut layout = Layout::new((low, high), (least / 2.0, most * 2.5))
        .with_log_scale()
        .with_x_label("operations per byte")
        .with_y_label("operations per second")
        .with_y_tick_format(si_ticks())
        .with_height(440.0);
    for (name, rate) in ceilings {
        let line =
            LinePlot::new().with_data([(low, rate), (high, rate)]).with_color(ISSUE).with_stroke_width(1.2);
        plots.push(Plot::Line(line));
        layout = layout.with_annotation(
            kuva::plot::annotations::TextAnnotation::new(name, low * 2.0, rate)
                .with_color(INK)
                .with_font_size(12),
        );
    }
    chart.drawn(plots, layout)
}

//! Products, and how their rate depends on their data.

use kuva::plot::BarPlot;
use kuva::plot::annotations::TextAnnotation;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::{Chart, Data, DeviceRun, SUSTAINED};
use crate::measure::Measured;
use crate::precision::Arithmetic;
use crate::record::Measurement;
use crate::units::{OpRate, Ratio};
use crate::workload::{Distribution, GemmShape, Work};

/// Height of a row of bars, in pixels.
const ROW: f64 = 28.0;

/// One measured product.
pub(super) struct Product {
    pub(super) arithmetic: Arithmetic,
    pub(super) shape: GemmShape,
    pub(super) input: Distribution,
    pub(super) rate: OpRate,
}

pub(super) fn products(run: &DeviceRun<'_>) -> Vec<Product> {
    let one = |(measurement, measured): (&Measurement, &Measured)| {
        let Work::Gemm { shape, input, .. } = measurement.request.work else { return None };
        let rate = measured.headline()?.statistics.rate_op_per_s.median;
        Some(Product { arithmetic: measurement.arithmetic(), shape, input, rate })
    };
    run.products().filter_map(one).collect()
}

pub(super) fn row(product: &Product) -> Vec<String> {
    vec![
        product.arithmetic.to_string(),
        product.shape.to_string(),
        product.input.to_string(),
        product.rate.display(product.arithmetic.precision.is_integer()),
    ]
}

pub(super) fn table(products: &[&Product]) -> Data {
    let rows = products.iter().map(|product| row(product)).collect();
    Data::new(&["precision", "shape", "input", "rate"], rows)
}

/// Bars of the rate by input distribution, as a share of normal data.
pub fn inputs(run: &DeviceRun<'_>) -> Chart {
    let all = products(run);
    let several = |product: &&Product| {
        all.iter().any(|o| {
            (o.arithmetic, o.shape) == (product.arithmetic, product.shape) && o.input != product.input
        })
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
            (o.arithmetic, o.shape, o.input) == (product.arithmetic, product.shape, Distribution::Normal)
        };
        all.iter().find(same).map(|normal| normal.rate)
    };
    let bars: Vec<(String, f64)> = found
        .iter()
        .rev()
        .filter_map(|product| {
            let share = product.rate.over(normal(product)?)?;
            Some((format!("{} {} {}", product.arithmetic, product.shape, product.input), share.get()))
        })
        .collect();
    if bars.is_empty() {
        return chart.without("normal data, with which the others are compared, was not measured");
    }
    let most = bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "some ten rows")]
    let count = bars.len() as f64;
    let percent = |value: f64| Ratio::new(value).unwrap_or_default().to_string();
    let mut layout = Layout::new((0.0, most * 1.14), (0.4, count + 0.6))
        .with_y_categories(bars.iter().map(|bar| bar.0.clone()).collect())
        .with_x_label("rate over that on normal data")
        .with_x_tick_format(kuva::render::layout::TickFormat::Custom(std::sync::Arc::new(percent)))
        .with_clamp_axis()
        .with_height(100.0 + ROW * count);
    for (row, (_, share)) in (1_u32..).zip(&bars) {
        // The library puts the foot of a label 6 pixels above its point.
        let text = TextAnnotation::new(percent(*share), share + most * 0.05, f64::from(row) - 10.0 / ROW);
        layout = layout.with_annotation(text.with_font_size(11));
    }
    let plot = bars.into_iter().fold(BarPlot::new().with_horizontal(true), |plot, (name, share)| {
        plot.with_colored_bar(name, share, SUSTAINED)
    });
    chart.drawn(vec![Plot::Bar(plot)], layout)
}

//! Distribution of the samples of every case.

use kuva::plot::StripPlot;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::device::case;
use super::{Chart, Data, DeviceRun, SUSTAINED};
use crate::units::Ratio;

/// Most samples of a device that are drawn: a thorough sweep has so many that they alone would be a page of megabytes.
const DRAWN: usize = 2000;
/// Fewest samples of a case that are drawn where it has them.
const LEAST: usize = 5;

/// Every sample over the median of its case.
pub fn spread(run: &DeviceRun<'_>) -> Chart {
    let mut rows = Vec::new();
    let strip = StripPlot::new()
        .with_horizontal(true)
        .with_color(SUSTAINED)
        .with_point_size(2.2)
        .with_jitter(0.5)
        .with_marker_opacity(0.55);
    let mut groups = Vec::new();
    let (mut low, mut high) = (1.0_f64, 1.0_f64);
    for (measurement, measured) in run.measured() {
        let Some(headline) = measured.headline() else { continue };
        let statistics = headline.statistics;
        let median = statistics.rate_op_per_s.median.get();
        let shown = |rate: crate::units::OpRate| rate.display(measurement.request.precision.is_integer());
        rows.push(vec![
            case(measurement),
            format!("{} of {}", headline.clean, headline.of),
            shown(statistics.p5_op_per_s),
            shown(statistics.rate_op_per_s.median),
            shown(statistics.p95_op_per_s),
            statistics.spread.to_string(),
        ]);
        let times = measured.samples.seconds_per_op(measured.ops_per_iteration);
        let relative: Vec<f64> = times.iter().map(|time| 1.0 / (time * median)).collect();
        low = relative.iter().copied().fold(low, f64::min);
        high = relative.iter().copied().fold(high, f64::max);
        groups.push((case(measurement), relative));
    }
    let table = Data::new(&["case", "clean samples", "5 %", "median", "95 %", "spread"], rows);
    let title = format!("Distribution of samples: {}", run.name());
    let most = (DRAWN / groups.len().max(1)).max(LEAST);
    let description = described(groups.iter().any(|group| group.1.len() > most).then_some(most));
    let chart = Chart::new("samples", &run.id(), title, description, table);
    if groups.is_empty() {
        return chart.without("no case of this device was measured, so there is no sample");
    }
    #[expect(clippy::cast_precision_loss, reason = "some hundred rows")]
    let count = groups.len() as f64;
    // The library draws from the bottom, and the first case belongs on top.
    let labels = groups.iter().rev().map(|group| group.0.clone()).collect();
    let strip = groups
        .into_iter()
        .rev()
        .fold(strip, |strip, (name, shares)| strip.with_group(name, evenly(shares, most)));
    let margin = 0.03 * (high - low).max(0.01);
    let percent = |value: f64| Ratio::new(value).unwrap_or_default().to_string();
    let layout = Layout::new((low - margin, high + margin), (0.4, count + 0.6))
        .with_y_categories(labels)
        .with_x_label("rate of a sample over the median of its case")
        .with_clamp_axis()
        .with_x_tick_format(kuva::render::layout::TickFormat::Custom(std::sync::Arc::new(percent)))
        .with_height(110.0 + 30.0 * count);
    chart.drawn(vec![Plot::Strip(strip)], layout)
}

/// What the chart shows, of each case at most `thinned` samples.
fn described(thinned: Option<usize>) -> String {
    let dots = "Each dot is one timed sample, as a share of the median rate of its case; narrow is steady, and a tail to \
        the left is time lost to something else.";
    match thinned {
        None => dots.to_owned(),
        Some(most) => format!(
            "{dots} Of each case {most} samples are drawn, evenly from slow to fast with both ends; the table is of all."
        ),
    }
}

/// At most `most` of `shares`, evenly over their ranks, the least and the greatest among them.
fn evenly(mut shares: Vec<f64>, most: usize) -> Vec<f64> {
    if shares.len() <= most {
        return shares;
    }
    shares.sort_by(f64::total_cmp);
    (0..most).filter_map(|at| shares.get(at * (shares.len() - 1) / (most - 1)).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::evenly;

    #[test]
    fn few_samples_are_all_drawn_and_many_evenly_with_both_ends() {
        assert_eq!(evenly(vec![3.0, 1.0, 2.0], 5), [3.0, 1.0, 2.0]);
        let many: Vec<f64> = (0..1001_u32).rev().map(f64::from).collect();
        assert_eq!(evenly(many, 5), [0.0, 250.0, 500.0, 750.0, 1000.0]);
    }
}

//! What the device did over time in one case: rate, clock, power and temperature on one time axis.

use kuva::plot::LinePlot;
use kuva::plot::scatter::{MarkerShape, ScatterPlot};
use kuva::render::plots::Plot;
use kuva::render::track_stack::{AxisSpec, PlotTrack, RegionHighlight, TrackHeight, TrackStack, XAxisFormat};

use super::device::case;
use super::{BURST, Chart, Data, DeviceRun, INK, MARK, SHADE, SUSTAINED, WIDTH, theme};
use crate::backend::Conditions;
use crate::measure::Measured;
use crate::units::OpRate;

/// One point of the time line.
struct Point {
    at: f64,
    phase: &'static str,
    rate: f64,
    conditions: Conditions,
}

/// The time line of the case that took longest, the most telling one of its device.
pub fn timeline(run: &DeviceRun<'_>) -> Chart {
    let length =
        |measured: &Measured| measured.windows.iter().map(|window| window.elapsed_s.get()).sum::<f64>();
    let longest = run.products().max_by(|a, b| length(a.1).total_cmp(&length(b.1)));
    let Some((measurement, measured)) = longest else {
        let title = format!("Run over time: {}", run.name());
        let chart = Chart::new("timeline", &run.id(), title, String::new(), Data::default());
        return chart.without("no product was measured on this device, so there is no sustained run to show");
    };
    let points = points(measured);
    let title = format!("Run over time: {}, {}", run.name(), case(measurement));
    let absent: Vec<&str> = QUANTITIES
        .iter()
        .filter(|(.., reading)| points.iter().all(|point| reading(point).is_none()))
        .map(|(name, ..)| *name)
        .collect();
    let missing = if absent.is_empty() {
        String::new()
    } else {
        format!(" No reading of {}: the device or its driver gave none.", absent.join(", "))
    };
    let description = format!(
        "Burst and heat are shaded; then the plateau, then the samples behind the figure. Crosses mark readings with \
         a throttle reason.{missing}"
    );
    let integer = measurement.request.precision.is_integer();
    let table = Data::new(
        &["time, s", "phase", "rate", "clock", "power", "temperature", "throttled"],
        points.iter().map(|point| cells(point, integer)).collect(),
    );
    let chart = Chart::new("timeline", &run.id(), title, description, table);
    chart.of(stack(&points, measured, integer).render(WIDTH))
}

type Reading = fn(&Point) -> Option<f64>;

const QUANTITIES: [(&str, &str, Reading); 4] = [
    ("rate", "rate", |point| Some(point.rate)),
    ("clock", "clock, GHz", |point| Some(point.conditions.clock_hz?.get() / 1e9)),
    ("power", "power, W", |point| Some(point.conditions.power_w?.get())),
    ("temperature", "°C", |point| Some(point.conditions.temperature_c?.get())),
];

fn points(measured: &Measured) -> Vec<Point> {
    let ops = measured.ops_per_iteration.to_f64();
    #[expect(clippy::cast_precision_loss, reason = "drawn")]
    let rate = |iterations: u64, elapsed: f64| iterations as f64 * ops / elapsed;
    let windows = measured.windows.iter().map(|window| Point {
        at: window.start_s.get(),
        phase: match window.phase {
            crate::measure::Phase::Burst => "burst",
            crate::measure::Phase::Heat => "heat",
            crate::measure::Phase::Plateau => "plateau",
            crate::measure::Phase::Sample => "sample",
        },
        rate: rate(window.iterations, window.elapsed_s.get()),
        conditions: window.conditions,
    });
    let samples = &measured.samples;
    let taken =
        samples.start_s.iter().zip(&samples.elapsed_s).zip(&samples.iterations).zip(&samples.conditions);
    let taken = taken.map(|(((start, elapsed), iterations), conditions)| Point {
        at: start.get(),
        phase: "sample",
        rate: rate(*iterations, elapsed.get()),
        conditions: conditions.unwrap_or_default(),
    });
    windows.chain(taken).filter(|point| point.rate.is_finite()).collect()
}

/// The unit in which the fastest of `points` has one to three digits, and its name.
fn unit(points: &[Point], integer: bool) -> (f64, String) {
    let most = points.iter().map(|point| point.rate).fold(0.0, f64::max);
    let steps = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    let (scale, prefix) = steps.into_iter().find(|step| most >= step.0).unwrap_or((1.0, ""));
    (scale, format!("{prefix}{}/s", if integer { "OP" } else { "FLOP" }))
}

fn stack(points: &[Point], measured: &Measured, integer: bool) -> TrackStack {
    let (scale, unit) = unit(points, integer);
    let first = points.first().map_or(0.0, |point| point.at);
    let last = points.last().map_or(1.0, |point| point.at);
    let mut stack =
        TrackStack::new().with_theme(theme()).x_range(first, last.max(first + 1e-6)).spacing(10.0);
    for window in &measured.windows {
        let opacity = match window.phase {
            crate::measure::Phase::Burst => 0.45,
            crate::measure::Phase::Heat => 0.2,
            _ => continue,
        };
        let (start, length) = (window.start_s.get(), window.elapsed_s.get());
        stack = stack
            .underlay(RegionHighlight::new(start, start + length).with_fill(SHADE).with_opacity(opacity));
    }
    let colours = [SUSTAINED, BURST, INK, MARK];
    for ((name, label, reading), colour) in QUANTITIES.into_iter().zip(colours) {
        let (scale, label) = if name == "rate" { (scale, unit.clone()) } else { (1.0, label.to_owned()) };
        let reading = |point: &Point| reading(point).map(|value| value / scale);
        let read: Vec<(f64, f64)> =
            points.iter().filter_map(|point| Some((point.at, reading(point)?))).collect();
        if read.is_empty() {
            continue;
        }
        let throttled = points.iter().filter(|point| point.conditions.throttle.is_some_and(|mask| mask != 0));
        let crosses: Vec<(f64, f64)> =
            throttled.filter_map(|point| Some((point.at, reading(point)?))).collect();
        let line = LinePlot::new().with_data(read).with_color(colour).with_stroke_width(1.4);
        let mut plots =
            vec![Plot::Line(line), room(first, &points.iter().filter_map(reading).collect::<Vec<_>>())];
        if !crosses.is_empty() {
            let marks = ScatterPlot::new().with_data(crosses).with_marker(MarkerShape::Cross);
            plots.push(Plot::Scatter(marks.with_color(MARK).with_size(4.0)));
        }
        stack = stack.track(PlotTrack::new(plots).with_y_label(label).with_height(TrackHeight::Fixed(135.0)));
    }
    stack.x_axis_with(AxisSpec::default().with_label("device time, s").with_format(XAxisFormat::Numeric))
}

/// Nothing visible, but room about `values` of a tenth of the greatest: on an axis of its own a constant is no cliff.
fn room(at: f64, values: &[f64]) -> Plot {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let margin = most.abs() / 10.0;
    Plot::Scatter(ScatterPlot::new().with_data([(at, least - margin), (at, most + margin)]).with_size(0.0))
}

fn cells(point: &Point, integer: bool) -> Vec<String> {
    let none = || "no reading".to_owned();
    let conditions = &point.conditions;
    vec![
        format!("{:.3}", point.at),
        point.phase.to_owned(),
        OpRate::new(point.rate).map_or_else(|_| none(), |rate| rate.display(integer)),
        conditions.clock_hz.map_or_else(none, |clock| clock.to_string()),
        conditions.power_w.map_or_else(none, |power| power.to_string()),
        conditions.temperature_c.map_or_else(none, |temperature| temperature.to_string()),
        conditions
            .throttle
            .map_or_else(none, |mask| if mask == 0 { "no".to_owned() } else { format!("mask {mask:#x}") }),
    ]
}

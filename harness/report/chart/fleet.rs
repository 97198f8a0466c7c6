//! The nodes of a fleet, case by case, against the limits of their group.

use std::collections::BTreeMap;

use kuva::plot::annotations::TextAnnotation;
use kuva::plot::scatter::{MarkerShape, ScatterPlot};
use kuva::plot::{LinePlot, StripPlot};
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;

use super::{Chart, Data, INK, MARK, SUSTAINED, THEORETICAL};
use crate::accept::{Fleet, FleetDevice, FleetNode, Group as FleetGroup, Verdict};
use crate::precision::Arithmetic;
use crate::units::{OpRate, Ratio};

/// Most passing nodes of one case that are drawn; a strip of more is one blot.
const DRAWN: usize = 1500;
/// Most nodes of one case that are named in the drawing.
const NAMED: usize = 5;
/// Width of a letter as a share of the axis.
const LETTER: f64 = 0.0105;

/// A node in one case.
struct Point<'a> {
    node: &'a FleetNode,
    device: &'a FleetDevice,
    /// Rate of its slowest device.
    rate: OpRate,
    /// The same over the median of the group.
    share: f64,
    /// Whether the fleet calls a device of it an outlier in this case.
    outlier: bool,
}

/// A strip of nodes per case, with the limits of each group and what lies outside named.
pub fn fleet(number: usize, fleet: &Fleet) -> Chart {
    let several =
        fleet.groups.iter().any(|group| Some(&group.model) != fleet.groups.first().map(|g| &g.model));
    let cases: Vec<String> = fleet.groups.iter().map(|group| case(group, several)).collect();
    let mut header = vec!["node", "state", "verdict", "reason"];
    header.extend(cases.iter().map(String::as_str));
    let strips: Vec<Vec<Point<'_>>> = fleet.groups.iter().map(|group| points(fleet, group)).collect();
    let mut rates: Vec<BTreeMap<&str, String>> = Vec::new();
    for (group, strip) in fleet.groups.iter().zip(&strips) {
        let mut of = BTreeMap::new();
        for point in strip {
            of.insert(point.node.node.as_str(), point.rate.display(group.precision.is_integer()));
        }
        rates.push(of);
    }
    let row = |node: &FleetNode| {
        let mut cells = vec![
            node.node.clone(),
            node.state.name().to_owned(),
            node.verdict.name().to_owned(),
            node.reason.to_string(),
        ];
        let none = || "no figure".to_owned();
        cells.extend(rates.iter().map(|of| of.get(node.node.as_str()).cloned().unwrap_or_else(none)));
        cells
    };
    let table = Data::new(&header, fleet.nodes.iter().map(row).collect());
    let thinned = strips.iter().any(|strip| strip.iter().filter(|p| is_quiet(p)).count() > DRAWN);
    let thinning = if thinned {
        format!(
            " Of passing nodes {DRAWN} a case are drawn, evenly from slow to fast; the table has every node."
        )
    } else {
        String::new()
    };
    let description = format!(
        "Each mark is the slowest device of one node, over the median of its group: dots pass, diamonds pass with \
         an outlier, crosses fail, triangles are inconclusive. Dashed: the limits beyond which a device is an \
         outlier; solid: the floor that the spec asked for. The slowest outside are named.{thinning}"
    );
    let title = format!("Nodes of the fleet by case{}", if fleet.simulated { " [SIMULATED]" } else { "" });
    let chart = Chart::new("fleet", &number.to_string(), title, description, table);
    if strips.iter().all(Vec::is_empty) {
        return chart.without("no node of this fleet has a rate");
    }
    draw(chart, fleet, &cases, &strips)
}

/// The case of a group in words.
pub(in crate::report) fn case(group: &FleetGroup, with_model: bool) -> String {
    let arithmetic = Arithmetic { precision: group.precision, accumulate: group.accumulate };
    let case = format!("{arithmetic} {}", group.method);
    if with_model { format!("{case}, {}", group.model) } else { case }
}

fn points<'a>(fleet: &'a Fleet, group: &FleetGroup) -> Vec<Point<'a>> {
    let of = |device: &FleetDevice| {
        (&device.model, &device.backend, device.kind) == (&group.model, &group.backend, group.kind)
    };
    let median = group.median_op_per_s.get();
    let one = |node: &'a FleetNode| {
        let rates = node.devices.iter().filter(|device| of(device)).flat_map(|device| {
            let same = |rate: &&crate::accept::DeviceRate| {
                (rate.method, rate.precision, rate.accumulate)
                    == (group.method, group.precision, group.accumulate)
            };
            device.rates.iter().filter(same).map(move |rate| (device, rate.rate_op_per_s))
        });
        let (device, rate) = rates.min_by(|a, b| a.1.get().total_cmp(&b.1.get()))?;
        let share = rate.get() / median;
        share.is_finite().then_some(Point { node, device, rate, share, outlier: false })
    };
    let mut points: Vec<Point<'a>> = fleet.nodes.iter().filter_map(one).collect();
    for outlier in &fleet.outliers {
        if (outlier.method, outlier.precision, outlier.accumulate)
            == (group.method, group.precision, group.accumulate)
        {
            let same = |p: &&mut Point<'_>| p.node.node == outlier.node && p.device.id == outlier.device;
            points.iter_mut().filter(same).for_each(|point| point.outlier = true);
        }
    }
    points.sort_by(|a, b| a.share.total_cmp(&b.share).then_with(|| a.node.node.cmp(&b.node.node)));
    points
}

/// Neither an outlier nor of a node that does not pass.
fn is_quiet(point: &Point<'_>) -> bool {
    point.node.verdict == Verdict::Pass && !point.outlier
}

/// Beyond a limit of its group.
fn is_outside(point: &Point<'_>, [low, high, _]: [Option<f64>; 3]) -> bool {
    point.outlier || low.is_some_and(|low| point.share < low) || high.is_some_and(|high| point.share > high)
}

fn look(point: &Point<'_>) -> (&'static str, MarkerShape) {
    match point.node.verdict {
        Verdict::Pass if point.outlier => (MARK, MarkerShape::Diamond),
        Verdict::Pass => (SUSTAINED, MarkerShape::Circle),
        Verdict::Inconclusive => (THEORETICAL, MarkerShape::Triangle),
        Verdict::Fail => (MARK, MarkerShape::Cross),
    }
}

/// Where the outlier limits and the floor of each group lie, over its median.
fn shares_of_limits(fleet: &Fleet) -> Vec<[Option<f64>; 3]> {
    let share = |group: &FleetGroup| {
        let over = |limit: Option<OpRate>| limit.map(|limit| limit.get() / group.median_op_per_s.get());
        [over(group.low_limit_op_per_s), over(group.high_limit_op_per_s), over(group.floor_op_per_s)]
    };
    fleet.groups.iter().map(share).collect()
}

fn draw(chart: Chart, fleet: &Fleet, cases: &[String], strips: &[Vec<Point<'_>>]) -> Chart {
    let limits = shares_of_limits(fleet);
    let all =
        strips.iter().flatten().map(|point| point.share).chain(limits.iter().flatten().flatten().copied());
    let (low, high) = all.fold((1.0_f64, 1.0_f64), |(low, high), share| (low.min(share), high.max(share)));
    let margin = 0.06 * (high - low).max(0.01);
    let (low, high) = (low - margin, high + margin);
    #[expect(clippy::cast_precision_loss, reason = "some ten rows")]
    let count = cases.len() as f64;
    let percent = |value: f64| Ratio::new(value).unwrap_or_default().to_string();
    let mut layout = Layout::new((low, high), (0.4, count + 0.6))
        .with_y_categories(cases.iter().rev().cloned().collect())
        .with_x_axis_min(low)
        .with_x_axis_max(high)
        .with_x_label("rate of a node's slowest device over the median of its group")
        .with_x_tick_format(TickFormat::Custom(std::sync::Arc::new(percent)))
        .with_height(110.0 + 96.0 * count);
    let mut strip =
        StripPlot::new().with_horizontal(true).with_point_size(2.6).with_jitter(0.6).with_marker_opacity(0.6);
    let mut plots = Vec::new();
    // The first case stands on top.
    for (place, ((name, points), limits)) in cases.iter().zip(strips).zip(&limits).rev().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "some ten rows")]
        let at = place as f64 + 1.0;
        let (quiet, loud): (Vec<&Point<'_>>, Vec<&Point<'_>>) =
            points.iter().partition(|point| is_quiet(point));
        let (outside, inside): (Vec<&Point<'_>>, Vec<&Point<'_>>) =
            loud.into_iter().partition(|point| is_outside(point, *limits));
        let (named, rest) = outside.split_at(outside.len().min(NAMED));
        let drawn = thinned(&quiet).into_iter().chain(inside).chain(rest.iter().copied());
        strip = strip.with_styled_group(
            name.as_str(),
            drawn.map(|point| {
                let (colour, shape) = look(point);
                (point.share, colour, shape)
            }),
        );
        for (limit, is_floor) in limits.iter().zip([false, false, true]) {
            let Some(limit) = *limit else { continue };
            let line = LinePlot::new().with_data([(limit, at - 0.44), (limit, at + 0.44)]);
            let line = line.with_color(INK).with_stroke_width(1.4);
            plots.push(Plot::Line(if is_floor { line } else { line.with_dashed() }));
        }
        let edge = left_edge(&outside, low, high);
        for (row, point) in named.iter().enumerate() {
            #[expect(clippy::cast_precision_loss, reason = "at most five")]
            let height = at + 0.34 - 0.17 * row as f64;
            let (colour, shape) = look(point);
            let mark = ScatterPlot::new().with_data([(point.share, height)]).with_marker(shape);
            plots.push(Plot::Scatter(mark.with_color(colour).with_size(4.5)));
            let text = format!("{} {}", point.node.node, point.device.id);
            #[expect(clippy::cast_precision_loss, reason = "some twenty letters")]
            let reach = (high - low) * (text.chars().count() as f64 * LETTER / 2.0 + 0.012);
            let place = if point.share > edge { point.share - reach } else { edge + reach };
            let label = TextAnnotation::new(text, place, height - 0.1);
            layout = layout.with_annotation(label.with_color(INK).with_font_size(11));
        }
    }
    plots.insert(0, Plot::Strip(strip));
    chart.drawn(plots, layout)
}

/// The last of the marks in the left half: names there stand to the right of all of them, whether named or not.
fn left_edge(outside: &[&Point<'_>], low: f64, high: f64) -> f64 {
    let left = outside.iter().map(|point| point.share).filter(|share| *share <= f64::midpoint(low, high));
    left.fold(low, f64::max)
}

/// At most [`DRAWN`] of points in order, evenly over their ranks.
fn thinned<'a, 'b>(points: &[&'b Point<'a>]) -> Vec<&'b Point<'a>> {
    if points.len() <= DRAWN {
        return points.to_vec();
    }
    (0..DRAWN).filter_map(|at| points.get(at * (points.len() - 1) / (DRAWN - 1)).copied()).collect()
}

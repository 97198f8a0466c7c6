//! The sets of a cluster against the limits of the rules.

use kuva::plot::LinePlot;
use kuva::plot::annotations::ReferenceLine;
use kuva::plot::scatter::{MarkerShape, ScatterPlot};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::render::{Primitive, TextAnchor, render_multiple};

use super::{Chart, Data, INK, ISSUE, MARK, SUSTAINED, THEORETICAL, WIDTH, si_ticks, styled};
use crate::cluster::MachineSet;
use crate::report::round::round;
use crate::threshold::ClusterDetermination;
use crate::units::ExactOpRate;

/// Sets that are drawn for one reading; the table has all that the file lists.
const DRAWN: usize = 4;
/// Height of a line of text, in pixels.
const ROW: f64 = 14.0;
/// Width of a letter of the name of a limit, in pixels.
const LETTER: f64 = 6.6;
/// Room at the right that is the legend's, in pixels.
const LEGEND: f64 = 145.0;
/// Letters of the name of a set or a group that are drawn.
const LETTERS: usize = 30;

/// Sets of machines with their rates against the limits, on a logarithmic axis.
pub fn sets(number: usize, cluster: &ClusterDetermination) -> Chart {
    let listed: Vec<(&str, &MachineSet)> = cluster
        .readings
        .named()
        .into_iter()
        .flat_map(|(name, r)| r.sets.iter().map(move |s| (name, s)))
        .collect();
    let header = ["reading", "set", "site", "equal sets", "machines", "accelerators", "R16", "R8", "Rmax"];
    let rows = listed.iter().map(|(reading, set)| cells(reading, set)).collect();
    let title = format!("Sets of machines against the limits: {}", cluster.name);
    let description = format!(
        "For each reading of the networks its greatest sets, at most {DRAWN}. Bars reach from R16 to Rmax, the sums of \
         the theoretical peaks of 16-bit formats and of the fastest format. Dashed: the limits of the rules."
    );
    let chart = Chart::new("sets", &number.to_string(), title, description, Data::new(&header, rows));
    // The path reading is that of bundles unless links are oversubscribed, and is no part of a verdict.
    let path_is_bundle = cluster.readings.path.sets == cluster.readings.bundle.sets;
    let mut drawn: Vec<(&str, &MachineSet)> = Vec::new();
    for (name, reading) in cluster.readings.named() {
        if name != "path" || !path_is_bundle {
            drawn.extend(reading.sets.iter().take(DRAWN).map(|set| (name, set)));
        }
    }
    drawn.retain(|(_, set)| set.rmax_op_per_s > ExactOpRate::ZERO);
    drawn.reverse();
    if drawn.is_empty() {
        return chart.without("the file lists no set with a rate; flopgauge cluster --json writes them");
    }
    draw_sets(chart, &drawn, &limits(cluster))
}

fn cells(reading: &str, set: &MachineSet) -> Vec<String> {
    vec![
        reading.to_owned(),
        members(set),
        set.site.clone().unwrap_or_else(|| "-".to_owned()),
        set.count.to_string(),
        set.machines.to_string(),
        set.accelerators.to_string(),
        set.r16_op_per_s.to_string(),
        set.r8_op_per_s.to_string(),
        set.rmax_op_per_s.to_string(),
    ]
}

/// The rows of a set in words.
fn members(set: &MachineSet) -> String {
    let named: Vec<&str> = set.rows.iter().map(|(name, _)| name.as_str()).collect();
    let listed = u64::try_from(set.rows.len()).unwrap_or(u64::MAX);
    match set.rows_in_all.saturating_sub(listed) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Limits of rates with the rules that set them.
fn limits(cluster: &ClusterDetermination) -> Vec<(f64, String)> {
    let mut limits: Vec<(String, Vec<&str>)> = Vec::new();
    for d in &cluster.determinations {
        match limits.iter_mut().find(|(limit, _)| *limit == d.limit) {
            Some((_, rules)) => rules.push(&d.rule),
            None => limits.push((d.limit.clone(), vec![&d.rule])),
        }
    }
    let one = |(limit, rules): (String, Vec<&str>)| {
        Some((limit.parse::<f64>().ok()?, format!("{}: {}", round(&limit), rules.join(", "))))
    };
    limits.into_iter().filter_map(one).filter(|(limit, _)| *limit > 0.0).collect()
}

fn draw_sets(chart: Chart, drawn: &[(&str, &MachineSet)], limits: &[(f64, String)]) -> Chart {
    let rates =
        |set: &MachineSet| [set.r16_op_per_s, set.r8_op_per_s, set.rmax_op_per_s].map(ExactOpRate::to_f64);
    let all = drawn.iter().flat_map(|(_, set)| rates(set)).chain(limits.iter().map(|limit| limit.0));
    let (least, most) = all
        .filter(|rate| *rate > 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(least, most), rate| (least.min(rate), most.max(rate)));
    #[expect(clippy::cast_precision_loss, reason = "some ten rows")]
    let count = drawn.len() as f64;
    let label = |(reading, set): &(&str, &MachineSet)| {
        let times = if set.count > 1 { format!("{} times ", set.count) } else { String::new() };
        format!("{reading}: {times}{}", cut(&members(set)))
    };
    let mut layout = Layout::new((least / 4.0, most * 4.0), (0.4, count + 1.1))
        .with_log_x()
        .with_y_categories(drawn.iter().map(label).collect())
        .with_x_label("operations per second, theoretical")
        .with_x_tick_format(si_ticks())
        .with_height(150.0 + 36.0 * count);
    layout.show_legend = true;
    for (limit, name) in limits {
        let line = ReferenceLine::vertical(*limit).with_color(INK).with_stroke_width(1.6);
        layout = layout.with_reference_line(line.with_label(name.clone()));
    }
    let mut plots = Vec::new();
    let mut marks: [Vec<(f64, f64)>; 3] = Default::default();
    for (place, (_, set)) in drawn.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "some ten rows")]
        let at = place as f64 + 1.0;
        let [r16, r8, rmax] = rates(set);
        let from = if r16 > 0.0 { r16 } else { rmax };
        let bar = LinePlot::new().with_data([(from, at), (rmax, at)]);
        plots.push(Plot::Line(bar.with_color(THEORETICAL).with_stroke_width(7.0)));
        for (of, rate) in marks.iter_mut().zip([r16, r8, rmax]) {
            of.extend((rate > 0.0).then_some((rate, at)));
        }
    }
    let looks = [
        // Rmax lies under the others, which are often equal to it.
        ("Rmax", MarkerShape::Diamond, MARK, 8.0),
        ("R8", MarkerShape::Square, SUSTAINED, 5.0),
        ("R16", MarkerShape::Circle, ISSUE, 3.5),
    ];
    for ((name, shape, colour, size), points) in looks.into_iter().zip(marks.into_iter().rev()) {
        let plot = ScatterPlot::new().with_data(points).with_marker(shape).with_color(colour);
        plots.push(Plot::Scatter(plot.with_size(size).with_legend(name)));
    }
    let mut scene = render_multiple(plots, styled(layout));
    place(&mut scene.elements, limits);
    chart.of(scene)
}

/// Puts the names of limits that have no room to the right of their lines to the left, each in a row of its own: the
/// library puts all of them to the right, and cuts them off where the drawing ends.
fn place(elements: &mut [Primitive], limits: &[(f64, String)]) {
    for (row, (_, name)) in (0_u8..).zip(limits) {
        let own =
            |element: &&mut Primitive| matches!(element, Primitive::Text { content, .. } if content == name);
        let Some(Primitive::Text { x, y, anchor, .. }) = elements.iter_mut().find(own) else { continue };
        *y += f64::from(row) * ROW;
        #[expect(clippy::cast_precision_loss, reason = "some forty letters")]
        let end = *x + name.chars().count() as f64 * LETTER;
        if end > WIDTH - LEGEND {
            *x -= 8.0;
            *anchor = TextAnchor::End;
        }
    }
}

/// At most [`LETTERS`] letters.
pub(super) fn cut(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LETTERS - 1).collect();
    format!("{kept}…")
}

//! A cluster: its sets against the limits of the rules, and a drawing of its topology with what stands alike together.

use kuva::plot::annotations::ReferenceLine;
use kuva::plot::network::NodeShape;
use kuva::plot::scatter::{MarkerShape, ScatterPlot};
use kuva::plot::{LinePlot, NetworkPlot};
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;

use super::{BURST, Chart, Data, INK, ISSUE, MARK, SUSTAINED, THEORETICAL, WIDTH, si_ticks};
use crate::cluster::{Group, GroupKind, GroupLink, Groups, MachineSet, Reading};
use crate::report::round::round;
use crate::threshold::ClusterDetermination;
use crate::units::ExactOpRate;

/// Sets that are drawn for one reading; the table has all that the file lists.
const DRAWN: usize = 4;
/// Letters of the name of a set or a group that are drawn.
const LETTERS: usize = 30;
/// Where the first tier of a topology stands, as a share of the width, so that its labels have room.
const LEFT: f64 = 0.4;

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
    chart.drawn(plots, layout)
}

/// Machines and switches in groups, and the links between them.
pub fn topology(number: usize, cluster: &ClusterDetermination) -> Chart {
    let title = format!("Topology: {}", cluster.name);
    let rows = cluster.groups.as_ref().map_or_else(Vec::new, |groups| {
        groups.links.iter().filter_map(|link| link_cells(groups, link)).collect()
    });
    let header =
        ["from", "to", "linked pairs", "fastest link", "least of a pair", "most of a pair", "joins by"];
    let grouping = match cluster.groups.as_ref().map(|groups| groups.exact) {
        Some(false) => {
            "Groups were merged until they could be drawn: their links differ, and the table says by how much."
        }
        _ => "What has equal hardware and equal links is one group.",
    };
    let description = format!(
        "Squares: machines, with their number. Circles: switches. {grouping} Thick links join their ends into one set under every reading, \
         thinner ones under some, the thinnest under none; the table names the readings."
    );
    let chart = Chart::new("topology", &number.to_string(), title, description, Data::new(&header, rows));
    match &cluster.groups {
        None => chart.without("the file has no groups; flopgauge cluster --json writes them"),
        Some(groups) if groups.groups.is_empty() => chart.without("there is neither a machine nor a switch"),
        Some(groups) => draw_topology(chart, groups),
    }
}

fn link_cells(groups: &Groups, link: &GroupLink) -> Option<Vec<String>> {
    let joins: Vec<&str> = link.joins.iter().map(|reading| reading.name()).collect();
    Some(vec![
        group_name(groups.groups.get(link.from)?),
        group_name(groups.groups.get(link.to)?),
        link.pairs.to_string(),
        link.fastest_bit_per_s.to_string(),
        link.least_pair_bit_per_s.to_string(),
        link.greatest_pair_bit_per_s.to_string(),
        if joins.is_empty() { "no reading".to_owned() } else { joins.join(", ") },
    ])
}

/// The first and the last name of a group.
fn span(group: &Group) -> String {
    group.last.as_ref().map_or_else(|| group.first.clone(), |last| format!("{} … {last}", group.first))
}

fn group_name(group: &Group) -> String {
    let name = span(group);
    match group.kind {
        GroupKind::Machines => {
            format!("{name}: {} machines, {} accelerators", group.members, group.accelerators)
        }
        GroupKind::Switches if group.members == 1 => name,
        GroupKind::Switches => format!("{name}: {} switches", group.members),
    }
}

fn draw_topology(chart: Chart, groups: &Groups) -> Chart {
    let tiers = tiers(groups);
    let last = tiers.iter().copied().max().unwrap_or(0);
    let tallest = (0..=last).map(|tier| tiers.iter().filter(|t| **t == tier).count()).max().unwrap_or(1);
    #[expect(clippy::cast_precision_loss, reason = "at most 24 groups")]
    let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
    let labels = labels(groups);
    let mut plot =
        NetworkPlot::new().with_labels().with_edge_opacity(0.9).with_node_radius(9.0).with_label_size(12);
    let mut seen = vec![0; last + 1];
    for ((group, label), tier) in groups.groups.iter().zip(&labels).zip(&tiers) {
        let of = tiers.iter().filter(|t| *t == tier).count();
        // The labels of the first tier stand to its left, those of the last to its right.
        let place = if last == 0 { 0.5 } else { LEFT + (1.0 - LEFT) * share(*tier, last) };
        // Each tier is set off by a part of a row, so that lines of one do not run through labels of the next.
        let height = share(2 * seen[*tier] + 1, 2 * of) + 0.08 * share(*tier % 2, of);
        seen[*tier] += 1;
        let (colour, shape) = match group.kind {
            GroupKind::Machines => (SUSTAINED, NodeShape::Square),
            GroupKind::Switches => (ISSUE, NodeShape::Circle),
        };
        plot = plot
            .with_node_position(label.as_str(), place, height)
            .with_node_color(label.as_str(), colour)
            .with_node_shape(label.as_str(), shape);
    }
    for link in &groups.links {
        let (Some(from), Some(to)) = (labels.get(link.from), labels.get(link.to)) else { continue };
        let (weight, colour) = match link.joins.as_slice() {
            [] => (1.0, THEORETICAL),
            all if all.contains(&Reading::Port) => (3.0, BURST),
            _ => (2.0, MARK),
        };
        let rate = if link.least_pair_bit_per_s == link.greatest_pair_bit_per_s {
            link.greatest_pair_bit_per_s.to_string()
        } else {
            format!("to {}", link.greatest_pair_bit_per_s)
        };
        let text = if link.pairs > 1 { format!("{} x {rate}", link.pairs) } else { rate };
        plot = plot.with_edge_styled(from.as_str(), to.as_str(), weight, colour, text);
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 24 groups")]
    let height = 90.0 + 62.0 * tallest.max(2) as f64;
    let layout = Layout::new((0.0, 1.0), (0.0, 1.0)).with_width(WIDTH).with_height(height);
    chart.drawn(vec![Plot::Network(plot)], layout)
}

/// Names of groups as drawn, each once: the library knows nodes by their names.
fn labels(groups: &Groups) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for (group, number) in groups.groups.iter().zip(1..) {
        let name = span(group);
        let name = match group.kind {
            GroupKind::Switches if group.members == 1 => cut(&name),
            _ => format!("{}: {}", cut(&name), group.members),
        };
        let taken = labels.contains(&name);
        labels.push(if taken { format!("{name} ({number})") } else { name });
    }
    labels
}

/// Links between a group and the nearest machines; what no machine reaches comes last.
fn tiers(groups: &Groups) -> Vec<usize> {
    let far = groups.groups.len();
    let mut tiers: Vec<usize> =
        groups.groups.iter().map(|g| if g.kind == GroupKind::Machines { 0 } else { far }).collect();
    for _ in 0..far {
        for link in &groups.links {
            let (Some(from), Some(to)) = (tiers.get(link.from).copied(), tiers.get(link.to).copied()) else {
                continue;
            };
            for (end, other) in [(link.from, to), (link.to, from)] {
                if let Some(tier) = tiers.get_mut(end) {
                    *tier = (*tier).min(other + 1);
                }
            }
        }
    }
    let reached = tiers.iter().copied().filter(|tier| *tier < far).max().unwrap_or(0);
    tiers.into_iter().map(|tier| if tier < far { tier } else { reached + 1 }).collect()
}

/// At most [`LETTERS`] letters.
fn cut(text: &str) -> String {
    if text.chars().count() <= LETTERS {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LETTERS - 1).collect();
    format!("{kept}…")
}

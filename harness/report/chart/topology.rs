//! The topology of a cluster, with what stands alike together.

use kuva::plot::NetworkPlot;
use kuva::plot::network::NodeShape;
use kuva::render::color::Color;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::render::{Primitive, TextAnchor, render_multiple};

use super::cluster::cut;
use super::{BURST, Chart, Data, ISSUE, MARK, SUSTAINED, THEORETICAL, WIDTH, styled};
use crate::cluster::{Group, GroupKind, GroupLink, Groups, Reading};
use crate::threshold::ClusterDetermination;

/// Weight of a link that joins its ends under no reading.
const NONE: f64 = 1.0;
/// Weight of a link that joins its ends under every reading.
const EVERY: f64 = 3.0;
/// How far below a level link its label has its foot, in pixels.
const BELOW: f64 = 14.0;
/// Width of a letter of a label, in pixels.
const LETTER: f64 = 5.0;
/// Where the first tier stands, as a share of the width, so that its labels have room.
const LEFT: f64 = 0.4;

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
        "Squares: machines, with their number. Circles: switches. {grouping} A link is labelled by the number of pairs of \
         ends that it links, times the sum of the parallel links of one pair. It joins its ends into one set under every \
         reading, unless its label names the readings."
    );
    let chart = Chart::new("topology", &number.to_string(), title, description, Data::new(&header, rows));
    match &cluster.groups {
        None => chart.without("the file has no groups; flopgauge cluster --json writes them"),
        Some(groups) if groups.groups.is_empty() => chart.without("there is neither a machine nor a switch"),
        Some(groups) => draw_topology(chart, groups),
    }
}

fn link_cells(groups: &Groups, link: &GroupLink) -> Option<Vec<String>> {
    Some(vec![
        group_name(groups.groups.get(link.from)?),
        group_name(groups.groups.get(link.to)?),
        link.pairs.to_string(),
        link.fastest_bit_per_s.to_string(),
        link.least_pair_bit_per_s.to_string(),
        link.greatest_pair_bit_per_s.to_string(),
        readings(link),
    ])
}

/// The readings under which a link joins its ends.
fn readings(link: &GroupLink) -> String {
    let joins: Vec<&str> = link.joins.iter().map(|reading| reading.name()).collect();
    if joins.is_empty() { "no reading".to_owned() } else { joins.join(", ") }
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
            [] => (NONE, THEORETICAL),
            all if all.contains(&Reading::Port) => (EVERY, BURST),
            _ => (2.0, MARK),
        };
        let rate = if link.least_pair_bit_per_s == link.greatest_pair_bit_per_s {
            link.greatest_pair_bit_per_s.to_string()
        } else {
            format!("to {}", link.greatest_pair_bit_per_s)
        };
        let text = if link.pairs > 1 { format!("{} x {rate}", link.pairs) } else { rate };
        let text = if weight < EVERY { format!("{text}; joins by {}", readings(link)) } else { text };
        plot = plot.with_edge_styled(from.as_str(), to.as_str(), weight, colour, text);
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 24 groups")]
    let height = 90.0 + 62.0 * tallest.max(2) as f64;
    let layout = Layout::new((0.0, 1.0), (0.0, 1.0)).with_width(WIDTH).with_height(height);
    let mut scene = render_multiple(vec![Plot::Network(tied(plot, &labels))], styled(layout));
    scene.elements.retain(|element| !matches!(element, Primitive::Line { stroke: Color::None, .. }));
    beside(&mut scene.elements);
    chart.of(scene)
}

/// With links that are not drawn: the library would otherwise move parts that no link connects to places of its own,
/// and draw the thinnest of the links that there are as thin as it can.
fn tied(plot: NetworkPlot, labels: &[String]) -> NetworkPlot {
    labels.iter().zip(labels.iter().skip(1)).fold(plot, |plot, (one, next)| {
        [NONE, EVERY]
            .into_iter()
            .fold(plot, |plot, weight| plot.with_edge_color(one.as_str(), next.as_str(), weight, "none"))
    })
}

/// Puts the labels of links clear of them: below a level one, to the left of an upright one.
fn beside(elements: &mut [Primitive]) {
    let mut line = None;
    for element in elements {
        match element {
            Primitive::Line { x1, y1, x2, y2, .. } => line = Some((*x1, *y1, *x2, *y2)),
            Primitive::Text { x, y, anchor, content, .. } => {
                let Some((x1, y1, x2, y2)) = line.take() else { continue };
                let slope = ((y2 - y1) / (x2 - x1)).abs();
                if slope < 1.0 {
                    #[expect(clippy::cast_precision_loss, reason = "some thirty letters")]
                    let half = content.chars().count() as f64 * LETTER / 2.0;
                    *y = (y1 + y2) / 2.0 + BELOW + slope * half;
                } else {
                    (*x, *anchor) = ((x1 + x2) / 2.0 - 8.0, TextAnchor::End);
                }
            }
            _ => {}
        }
    }
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

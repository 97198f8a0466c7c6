//! Products by their shape: the heat map of a sweep.

use std::collections::BTreeMap;
use std::sync::Arc;

use kuva::plot::{ColorMap, Heatmap};
use kuva::render::color::Color;
use kuva::render::layout::Layout;
use kuva::render::plots::Plot;
use kuva::render::render::{Primitive, Scene, TextAnchor, render_multiple};

use super::products::{Product, products, table};
use super::{Chart, DeviceRun, FAINT, styled};
use crate::precision::Arithmetic;
use crate::workload::{Distribution, GemmShape};

/// Size of the number in a cell, in pixels.
const NUMBER: u32 = 12;

/// Heat map of a sweep: shapes by precision, as a share of the best of the precision.
pub fn shapes(run: &DeviceRun<'_>) -> Chart {
    let all = products(run);
    let found: Vec<&Product> = all.iter().filter(|product| product.input == Distribution::Normal).collect();
    let mut best: BTreeMap<Arithmetic, f64> = BTreeMap::new();
    let mut shapes: Vec<GemmShape> = Vec::new();
    for product in &found {
        let most = best.entry(product.arithmetic).or_default();
        *most = most.max(product.rate.get());
        if !shapes.contains(&product.shape) {
            shapes.push(product.shape);
        }
    }
    let title = format!("Shapes: {}", run.name());
    let description = "Rate of each shape in per cent of the fastest shape of the same precision, normal data. Colours \
        go from dark at 0 % to bright at 100 %; a grey cell without a number was not measured.";
    let chart = Chart::new("shapes", &run.id(), title, description.to_owned(), table(&found));
    if shapes.len() < 3 {
        return chart.without("fewer than three shapes were measured; --sweep coarse measures about sixty");
    }
    shapes.sort_by_key(|shape| shape.ops());
    let cell = |arithmetic: &Arithmetic, shape: &GemmShape| {
        let product = found.iter().find(|p| p.arithmetic == *arithmetic && p.shape == *shape)?;
        Some(product.rate.get() / best.get(arithmetic)? * 100.0)
    };
    let rows: Vec<Vec<Option<f64>>> =
        shapes.iter().map(|shape| best.keys().map(|arithmetic| cell(arithmetic, shape)).collect()).collect();
    let names = shapes.iter().map(ToString::to_string).collect();
    let columns = best.keys().map(ToString::to_string).collect();
    chart.of(map(&rows, names, columns))
}

/// The map of per cents, the first row at the bottom.
fn map(rows: &[Vec<Option<f64>>], names: Vec<String>, columns: Vec<String>) -> Scene {
    let cells: Vec<Option<f64>> = rows.iter().flatten().copied().collect();
    let data = rows.iter().map(|row| row.iter().map(|cell| cell.unwrap_or(f64::NAN)));
    // The library spreads colours from the least to the greatest value, which makes equal ones all dark: undone here.
    let (low, high) = range(&cells);
    let colours = move |part: f64| colour(low + part * (high - low));
    let map = Heatmap::new().with_data(data).with_color_map(ColorMap::Custom(Arc::new(colours)));
    #[expect(clippy::cast_precision_loss, reason = "some sixty rows")]
    let height = 120.0 + 22.0 * rows.len() as f64;
    let plots = vec![Plot::Heatmap(map)];
    let mut layout = Layout::auto_from_plots(&plots)
        .with_x_categories(columns)
        .with_y_categories(names)
        .with_height(height);
    // Each cell has its number; a bar would reach only from the least to the greatest of them.
    layout.show_colorbar = false;
    let mut scene = render_multiple(plots, styled(layout));
    let numbers = scene.elements.iter().find_map(|element| numbers(element, &cells)).unwrap_or_default();
    scene.elements.extend(numbers);
    scene
}

fn range(cells: &[Option<f64>]) -> (f64, f64) {
    let known = cells.iter().flatten();
    known.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), cell| (low.min(*cell), high.max(*cell)))
}

/// Colour of a cell of `percent`; not a number is a cell that was not measured.
fn colour(percent: f64) -> String {
    if percent.is_nan() { FAINT.to_owned() } else { ColorMap::Viridis.map(percent / 100.0) }
}

/// The numbers of all cells, each in black or white, whichever stands out more.
fn numbers(cells: &Primitive, values: &[Option<f64>]) -> Option<Vec<Primitive>> {
    let Primitive::RectBatch { x, y, w, h, fills } = cells else { return None };
    let number = |at: usize| {
        Some(Primitive::Text {
            x: x.get(at)? + w.get(at)? / 2.0,
            // A digit is about seven tenths of its size high.
            y: y.get(at)? + h.get(at)? / 2.0 + f64::from(NUMBER) * 0.35,
            content: format!("{:.0}", (*values.get(at)?)?),
            size: NUMBER,
            anchor: TextAnchor::Middle,
            rotate: None,
            bold: false,
            color: Some(ink(fills.get(at)?)),
        })
    };
    Some((0..values.len()).filter_map(number).collect())
}

/// Black or white, the one with the greater contrast against `fill`.
fn ink(fill: &Color) -> Color {
    let [white, black] = [Color::Rgb(255, 255, 255), Color::Rgb(0, 0, 0)];
    if contrast(&white, fill) > contrast(&black, fill) { white } else { black }
}

/// Contrast of two colours, from 1 to 21. Source: W3C, WCAG 2.2, contrast ratio.
fn contrast(one: &Color, other: &Color) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Relative luminance, from 0 to 1; 0 for what is no fixed colour. Source: W3C, WCAG 2.2, relative luminance.
fn luminance(colour: &Color) -> f64 {
    let Color::Rgb(red, green, blue) = *colour else { return 0.0 };
    let linear = |channel: u8| {
        let share = f64::from(channel) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills of the cells, and of the numbers with their texts.
    fn drawn(rows: &[Vec<Option<f64>>]) -> (Vec<Color>, Vec<(String, Color)>) {
        let names = |count: usize| (0..count).map(|at| at.to_string()).collect::<Vec<_>>();
        let scene = map(rows, names(rows.len()), names(rows[0].len()));
        let fills = scene.elements.iter().find_map(|element| match element {
            Primitive::RectBatch { fills, .. } => Some(fills.clone()),
            _ => None,
        });
        let numbers = scene.elements.iter().filter_map(|element| match element {
            Primitive::Text { content, color: Some(colour @ Color::Rgb(..)), .. } => {
                Some((content.clone(), colour.clone()))
            }
            _ => None,
        });
        (fills.unwrap(), numbers.collect())
    }

    #[test]
    fn the_number_of_every_cell_stands_out_from_its_colour() {
        for percent in 0..=100_u8 {
            let fill = Color::from(colour(f64::from(percent)));
            let found = contrast(&ink(&fill), &fill);
            assert!(found >= 4.5, "{percent} %: {found}");
        }
    }

    #[test]
    fn cells_that_are_all_equal_are_all_bright_with_black_numbers() {
        let (fills, numbers) = drawn(&vec![vec![Some(100.0); 2]; 3]);
        assert_eq!(fills.len(), 6);
        assert!(fills.iter().all(|fill| *fill == Color::from(ColorMap::Viridis.map(1.0))), "{fills:?}");
        assert_eq!(numbers, vec![("100".to_owned(), Color::Rgb(0, 0, 0)); 6]);
    }

    #[test]
    fn colours_are_of_the_value_and_a_cell_that_was_not_measured_has_neither_colour_nor_number() {
        let (fills, numbers) = drawn(&[vec![Some(100.0), None], vec![Some(7.4), Some(50.0)]]);
        let wanted = [
            Color::from(colour(100.0)),
            Color::from(FAINT),
            Color::from(colour(7.4)),
            Color::from(colour(50.0)),
        ];
        assert_eq!(fills, wanted);
        let texts: Vec<&str> = numbers.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["100", "7", "50"]);
        assert_eq!(numbers[1].1, Color::Rgb(255, 255, 255));
    }
}

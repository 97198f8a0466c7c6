//! Charts: each has a title, a description, a table of its data, and a drawing or the reason why there is none.
//!
//! Drawn by `kuva`, which writes plain SVG with text that stays text; colours are CSS variables of the page, so light,
//! dark and paper need one drawing. Everything that comes from a file is escaped by the library or by [`escape`].

mod cluster;
mod device;
mod figures;
mod fleet;
mod products;
mod roofline;
mod shapes;
mod spread;
mod timeline;
mod topology;
mod training;

pub use cluster::sets;
pub use device::DeviceRun;
pub use figures::figures;
pub(super) use fleet::case as fleet_case;
pub use fleet::fleet;
pub use products::inputs;
pub use roofline::roofline;
pub use shapes::shapes;
pub use spread::spread;
pub use timeline::timeline;
pub use topology::topology;
pub use training::training;

use kuva::backend::svg::SvgBackend;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::{Primitive, Scene, render_multiple};
use kuva::render::theme::Theme;

/// A chart of a report.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Chart {
    /// Name within the page, unique there: letters, digits and hyphens.
    pub id: String,
    /// What it shows, as `--chart` names it.
    pub kind: &'static str,
    /// Its heading.
    pub title: String,
    /// What can be read from it, in words.
    pub description: String,
    /// SVG with CSS variables as colours; `None` where there is nothing to draw.
    pub svg: Option<String>,
    /// Why there is no drawing.
    pub absent: Option<String>,
    /// The data.
    pub table: Data,
}

/// Rows under a header.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Data {
    /// Names of the columns.
    pub header: Vec<String>,
    /// Cells as shown.
    pub rows: Vec<Vec<String>>,
}

impl Data {
    /// `rows` under `header`.
    pub fn new(header: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { header: header.iter().map(|name| (*name).to_owned()).collect(), rows }
    }
}

/// Names of the page's colours with their light values; the first three are those of the three figures.
///
/// Source: Okabe and Ito, Color Universal Design, 2008; darkened where text or a thin line needs it.
pub const COLOURS: [(&str, &str); 9] = [
    ("var(--theoretical)", "#8a8f98"),
    ("var(--issue)", "#0072b2"),
    ("var(--sustained)", "#c45500"),
    ("var(--burst)", "#00795a"),
    ("var(--mark)", "#a0356f"),
    ("var(--ink)", "#1b1f24"),
    ("var(--faint)", "#d5d9df"),
    ("var(--paper)", "#ffffff"),
    ("var(--shade)", "#f0c54a"),
];
pub(super) const THEORETICAL: &str = "var(--theoretical)";
pub(super) const ISSUE: &str = "var(--issue)";
pub(super) const SUSTAINED: &str = "var(--sustained)";
pub(super) const BURST: &str = "var(--burst)";
pub(super) const MARK: &str = "var(--mark)";
pub(super) const INK: &str = "var(--ink)";
pub(super) const FAINT: &str = "var(--faint)";
pub(super) const SHADE: &str = "var(--shade)";

const WIDTH: f64 = 860.0;
const FONT: &str = "system-ui, Helvetica, Arial, Liberation Sans, sans-serif";

impl Chart {
    fn new(kind: &'static str, id: &str, title: String, description: String, table: Data) -> Self {
        let id = format!("{kind}-{id}");
        Self { id, kind, title, description, svg: None, absent: None, table }
    }

    /// The same without a drawing.
    fn without(self, why: &str) -> Self {
        Self { absent: Some(why.to_owned()), ..self }
    }

    /// The same with its drawing.
    fn drawn(self, plots: Vec<Plot>, layout: Layout) -> Self {
        self.of(render_multiple(plots, styled(layout)))
    }

    fn of(self, mut scene: Scene) -> Self {
        scene.elements.iter_mut().for_each(literal);
        let svg = SvgBackend::new().render_scene(&scene);
        let svg = Some(self.labelled(&svg, scene.width, scene.height));
        Self { svg, ..self }
    }

    /// Names the drawing for screen readers, lets it scale, and makes its identifiers its own.
    fn labelled(&self, svg: &str, width: f64, height: f64) -> String {
        let own = without_counter(svg, &format!("clip-{}", self.id));
        // The tracks of a stack take the colours of their axes from no theme.
        let own = own.replace("stroke=\"#000000\"", &format!("stroke=\"{INK}\""));
        let own = own.replace("stroke=\"#cccccc\"", &format!("stroke=\"{FAINT}\""));
        let (id, title, description) = (&self.id, escape(&self.title), escape(&self.description));
        let (tag, body) = own.split_once('>').unwrap_or(("<svg", &own));
        format!(
            "{tag} viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{description}</desc>{body}"
        )
    }

    /// The drawing as a file of its own, in the light colours.
    pub fn file(&self) -> Option<String> {
        let named = |svg: String, (name, value): &(&str, &str)| svg.replace(name, value);
        Some(COLOURS.iter().fold(self.svg.clone()?, named))
    }
}

/// The library reads what stands between two `$` as mathematics; a name in a record is no formula.
fn literal(element: &mut Primitive) {
    if let Primitive::Text { content, .. } = element
        && content.contains('$')
    {
        *content = content.replace('$', "\\$");
    }
}

/// The library numbers its clip paths for the whole process, which would make a page depend on what was drawn before.
fn without_counter(svg: &str, own: &str) -> String {
    let mut parts = svg.split("kuva-clip-");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + own + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}

fn theme() -> Theme {
    Theme {
        background: "none".to_owned(),
        axis_color: INK.to_owned(),
        grid_color: FAINT.to_owned(),
        tick_color: INK.to_owned(),
        text_color: INK.to_owned(),
        legend_bg: "var(--paper)".to_owned(),
        legend_border: "none".to_owned(),
        font_family: Some(FONT.to_owned()),
        ..Theme::light()
    }
}

fn styled(layout: Layout) -> Layout {
    layout
        .with_theme(theme())
        .with_font_family(FONT)
        .with_width(WIDTH)
        .with_tick_size(12)
        .with_label_size(13)
        .with_body_size(12)
}

/// Tick labels as rates with an SI prefix.
pub(super) fn si_ticks() -> TickFormat {
    TickFormat::Custom(std::sync::Arc::new(short))
}

/// `791 T`, `1.5 G`: few digits, for an axis.
pub(super) fn short(value: f64) -> String {
    let text = crate::units::si(value);
    let (digits, prefix) = text.split_once(' ').unwrap_or((&text, ""));
    let digits =
        if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    format!("{digits} {prefix}").trim_end().to_owned()
}

/// Text for a place between tags or in a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

pub(super) use device::case as case_name;

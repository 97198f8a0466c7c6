//! The printable packet: one template, every value escaped, nothing fetched from anywhere.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

use super::FilingError;
use super::packet::Packet;

const TEMPLATE: &str = include_str!("packet.html");
const STYLE: &str = include_str!("packet.css");

/// The packet as a page.
///
/// Errors: [`FilingError::Defect`] when template and packet do not fit, which a test excludes.
pub fn html(packet: &Packet) -> Result<String, FilingError> {
    let wrong = |error: minijinja::Error| FilingError::Defect(format!("packet.html: {error:#}"));
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("powers", powers);
    environment.add_filter("si", si);
    environment.add_filter("percent", percent);
    environment.add_filter("words", words);
    environment.add_template("packet.html", TEMPLATE).map_err(wrong)?;
    let template = environment.get_template("packet.html").map_err(wrong)?;
    let value = serde_json::to_value(packet).map_err(|error| FilingError::Defect(error.to_string()))?;
    template.render(context! { packet => minijinja::value::Serde(&value), style => STYLE }).map_err(wrong)
}

/// `1.187e20` of a decimal string, for reading only; the exact number stands beside it.
fn powers(text: &str) -> String {
    let value: f64 = text.parse().unwrap_or(f64::NAN);
    if value < 1e6 { text.to_owned() } else { format!("{value:.3e}") }
}

fn si(value: f64) -> String {
    crate::units::si(value)
}

fn percent(value: f64) -> String {
    format!("{:.1} %", value * 100.0)
}

/// A name of files as people write it: `not-met` and `machines_in_component` without their joints.
fn words(text: &str) -> String {
    text.replace(['_', '-'], " ")
}

//! The page: one template, every value escaped, nothing fetched from anywhere.

use base64::Engine;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};
use sha2::{Digest, Sha256};

use super::copies::HEADER;
use super::material::{COLUMNS, Material};

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Template and material do not fit, which a test excludes.
#[derive(Debug, thiserror::Error)]
#[error("page.html: {0}")]
pub struct PageError(String);

/// The report as a page.
///
/// Errors: [`PageError`] for a defect of the template.
pub fn page(material: &Material, title: &str) -> Result<String, PageError> {
    let wrong = |error: minijinja::Error| PageError(format!("{error:#}"));
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_template("page.html", TEMPLATE).map_err(wrong)?;
    let topics = material.topics();
    let template = environment.get_template("page.html").map_err(wrong)?;
    template
        .render(context! {
            title,
            version => env!("CARGO_PKG_VERSION"),
            style => Value::from_safe_string(STYLE.to_owned()),
            script => Value::from_safe_string(SCRIPT.to_owned()),
            script_hash => hash(SCRIPT),
            columns => COLUMNS.to_vec(),
            copy_columns => HEADER.to_vec(),
            unreal => material.unreal(),
            findings => Serde(material.findings(&topics)),
            topics => Serde(&topics),
            devices => Serde(material.shown()),
            charts => Serde(material.run_charts()),
            origins => Serde(material.origins()),
        })
        .map_err(wrong)
}

/// `sha256-…` of the one script that the page may run.
fn hash(script: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script)))
}

//! The tables of a training file, kind `training/1`, as TOML has them.

use jiff::civil::Date;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::Three;
use super::run::{PhaseKind, Recompute};
use crate::cluster::{DeviceTable, Number, optional_date};
use crate::precision::Precision;

/// A training run as its file states it.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunFile {
    /// `flopgauge.training/1`.
    #[serde(rename = "format")]
    pub(super) _format: String,
    /// What is trained.
    #[schemars(with = "Option<ModelTable>")]
    pub(super) model: Option<Spanned<ModelTable>>,
    /// Parts of the training.
    #[serde(default)]
    pub(super) phase: Vec<PhaseTable>,
    /// Devices at work.
    #[serde(default)]
    #[schemars(with = "Vec<UsageTable>")]
    pub(super) usage: Vec<Spanned<UsageTable>>,
    /// Devices whose peaks are declared here.
    #[serde(default)]
    pub(super) device: Vec<DeviceTable>,
    /// Somebody's figure for the whole.
    #[schemars(with = "Option<PublishedTable>")]
    pub(super) published: Option<Spanned<PublishedTable>>,
    /// Training files of the models that this one starts from, relative to this file.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(super) lineage: Vec<Spanned<String>>,
    /// The model of somebody else that this run modifies.
    #[schemars(with = "Option<OriginalTable>")]
    pub(super) original: Option<Spanned<OriginalTable>>,
    /// Cost of the compute, in US dollars.
    pub(super) compute_cost_usd: Option<Number>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ModelTable {
    #[serde(default)]
    pub(super) name: String,
    /// All parameters, or their range.
    #[schemars(with = "OneOrTwo")]
    pub(super) parameters: Spanned<OneOrTwo>,
    /// Parameters that one token passes through, or their range.
    #[schemars(with = "Option<OneOrTwo>")]
    pub(super) active_parameters: Option<Spanned<OneOrTwo>>,
    /// Of the active parameters, the input embedding table.
    #[schemars(with = "Option<Number>")]
    pub(super) embedding_parameters: Option<Spanned<Number>>,
    pub(super) layers: Option<Number>,
    pub(super) d_model: Option<Number>,
    pub(super) sequence_length: Option<Number>,
    /// Whether attention is causal, which halves its operations.
    #[serde(default)]
    pub(super) causal: bool,
    /// Whether it is a language model; unstated utilisation depends on it.
    #[serde(default = "yes")]
    pub(super) language: bool,
    /// Whether the training data are primarily biological sequences.
    #[serde(default)]
    pub(super) primarily_biological: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PhaseTable {
    #[schemars(with = "PhaseKind")]
    pub(super) kind: Spanned<PhaseKind>,
    /// Tokens of one epoch, or their range.
    #[schemars(with = "OneOrTwo")]
    pub(super) tokens: Spanned<OneOrTwo>,
    pub(super) epochs: Option<Number>,
    /// Tokens generated for reinforcement learning; as many as are trained on where it is not stated.
    pub(super) rollout_tokens: Option<Number>,
    /// Tokens of segments whose weights did not survive.
    pub(super) failed_tokens: Option<Number>,
    #[serde(default)]
    pub(super) recompute: Recompute,
    /// Whether generated data are publicly accessible.
    #[serde(default)]
    pub(super) publicly_accessible: bool,
    pub(super) precision: Option<Precision>,
    #[serde(default, deserialize_with = "optional_date")]
    #[schemars(with = "Option<String>")]
    pub(super) start: Option<Date>,
    #[serde(default, deserialize_with = "optional_date")]
    #[schemars(with = "Option<String>")]
    pub(super) end: Option<Date>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UsageTable {
    #[schemars(with = "String")]
    pub(super) device: Spanned<String>,
    #[schemars(with = "Option<Number>")]
    pub(super) device_hours: Option<Spanned<Number>>,
    pub(super) precision: Option<Precision>,
    #[schemars(with = "Option<Utilisation>")]
    pub(super) utilisation: Option<Spanned<Utilisation>>,
}

/// A fraction of the dense peak.
#[derive(Debug)]
pub(super) enum Utilisation {
    /// What a calibrated profile bounds.
    Profile,
    /// One value, or from low to high.
    Fraction(OneOrTwo),
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishedTable {
    pub(super) low: Option<Number>,
    pub(super) best: Number,
    pub(super) high: Option<Number>,
    pub(super) source: String,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OriginalTable {
    /// Its operations, or their range.
    pub(super) operations: Option<OneOrTwo>,
    /// Whether it is a model with systemic risk, where its operations are unknown.
    pub(super) systemic_risk: Option<bool>,
}

/// A number, or a range of it.
#[derive(Debug)]
pub(super) enum OneOrTwo {
    /// Low end and high end.
    Two([Number; 2]),
    /// One value.
    One(Number),
}

impl OneOrTwo {
    /// The value, or the range with its middle.
    ///
    /// Errors: a range whose low end is above its high end.
    pub(super) fn three(&self) -> Result<Three, &'static str> {
        match self {
            Self::One(number) => Ok(Three::exactly(&number.0)),
            Self::Two([low, high]) if low.0 <= high.0 => Ok(Three::between(&low.0, &high.0)),
            Self::Two(_) => Err("the low end is above the high end"),
        }
    }
}

/// Reads a number as `$one` does and an array as `$two` does, with the words of either for what is wrong.
macro_rules! number_or_array {
    ($name:ident, $expected:literal, $word:expr, $one:expr, $two:expr) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Written;
                impl<'de> Visitor<'de> for Written {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        if let Some(word) = $word(text) {
                            return Ok(word);
                        }
                        $one(text.into_deserializer())
                    }

                    fn visit_i64<E: Error>(self, value: i64) -> Result<$name, E> {
                        $one(value.into_deserializer())
                    }

                    fn visit_f64<E: Error>(self, value: f64) -> Result<$name, E> {
                        $one(value.into_deserializer())
                    }

                    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<$name, A::Error> {
                        $two(SeqAccessDeserializer::new(array))
                    }
                }
                deserializer.deserialize_any(Written)
            }
        }
    };
}

number_or_array!(OneOrTwo, "a number, or an array of its low and its high end", |_: &str| None, one, two);

number_or_array!(
    Utilisation,
    "a fraction, an array of its low and its high end, or \"profile\"",
    |text: &str| (text == "profile").then_some(Utilisation::Profile),
    utilisation,
    utilisation
);

fn one<'de, D: Deserializer<'de>>(number: D) -> Result<OneOrTwo, D::Error> {
    Number::deserialize(number).map(OneOrTwo::One)
}

fn two<'de, D: Deserializer<'de>>(array: D) -> Result<OneOrTwo, D::Error> {
    <[Number; 2]>::deserialize(array).map(OneOrTwo::Two)
}

fn utilisation<'de, D: Deserializer<'de>>(written: D) -> Result<Utilisation, D::Error> {
    OneOrTwo::deserialize(written).map(Utilisation::Fraction)
}

impl schemars::JsonSchema for OneOrTwo {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "NumberOrRange".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let number = generator.subschema_for::<Number>();
        schemars::json_schema!({
            "anyOf": [number, { "type": "array", "items": number, "minItems": 2, "maxItems": 2 }]
        })
    }
}

impl schemars::JsonSchema for Utilisation {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Utilisation".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let fraction = generator.subschema_for::<OneOrTwo>();
        schemars::json_schema!({ "anyOf": [{ "const": "profile" }, fraction] })
    }
}

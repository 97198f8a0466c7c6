//! The test of a dual-use foundation model: (a) to (e) with three examples, each answered yes, no or unknown.
//!
//! Source: EO 14110, section 3(k), which the proposal adopts by accounts of law firms; the order is revoked.

use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::files::{FileError, TEXT_LIMIT, parse_toml, read_text};

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It is not known.
    Unknown,
}

impl Answer {
    /// Name as files spell it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }

    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            _ => Self::Unknown,
        }
    }
}

/// An answer with its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Answered {
    answer: Answer,
    reason: String,
}

/// A questionnaire as its file states it.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DualUseFile {
    /// `flopgauge.dual-use/1`.
    #[serde(rename = "format")]
    _format: String,
    /// Name of the model.
    model: String,
    /// (a) It is trained on broad data.
    #[schemars(with = "Answered")]
    broad_data: Spanned<Answered>,
    /// (b) It generally uses self-supervision.
    #[schemars(with = "Answered")]
    self_supervision: Spanned<Answered>,
    /// (c) It contains at least tens of billions of parameters.
    #[schemars(with = "Answered")]
    tens_of_billions_of_parameters: Spanned<Answered>,
    /// (d) It is applicable across a wide range of contexts.
    #[schemars(with = "Answered")]
    wide_range_of_contexts: Spanned<Answered>,
    /// (e) It exhibits, or could be easily modified to exhibit, high performance at tasks that pose a serious risk.
    serious_risk: RiskTable,
    /// Technical safeguards; they are noted and change nothing.
    safeguards: Option<String>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct RiskTable {
    /// (i) Lowering the barrier for non-experts to chemical, biological, radiological or nuclear weapons.
    #[schemars(with = "Answered")]
    weapons: Spanned<Answered>,
    /// (ii) Enabling powerful offensive cyber operations.
    #[schemars(with = "Answered")]
    cyber_operations: Spanned<Answered>,
    /// (iii) Permitting the evasion of human control or oversight through deception or obfuscation.
    #[schemars(with = "Answered")]
    evasion_of_control: Spanned<Answered>,
    /// Another such task: the three are examples.
    #[schemars(with = "Answered")]
    other: Spanned<Answered>,
}

/// One point of the test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// (a) to (e), or (e)(i) to (e)(iv).
    pub point: String,
    /// Key in the questionnaire.
    pub key: String,
    /// What is asked.
    pub question: String,
    /// The answer.
    pub answer: Answer,
    /// Why.
    pub reason: String,
}

/// The result of the test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DualUse {
    /// Name of the model.
    pub model: String,
    /// Whether it is a dual-use foundation model.
    pub result: Answer,
    /// Whether (e) holds: one example, or another such task, is enough.
    pub serious_risk: Answer,
    /// The points.
    pub points: Vec<Point>,
    /// What would settle an unknown result; empty when it is known.
    pub would_settle: Vec<String>,
    /// Technical safeguards that are in place; they change nothing.
    pub safeguards: Option<String>,
}

/// The questions, by point and key.
const QUESTIONS: [(&str, &str, &str); 8] = [
    ("(a)", "broad_data", "is trained on broad data"),
    ("(b)", "self_supervision", "generally uses self-supervision"),
    ("(c)", "tens_of_billions_of_parameters", "contains at least tens of billions of parameters"),
    ("(d)", "wide_range_of_contexts", "is applicable across a wide range of contexts"),
    (
        "(e)(i)",
        "serious_risk.weapons",
        "exhibits, or could be easily modified to exhibit, high performance at lowering the barrier for \
         non-experts to chemical, biological, radiological or nuclear weapons",
    ),
    ("(e)(ii)", "serious_risk.cyber_operations", "the same for enabling powerful offensive cyber operations"),
    (
        "(e)(iii)",
        "serious_risk.evasion_of_control",
        "the same for permitting the evasion of human control or oversight through deception or obfuscation",
    ),
    (
        "(e)",
        "serious_risk.other",
        "the same for another task that poses a serious risk to security, national economic security, or \
         national public health or safety; the three are examples",
    ),
];

/// The result of the questionnaire at `path`.
///
/// Errors: [`FileError`] with file, line and key; an answer without a reason is one.
pub fn read_dual_use(path: &Path) -> Result<DualUse, FileError> {
    parse_dual_use(&path.display().to_string(), &read_text(path, TEXT_LIMIT)?)
}

/// The result of the questionnaire `text` of the file `name`.
///
/// Errors: as [`read_dual_use`].
pub fn parse_dual_use(name: &str, text: &str) -> Result<DualUse, FileError> {
    let file: DualUseFile = parse_toml(name, text, "dual-use/1")?;
    let risk = &file.serious_risk;
    let answered = [
        &file.broad_data,
        &file.self_supervision,
        &file.tens_of_billions_of_parameters,
        &file.wide_range_of_contexts,
        &risk.weapons,
        &risk.cyber_operations,
        &risk.evasion_of_control,
        &risk.other,
    ];
    let mut points = Vec::new();
    for ((point, key, question), place) in QUESTIONS.into_iter().zip(answered) {
        let given = place.get_ref();
        if given.reason.trim().is_empty() {
            let message = format!("{key}: an answer needs a reason, an unknown one too");
            return Err(FileError::content_at(name, text, place.span().start, message));
        }
        points.push(Point {
            point: point.to_owned(),
            key: key.to_owned(),
            question: question.to_owned(),
            answer: given.answer,
            reason: given.reason.clone(),
        });
    }
    Ok(judge(file.model, points, file.safeguards))
}

/// Safeguards are an argument only to be carried along: no branch looks at them.
fn judge(model: String, points: Vec<Point>, safeguards: Option<String>) -> DualUse {
    let (first, risks) = points.split_at(4);
    let serious_risk = risks.iter().map(|point| point.answer).fold(Answer::No, Answer::or);
    let result = first.iter().map(|point| point.answer).fold(serious_risk, Answer::and);
    let mut would_settle = Vec::new();
    if result == Answer::Unknown {
        let unknown = |points: &[Point]| -> Vec<String> {
            let open = points.iter().filter(|point| point.answer == Answer::Unknown);
            open.map(|point| point.key.clone()).collect()
        };
        let (open, open_risks) = (unknown(first), unknown(risks));
        for key in &open {
            would_settle.push(format!("no to {key} makes the result no"));
        }
        let mut needed = open;
        if serious_risk == Answer::Unknown {
            would_settle.push(format!("no to all of {} makes the result no", open_risks.join(", ")));
            needed.push(format!("one of {}", open_risks.join(", ")));
        }
        would_settle.push(format!("yes to {} makes the result yes", needed.join(" and ")));
    }
    DualUse { model, result, serious_risk, points, would_settle, safeguards }
}

/// A questionnaire to fill in, every answer unknown.
pub fn blank() -> String {
    let mut text =
        "# Test of a dual-use foundation model (EO 14110, section 3(k); revoked on January 20, 2025).\n\
        # Answer yes, no or unknown, each with a reason. Technical safeguards change nothing.\n\
        format = \"flopgauge.dual-use/1\"\nmodel = \"\"\n# safeguards = \"\"\n"
            .to_owned();
    for (point, key, question) in QUESTIONS {
        text.push_str(&format!(
            "\n# {point} {question}\n[{key}]\nanswer = \"unknown\"\nreason = \"not yet answered\"\n"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(answers: [Answer; 8], safeguards: Option<&str>) -> DualUse {
        let mut text = blank();
        for answer in answers {
            text = text.replacen("answer = \"unknown\"", &format!("answer = '{}'", answer.name()), 1);
        }
        if let Some(words) = safeguards {
            text = text.replacen("# safeguards = \"\"", &format!("safeguards = \"{words}\""), 1);
        }
        parse_dual_use("q.toml", &text).unwrap()
    }

    #[test]
    fn a_blank_questionnaire_is_unknown_and_says_what_settles_it() {
        let found = parse_dual_use("q.toml", &blank()).unwrap();
        assert_eq!(found.result, Answer::Unknown);
        assert_eq!(found.would_settle.len(), 6);
        assert!(found.would_settle[5].starts_with("yes to broad_data and self_supervision"));
    }

    #[test]
    fn one_example_is_enough_and_three_times_no_is_not_no() {
        use Answer::{No, Unknown, Yes};
        assert_eq!(filled([Yes, Yes, Yes, Yes, No, Yes, No, Unknown], None).result, Yes);
        assert_eq!(filled([Yes, Yes, Yes, Yes, No, No, No, Unknown], None).result, Unknown);
        assert_eq!(filled([Yes, Yes, Yes, Yes, No, No, No, No], None).result, No);
        assert_eq!(filled([Yes, Yes, No, Yes, Yes, Yes, Yes, Yes], None).result, No);
    }

    #[test]
    fn an_answer_needs_a_reason() {
        let error = parse_dual_use("q.toml", &blank().replacen("not yet answered", " ", 1)).unwrap_err();
        assert!(error.to_string().starts_with("q.toml:8:1: broad_data: an answer needs a reason"), "{error}");
    }

    fn answer() -> impl Strategy<Value = Answer> {
        prop_oneof![Just(Answer::Yes), Just(Answer::No), Just(Answer::Unknown)]
    }

    proptest! {
        #[test]
        fn safeguards_never_change_the_result(answers in prop::array::uniform8(answer())) {
            prop_assert_eq!(filled(answers, None).result, filled(answers, Some("refusals")).result);
        }

        #[test]
        fn settling_an_unknown_never_turns_a_known_result(
            answers in prop::array::uniform8(answer()), settled in prop::array::uniform8(any::<bool>()),
        ) {
            let before = filled(answers, None).result;
            let mut after = answers;
            for (answer, yes) in after.iter_mut().zip(settled) {
                if *answer == Answer::Unknown {
                    *answer = if yes { Answer::Yes } else { Answer::No };
                }
            }
            prop_assert!(before == Answer::Unknown || filled(after, None).result == before);
        }
    }
}

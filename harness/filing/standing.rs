//! What every output says of the rule and of itself.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::FilingError;
use super::rule::FilingRule;
use crate::threshold::{Rule, State, all_rules};

/// Where the rule stands, and what an output of this room is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Id of the instrument.
    pub rule_profile: String,
    /// Full name.
    pub title: String,
    /// Citation.
    pub citation: String,
    /// Where it stands on the day that was asked about.
    pub state: State,
    /// The same in one sentence.
    pub legal_status_notice: String,
    /// What a reader must not mistake.
    pub notices: Vec<String>,
}

impl Standing {
    /// Where `filing` and the instrument `rule` stand on `as_of`.
    pub fn on(filing: &FilingRule, rule: &Rule, as_of: Date) -> Self {
        let (state, notice) = rule.standing(as_of);
        let proposed = filing.proposed.0.strftime("%B %-d, %Y").to_string();
        let notices = [
            format!("Status on {as_of}: {notice}. Proposed on {proposed} ({}).", filing.citation),
            "A help for preparation, not legal advice.".to_owned(),
            "The operative text is known here through law firms' quotations, not from the Federal Register."
                .to_owned(),
            "Each date and figure says how it is known: read, secondary, computed, decided or recalled for what \
             the rule says; measured, declared, published, computed or recalled for figures."
                .to_owned(),
        ];
        Self {
            rule_profile: filing.profile.clone(),
            title: filing.title.clone(),
            citation: filing.citation.clone(),
            state,
            legal_status_notice: format!("proposed on {proposed}; {notice}"),
            notices: notices.to_vec(),
        }
    }
}

/// The instrument that `filing` belongs to.
///
/// Errors: [`FilingError`] when the built-in rules lack it, which a test excludes.
pub fn instrument(filing: &FilingRule) -> Result<Rule, FilingError> {
    let rules = all_rules().map_err(FilingError::Rule)?;
    let lacking = || FilingError::NoInstrument(filing.profile.clone());
    rules.into_iter().find(|rule| rule.id == filing.profile).ok_or_else(lacking)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_follows_the_date() {
        let filing = FilingRule::bis_2024().unwrap();
        let rule = instrument(&filing).unwrap();
        let notice = |day: &str| Standing::on(&filing, &rule, day.parse().unwrap()).legal_status_notice;
        assert_eq!(
            notice("2026-11-24"),
            "proposed on September 11, 2024; proposed rule, not in force; legal basis revoked"
        );
        assert_eq!(notice("2024-10-08"), "proposed on September 11, 2024; proposed rule, not in force");
    }
}

//! Strict reading of rule files: unknown keys, units and references are refused, and so is a limit without scenarios.

use std::collections::BTreeSet;

use include_dir::{Dir, include_dir};

use super::{Comparison, Limit, Quantity, Rule, Subject, Test};
use crate::files::{FileError, parse_toml};

static RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/harness/threshold/rules");

/// Why a rule file is refused.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// Not readable as a rule.
    #[error(transparent)]
    File(#[from] FileError),
    /// Readable, and wrong in itself.
    #[error("{path}: {message}")]
    Content {
        /// File.
        path: String,
        /// What is wrong.
        message: String,
    },
}

/// Every built-in rule, in the order of their file names.
///
/// Errors: [`RuleError`] when one is wrong, which a test excludes.
pub fn all_rules() -> Result<Vec<Rule>, RuleError> {
    let mut files: Vec<_> = RULES.files().collect();
    files.sort_by_key(|file| file.path().to_owned());
    let mut rules: Vec<Rule> = Vec::new();
    for file in files {
        let path = file.path().display().to_string();
        let text = file.contents_utf8().ok_or_else(|| wrong(&path, "not UTF-8 text".to_owned()))?;
        let rule = load_rule(&path, text)?;
        if rules.iter().any(|other| other.id == rule.id) {
            return Err(wrong(&path, format!("the id {} exists twice", rule.id)));
        }
        rules.push(rule);
    }
    Ok(rules)
}

/// The rule that the TOML `text` of the file `path` states.
///
/// Errors: [`RuleError`] with file, line and key, or with what the rule lacks.
pub fn load_rule(path: &str, text: &str) -> Result<Rule, RuleError> {
    let rule: Rule = parse_toml(path, text, "rule/1")?;
    check(&rule).map_err(|message| wrong(path, message))?;
    Ok(rule)
}

fn wrong(path: &str, message: String) -> RuleError {
    RuleError::Content { path: path.to_owned(), message }
}

fn check(rule: &Rule) -> Result<(), String> {
    if rule.status.is_empty() || !rule.status.is_sorted_by(|a, b| a.from < b.from) {
        return Err("status entries must exist and be in order of date".to_owned());
    }
    let keys: BTreeSet<_> = rule.source.iter().map(|source| source.key.as_str()).collect();
    if keys.len() != rule.source.len() {
        return Err("a source key exists twice".to_owned());
    }
    let named = rule.status.iter().map(|s| &s.source).chain(rule.test.iter().map(|t| &t.source));
    for key in named {
        if !keys.contains(key.as_str()) {
            return Err(format!("source '{key}' is not listed"));
        }
    }
    let ids: BTreeSet<_> = rule.test.iter().map(|test| test.id.as_str()).collect();
    if ids.len() != rule.test.len() || ids.is_empty() {
        return Err("tests must exist and have different ids".to_owned());
    }
    if let Some(scenario) = rule.scenario.iter().find(|scenario| !ids.contains(scenario.test.as_str())) {
        return Err(format!("scenario '{}' names the unknown test '{}'", scenario.name, scenario.test));
    }
    rule.test.iter().try_for_each(|test| check_test(rule, test))
}

fn check_test(rule: &Rule, test: &Test) -> Result<(), String> {
    if test.quotation.trim().is_empty() || test.limit.is_empty() {
        return Err(format!("test '{}' needs a quotation and a limit", test.id));
    }
    if (test.subject == Subject::Training) != test.counting.is_some() {
        return Err(format!("test '{}': counting belongs to training, and training needs it", test.id));
    }
    if (test.subject == Subject::Chip) != test.gives.is_some() {
        return Err(format!("test '{}': gives belongs to chips, and chips need it", test.id));
    }
    let has = |quantity| test.limit_of(quantity).is_some();
    if test.subject == Subject::Cluster && !(has(Quantity::LinkRate) && has(Quantity::ClusterRate)) {
        return Err(format!("test '{}' needs limits of link-rate and cluster-rate", test.id));
    }
    for limit in &test.limit {
        let place = || format!("test '{}', limit of {:?}", test.id, limit.quantity);
        if limit.value.is_some() == limit.of.is_some() {
            return Err(format!("{}: give either value or of", place()));
        }
        if limit.unit != limit.quantity.unit() || limit.times == 0 {
            return Err(format!("{}: the unit is {}", place(), limit.quantity.unit()));
        }
        covered(rule, test, limit).map_err(|lacking| format!("{}: {lacking}", place()))?;
    }
    Ok(())
}

/// Scenarios must hold the limit's quantity at it, below and above, and both verdicts.
fn covered(rule: &Rule, test: &Test, limit: &Limit) -> Result<(), &'static str> {
    let times = crate::units::Decimal::from_integer(limit.times.into());
    let mut sides = [false; 3];
    let mut verdicts = BTreeSet::new();
    for scenario in rule.scenario.iter().filter(|scenario| scenario.test == test.id) {
        let against = limit.value.clone().or_else(|| scenario.values.get(&limit.of?)?.high.clone());
        let (Some(range), Some(against)) = (scenario.values.get(&limit.quantity), against) else { continue };
        if range.high.as_ref() != Some(&range.low) {
            continue;
        }
        verdicts.insert(scenario.verdict.name());
        let side = range.low.times(&times).cmp(&against);
        sides[match side {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Greater => 2,
        }] = true;
    }
    // A third of a power of ten is no whole number, so a limit with a factor has no scenario exactly at it.
    let at = sides[1] || (limit.times > 1 && limit.value.is_some());
    match (sides[0] && at && sides[2], verdicts.contains("met") && verdicts.contains("not-met")) {
        (true, true) => Ok(()),
        (false, _) => Err("no scenarios at the limit, below and above it"),
        (true, false) => Err("its scenarios do not give both met and not-met"),
    }
}

impl Comparison {
    /// Whether a value equal to the limit passes.
    pub const fn includes_limit(self) -> bool {
        matches!(self, Self::AtLeast)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threshold::{Mark, State};

    const BIS: &str = include_str!("rules/bis-2024-proposed.toml");

    #[test]
    fn every_rule_loads_and_has_an_official_or_named_source() {
        let rules = all_rules().unwrap();
        assert!(rules.len() >= 13, "{}", rules.len());
        for rule in &rules {
            assert!(rule.source.iter().all(|source| source.url.starts_with("https://")), "{}", rule.id);
        }
    }

    #[test]
    fn an_unknown_key_a_wrong_unit_and_a_missing_scenario_are_refused() {
        let changed =
            |from: &str, to: &str| load_rule("x.toml", &BIS.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(changed("comparison = \">\"", "comparision = \">\"").contains("x.toml:"));
        assert!(changed("unit = \"operations\"", "unit = \"FLOP\"").contains("unit is operations"));
        assert!(changed("source = \"AP\"", "source = \"ZZ\"").contains("'ZZ' is not listed"));
        assert!(
            changed("{ training-operations = \"1e26\" }", "{ training-operations = \"2e26\" }")
                .contains("no scenarios")
        );
        assert!(changed("value = \"1e26\"", "value = 1e26").contains("invalid type"), "a float is not exact");
        assert!(changed("from = 2025-01-20", "from = 2024-01-20").contains("order of date"));
    }

    #[test]
    fn status_follows_the_date() {
        let rules = all_rules().unwrap();
        let standing = |id: &str, date: &str| {
            let rule = rules.iter().find(|rule| rule.id == id).unwrap();
            let (state, notice) = rule.standing(date.parse().unwrap());
            (state, notice.to_owned())
        };
        assert_eq!(standing("BIS-2024-proposed", "2024-09-10").0, State::NotPublished);
        assert_eq!(standing("BIS-2024-proposed", "2024-10-08").1, "proposed rule, not in force");
        assert_eq!(
            standing("BIS-2024-proposed", "2026-11-24"),
            (State::Proposed, "proposed rule, not in force; legal basis revoked".to_owned())
        );
        assert_eq!(standing("EO-14110", "2025-01-19").0, State::InForce);
        assert_eq!(standing("EO-14110", "2025-01-20").0, State::Revoked);
        assert_eq!(standing("NY-2025", "2026-03-27").0, State::Superseded);
        assert_eq!(standing("CA-SB53", "2025-12-31").0, State::Enacted);
        assert_eq!(standing("CA-SB53", "2026-01-01").0, State::InForce);
    }

    #[test]
    fn what_is_only_recalled_is_marked() {
        let rules = all_rules().unwrap();
        assert!(rules.iter().flat_map(|rule| &rule.status).any(|status| status.evidence == Mark::Recalled));
    }
}

//! What a reader should look at twice before relying on the sums.

use super::reading::{Reading, components};
use super::survey::{ReadingTotals, SurveyError};
use super::topology::{LinkKind, Purpose, Topology};
use super::{Bundles, Grade};
use crate::units::BitRate;

/// Warnings for links above `limit`, `greatest` being the injection reading.
///
/// Errors: [`SurveyError`] as of the survey.
pub fn warnings(
    topology: &Topology,
    limit: BitRate,
    greatest: &ReadingTotals,
) -> Result<Vec<String>, SurveyError> {
    let mut found = Vec::new();
    let without = |keep: &dyn Fn(&Grade) -> bool| -> Result<bool, SurveyError> {
        let bundles = Bundles::with(topology, |grade| keep(grade).then_some(grade.rate))?;
        let sets = components(topology, &bundles, limit, Reading::Injection)?;
        let totals = super::survey::totals(topology, &sets, Reading::Injection, false)?;
        Ok(totals.greatest_rmax < greatest.greatest_rmax)
    };
    let any =
        |is: &dyn Fn(&Grade) -> bool| topology.grades.iter().any(|grade| grade.down.is_none() && is(grade));
    for (purpose, name) in
        [(Purpose::Storage, "storage"), (Purpose::FrontEnd, "front-end"), (Purpose::Management, "management")]
    {
        if any(&|grade| grade.purpose == purpose) && without(&|grade| grade.purpose != purpose)? {
            found.push(format!(
                "the largest set is held together by {name} links; without them it is smaller"
            ));
        }
    }
    if any(&|grade| grade.kind == LinkKind::Nvlink && grade.rate > limit) {
        let held = without(&|grade| grade.kind != LinkKind::Nvlink)?;
        let how = if held { "; without it the largest set is smaller" } else { "" };
        found.push(format!("NVLink between machines may not be data center networking{how}"));
    }
    for grade in &topology.grades {
        let Some(reason) = &grade.down else { continue };
        found.push(format!("links of {} are left out as down: {reason}", grade.rate));
    }
    if let Some(largest) = &greatest.largest {
        if largest.sites.len() > 1 {
            let sites = largest.sites.join("; ");
            found.push(format!("the largest set spans {} sites: {sites}", largest.sites.len()));
        }
        if largest.totals.accelerators == 0 {
            found.push("no machine of the largest set has an accelerator".to_owned());
        }
    }
    Ok(found)
}

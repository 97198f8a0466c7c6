//! What must not grow while a device is measured: errors of its memory, and rows that were replaced.

use nvml_wrapper::Device;
use nvml_wrapper::enum_wrappers::device::{EccCounter, MemoryError};

/// Counters at one moment; `None` for one that the device does not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Health {
    uncorrected: Option<u64>,
    remapped: Option<Remapped>,
}

/// Rows of memory that others stand in for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Remapped {
    rows: u32,
    /// Whether some wait for the next reset.
    pending: bool,
    /// Whether a remapping has failed.
    failed: bool,
}

impl Health {
    /// The counters of a device now.
    pub fn of(device: &Device<'static>) -> Self {
        let uncorrected = device.total_ecc_errors(MemoryError::Uncorrected, EccCounter::Volatile).ok();
        Self { uncorrected, remapped: remapped(device) }
    }

    /// What there is, before anything is measured.
    pub fn note(&self) -> String {
        let errors = self.uncorrected.map_or_else(
            || "uncorrected memory errors: not told".to_owned(),
            |errors| format!("{errors} uncorrected memory errors since the driver was loaded"),
        );
        let rows = self.remapped.map_or_else(
            || "remapped rows: not told".to_owned(),
            |Remapped { rows, pending, failed }| {
                let pending = if pending { ", more at the next reset" } else { "" };
                let failed = if failed { ", and a remapping has failed" } else { "" };
                format!("{rows} memory rows remapped{pending}{failed}")
            },
        );
        format!("{errors}; {rows}")
    }

    /// What has come since an earlier moment, each with the name of its rule.
    pub fn since(&self, before: &Self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if let (Some(before), Some(now)) = (before.uncorrected, self.uncorrected)
            && now > before
        {
            found.push(("ecc", format!("{} uncorrected memory errors while measuring", now - before)));
        }
        if let (Some(before), Some(now)) = (before.remapped, self.remapped) {
            if now.rows > before.rows {
                let message = format!("{} memory rows were remapped meanwhile", now.rows - before.rows);
                found.push(("remapped-rows", message));
            }
            if now.pending && !before.pending {
                let message = "memory rows wait for the next reset to be remapped, since this run".to_owned();
                found.push(("remapped-rows", message));
            }
            if now.failed && !before.failed {
                found.push(("remapped-rows", "remapping a memory row has failed meanwhile".to_owned()));
            }
        }
        found
    }
}

#[expect(unsafe_code, reason = "a function that the wrapper does not have")]
fn remapped(device: &Device<'static>) -> Option<Remapped> {
    let ask = device.nvml().lib().nvmlDeviceGetRemappedRows.as_ref().ok()?;
    let [mut corrected, mut uncorrected, mut pending, mut failed] = [0_u32; 4];
    // SAFETY: the handle is the wrapper's own and live, the four pointers are valid.
    let code = unsafe {
        ask(device.handle(), &raw mut corrected, &raw mut uncorrected, &raw mut pending, &raw mut failed)
    };
    let rows = corrected.saturating_add(uncorrected);
    (code == 0).then_some(Remapped { rows, pending: pending != 0, failed: failed != 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_grew_and_is_told_is_said() {
        let rows = |rows, pending| Some(Remapped { rows, pending, failed: false });
        let before = Health { uncorrected: Some(2), remapped: rows(1, false) };
        assert!(before.since(&before).is_empty());
        let silent = Health::default();
        assert!(silent.since(&before).is_empty() && before.since(&silent).is_empty());
        let after = Health { uncorrected: Some(5), remapped: rows(3, true) };
        let said: Vec<String> = after.since(&before).into_iter().map(|(_, message)| message).collect();
        assert!(said[0].starts_with("3 uncorrected") && said[1].starts_with("2 memory rows"), "{said:?}");
        assert!(said[2].contains("next reset") && said.len() == 3, "{said:?}");
        let failed = Health { remapped: Some(Remapped { failed: true, ..Remapped::default() }), ..silent };
        let nothing = Health { remapped: Some(Remapped::default()), ..silent };
        assert_eq!(failed.since(&nothing)[0].0, "remapped-rows");
    }

    #[test]
    fn what_is_not_told_is_no_zero() {
        let note = Health::default().note();
        assert!(!note.contains('0') && note.matches("not told").count() == 2, "{note}");
    }
}

//! The files by which the nodes of one job begin at one moment: `ready.RANK`, kind `start-ready/1`, and `go`, kind
//! `start-go/1`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::counted;

/// Says that a rank is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ready {
    /// `flopgauge.start-ready/1`.
    pub format: String,
    /// The engine's job id.
    pub job: String,
    /// How often the job was started again.
    pub restart: u64,
    /// Which of the job's processes.
    pub rank: u64,
    /// Its node.
    pub node: String,
    /// When the process began; tells it from an earlier one of the same rank.
    #[schemars(with = "String")]
    pub began: Timestamp,
}

impl Ready {
    /// Kind and version.
    pub const KIND: &'static str = "start-ready/1";
}

/// Says when to begin, and who does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Go {
    /// `flopgauge.start-go/1`.
    pub format: String,
    /// The engine's job id.
    pub job: String,
    /// How often the job was started again.
    pub restart: u64,
    /// Ranks that were to begin.
    pub ranks: u64,
    /// The moment.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Ranks that were ready in time, and when the process of each began.
    #[schemars(with = "BTreeMap<u64, String>")]
    pub ready: BTreeMap<u64, Timestamp>,
    /// Ranks that were not.
    pub missing: Vec<u64>,
}

impl Go {
    /// Kind and version.
    pub const KIND: &'static str = "start-go/1";

    /// The start of those that are ready among `ranks` of the job of `own`.
    pub fn new(own: &Ready, ranks: u64, ready: &[Ready], at: Timestamp) -> Self {
        let of_the_job = |other: &&Ready| (&other.job, other.restart) == (&own.job, own.restart);
        let ready: BTreeMap<u64, Timestamp> =
            ready.iter().filter(of_the_job).map(|ready| (ready.rank, ready.began)).collect();
        let missing = (0..ranks).filter(|rank| !ready.contains_key(rank)).collect();
        let (format, job) = (format!("flopgauge.{}", Self::KIND), own.job.clone());
        Self { format, job, restart: own.restart, ranks, at, ready, missing }
    }

    /// Whether it is the start that a process waits for, or why not.
    ///
    /// Errors: the reason, for a start of another job, of an earlier process, or without this rank.
    pub fn admits(&self, own: &Ready, ranks: u64) -> Result<(), String> {
        if (&self.job, self.restart) != (&own.job, own.restart) {
            let (job, restart) = (&self.job, self.restart);
            return Err(format!("the go file is of job {job}.{restart}; each start needs a fresh directory"));
        }
        if self.ranks != ranks {
            return Err(format!(
                "rank 0 started {}, and this process was told of {ranks}",
                counted(self.ranks, "rank")
            ));
        }
        match self.ready.get(&own.rank) {
            Some(began) if *began == own.began => Ok(()),
            Some(_) => {
                Err("the go file is of an earlier start; each start needs a fresh directory".to_owned())
            }
            None => Err(format!("rank {} came too late: the others began without it", own.rank)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(job: &str, rank: u64, began: i64) -> Ready {
        let (format, began) = (format!("flopgauge.{}", Ready::KIND), Timestamp::from_second(began).unwrap());
        Ready { format, job: job.to_owned(), restart: 0, rank, node: format!("n{rank}"), began }
    }

    #[test]
    fn a_go_file_admits_those_that_it_names_and_nobody_else() {
        let (first, second, other) = (ready("7", 0, 10), ready("7", 1, 11), ready("6", 2, 1));
        let at = Timestamp::from_second(20).unwrap();
        let go = Go::new(&first, 3, &[first.clone(), second.clone(), other.clone()], at);
        assert_eq!(go.missing, [2], "a file of another job is nobody's");
        assert_eq!(go.admits(&first, 3), Ok(()));
        assert_eq!(go.admits(&second, 3), Ok(()));
        for (own, ranks, said) in [
            (other, 3, "of job 7.0"),
            (ready("7", 1, 12), 3, "earlier start"),
            (ready("7", 2, 12), 3, "too late"),
            (second.clone(), 4, "told of 4"),
            (Ready { restart: 1, ..second }, 3, "of job 7.0"),
        ] {
            let reason = go.admits(&own, ranks).unwrap_err();
            assert!(reason.contains(said), "{reason}");
        }
    }
}

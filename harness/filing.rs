//! What must be said, by when: quarters, due dates, windows, the plan and the packet of a quarter.
//!
//! Written for a rule that was proposed and is not in force: a help for preparation, not legal advice.
//! No clock is read here; the day on which something is judged is an argument.

mod annex;
mod assemble;
mod calendar;
mod dates;
mod day;
mod deadline;
mod dual_use;
mod error;
mod figures;
mod filer;
mod filer_file;
mod files;
mod html;
mod judged;
mod layout;
mod lineage;
mod packet;
mod plan;
mod quarter;
mod questions;
mod readings;
mod rule;
mod standing;
mod windows;

pub use annex::{CalibratedRate, Calibration};
pub use assemble::{Material, assemble};
pub use calendar::calendar;
pub use dates::{Schedule, Window};
pub use day::Day;
pub use deadline::{Deadline, DeadlineKind, RestsOn};
pub use dual_use::{
    Answer, DualUse, DualUseFile, Point, blank as blank_dual_use, parse_dual_use, read_dual_use,
};
pub use error::FilingError;
pub use figures::{ClusterFigures, Figure, Known, Operations, SetFigures, TrainingFigures};
pub use filer::{
    Activity, Attestation, ClusterEvent, Contact, Correction, CoveredBasis, Filer, Limb, Receipt, Received,
    Submitter, Times,
};
pub use filer_file::{FilerFile, parse_filer, read_filer};
pub use files::PacketFiles;
pub use html::html;
pub use judged::{Figures, InputFile, Judged, judge_all, sha256};
pub use layout::{Item, lay_out};
pub use lineage::{Change, Previous, ReadPacket, changes, drafts, read_packet};
pub use packet::{
    Affirmation, Annex, ChosenReading, ClusterHeld, FilingKind, Head, LookAhead, Model, Packet,
    PacketActivity, PacketCorrection, RunLineage, Signature, Statement, TrainingRun,
};
pub use plan::{ActivityPlan, AffirmationPlan, Entry, Plan, QuarterPlan};
pub use quarter::{Quarter, QuarterError};
pub use questions::{Question, Questions};
pub use readings::{
    Affirmations, ClarificationDays, ContinuedPossession, LookAheadEnd, PastWindow, Readings, Undetermined,
};
pub use rule::{Basis, Evidence, FilingRule, OpenReading, RuleDataError, SourceDocument, Topic};
pub use standing::{Standing, instrument};
pub use windows::{Cause, Phase, Placed, place};

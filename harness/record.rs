//! What was seen: record directories of JSON Lines, written line by line, read strictly, and their CSV summaries.

mod copies;
mod directory;
mod environment;
mod measurement;
mod stragglers;
mod summary;

pub use copies::CopyRow;
pub use directory::{Directory, ENVIRONMENT, MEASUREMENTS, Record, RecordError};
pub use environment::{Ending, Environment, Host};
pub use measurement::Measurement;
pub use stragglers::{Straggler, stragglers};
pub use summary::{Row, Summary};

//! How much many devices make together: machines, switches and links, and the sets that links connect.
//!
//! Everything summed is an exact integer. Rows of equal machines stay rows: 100,000 machines are one entry unless
//! single ones of them are named. What a rule says of the sums is not here; the limit of a link is an argument.

mod assembly;
mod bundle;
mod csv_files;
mod cut;
mod figures;
mod groups;
mod hardware;
mod headroom;
mod ibnetdiscover;
mod names;
mod number;
mod profile_file;
mod reading;
mod sets;
mod survey;
#[cfg(test)]
mod tests;
mod toml_file;
mod topology;
mod warning;
mod what_if;

pub use assembly::{Assembly, AssemblyError};
pub use bundle::{Bundle, Bundles};
pub use csv_files::read_csv;
pub use cut::{Cut, smallest_cut};
pub use figures::{
    Catalogued, DeviceFigures, Figures, FiguresError, NoDevices, Rates, Together, best_peak, declared_peaks,
    figures_of,
};
pub use groups::{Group, GroupKind, GroupLink, Groups, groups};
pub use headroom::{Headroom, headroom};
pub use ibnetdiscover::read_ibnetdiscover;
pub use names::{Name, Names};
pub use number::{Number, date, optional_date, refuse_long_floats};
pub use profile_file::{ProfileFile, read_profile};
pub use reading::{Components, FabricSplit, Reading, components};
pub use sets::MachineSet;
pub use survey::{Largest, ReadingTotals, Survey, SurveyError, Totals, survey};
pub use toml_file::{ClusterFile, read_toml};
pub(crate) use toml_file::{Declared, DeviceTable, device as declared_device};
pub use topology::{Build, Grade, LinkKind, Place, Purpose, Topology, Vertex};
pub use warning::warnings;
pub use what_if::{Change, ChangeError};

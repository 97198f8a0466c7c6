//! The machine, for the record.

use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use crate::record::Host;
use crate::units::Bytes;

/// What the operating system tells of the machine.
pub fn describe() -> Host {
    let wanted = RefreshKind::nothing()
        .with_cpu(CpuRefreshKind::nothing())
        .with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(wanted).ok();
    let cpus = system.as_ref().map_or(&[][..], System::cpus);
    let memory = system.as_ref().map(System::total_memory).filter(|bytes| *bytes > 0);
    Host {
        name: System::host_name().ok(),
        os: System::long_os_version().ok(),
        kernel: System::kernel_version().ok(),
        cpu: cpus.first().map(|cpu| cpu.brand().trim().to_owned()).filter(|brand| !brand.is_empty()),
        logical_cpus: u32::try_from(cpus.len()).ok().filter(|count| *count > 0),
        memory_bytes: memory.map(Bytes::new),
    }
}

// SPDX-License-Identifier: GPL-2.0

//! The file `per_cpu`: a header line, then a row for each possible CPU.
//!
//! | column | value |
//! |---|---|
//! | `cpu` | number of the CPU |
//! | `lent` | pages now mapped into the stack of the running thread |
//! | `spare` | pages of the stock that are not lent |
//! | `reserve` | pages of the emergency reserve |
//! | `lends` | pages lent since boot |
//! | `keeps` | pages kept by threads since boot |
//! | `refill_failures` | times since boot that no page could be allocated for the stock |
//! | `parks` | times since boot that a thread had to wait for pages before it could run |
//!
//! The counts since boot of a CPU that goes offline move to another CPU; the sum stays right.

use kernel::{
    debugfs::Writer,
    dynamic_stack::CpuStats,
    fmt, //
};

/// The contents of the file.
pub(crate) struct PerCpu;

impl Writer for PerCpu {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "cpu lent spare reserve lends keeps refill_failures parks"
        )?;
        for (cpu, stats) in CpuStats::possible_cpus() {
            writeln!(
                f,
                "{} {} {} {} {} {} {} {}",
                cpu.as_u32(),
                stats.lent,
                stats.spare,
                stats.reserve,
                stats.lends,
                stats.keeps,
                stats.refill_failures,
                stats.parks
            )?;
        }
        Ok(())
    }
}

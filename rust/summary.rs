// SPDX-License-Identifier: GPL-2.0

//! The file `summary`: lines `key value`.
//!
//! | key | value |
//! |---|---|
//! | `method` | name of the method that fills empty slots |
//! | `thread_size_bytes` | size of a stack area |
//! | `slots` | pages of a stack area |
//! | `threads` | threads that have a stack; idle threads are not counted |
//! | `owned_pages` | pages owned by all stacks, as `nr_dynamic_stack_owned` in `/proc/vmstat` |
//! | `debt_pages` | owned pages of the counted threads that are not yet charged |
//! | `stock_pages` | pages held by all CPUs, as `nr_dynamic_stack_stock` in `/proc/vmstat` |
//! | `lent_pages` | pages of the stock that are now mapped into a stack |
//! | `lends` | pages lent since boot |
//! | `keeps` | pages kept since boot |
//! | `refill_failures` | times since boot that no page could be allocated for the stock |
//! | `parks` | times since boot that a thread had to wait for pages before it could run |
//! | `growth_recorded` | 1 while it is recorded which functions make stacks grow, otherwise 0 |
//! | `margin_left_bytes` | with the method `probe`, the least that a check found of the margin |
//! | `margin_left_in` | the function whose check that was |

use kernel::{
    debugfs::Writer,
    dynamic_stack::{
        self,
        CpuStats,
        TaskStack,
        Threads, //
    },
    fmt,
    prelude::*, //
};

/// The contents of the file.
pub(crate) struct Summary;

impl Writer for Summary {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut threads = 0;
        let mut debt_pages = 0;

        for (_pid, task) in Threads::new() {
            if let Some(stack) = TaskStack::try_get(&task) {
                threads += 1;
                debt_pages += stack.debt_pages();
            }
        }

        let cpus = CpuStats::total();
        let growth_recorded = u8::from(dynamic_stack::growth_is_recorded());

        f.write_fmt(fmt!("method {}\n", dynamic_stack::method_name()))?;
        writeln!(f, "thread_size_bytes {}", dynamic_stack::AREA_SIZE)?;
        writeln!(f, "slots {}", dynamic_stack::SLOTS)?;
        writeln!(f, "threads {threads}")?;
        writeln!(f, "owned_pages {}", dynamic_stack::total_owned_pages())?;
        writeln!(f, "debt_pages {debt_pages}")?;
        writeln!(f, "stock_pages {}", dynamic_stack::total_stock_pages())?;
        writeln!(f, "lent_pages {}", cpus.lent)?;
        writeln!(f, "lends {}", cpus.lends)?;
        writeln!(f, "keeps {}", cpus.keeps)?;
        writeln!(f, "refill_failures {}", cpus.refill_failures)?;
        writeln!(f, "parks {}", cpus.parks)?;
        writeln!(f, "growth_recorded {growth_recorded}")?;
        write_margin_left(f)
    }
}

#[cfg(CONFIG_DYNAMIC_STACK_PROBE)]
fn write_margin_left(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some(least) = dynamic_stack::LeastLeft::since_boot() else {
        return Ok(());
    };
    let mut name = [0; 128];

    writeln!(f, "margin_left_bytes {}", least.bytes)?;
    f.write_fmt(fmt!("margin_left_in {}\n", least.symbol(&mut name)))
}

#[cfg(not(CONFIG_DYNAMIC_STACK_PROBE))]
fn write_margin_left(_: &mut fmt::Formatter<'_>) -> fmt::Result {
    Ok(())
}

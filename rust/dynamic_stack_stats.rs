// SPDX-License-Identifier: GPL-2.0

//! Statistics of dynamic kernel stacks in debugfs.
//!
//! The directory `dynamic_stack` has these files. Fields are separated by one space. New keys,
//! and new columns before the last, may be added; what is there keeps its name and meaning.
//!
//! * `summary`: lines `key value`.
//! * `per_cpu`: a table, one row for each possible CPU.
//! * `histogram`: a table, the number of threads by owned pages.
//! * `threads`: a table, the deepest threads. Write a number to choose how many.
//! * `growth`: a table, the functions that made stacks grow. Write 1 or 0 to record or not.
//!
//! Each file is described in the module of its name. All numbers are read one after the other,
//! without stopping the system: sums agree exactly only if no thread starts, grows or exits.

#[cfg(not(CONFIG_DYNAMIC_STACK))]
compile_error!("dynamic_stack_stats needs a kernel with CONFIG_DYNAMIC_STACK=y");
#[cfg(not(CONFIG_DEBUG_FS))]
compile_error!("dynamic_stack_stats needs a kernel with CONFIG_DEBUG_FS=y");

mod growth;
mod histogram;
mod input;
mod per_cpu;
mod summary;
mod threads;

use growth::Growth;
use histogram::Histogram;
use kernel::{
    debugfs::Scope,
    prelude::*, //
};
use per_cpu::PerCpu;
use summary::Summary;
use threads::Threads;

module! {
    type: DynamicStackStats,
    name: "dynamic_stack_stats",
    description: "Statistics of dynamic kernel stacks in debugfs",
    license: "GPL",
}

#[pin_data]
struct DynamicStackStats {
    #[pin]
    _dir: Scope<Threads>,
}

impl kernel::InPlaceModule for DynamicStackStats {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            _dir <- Scope::dir(Threads::new(), c"dynamic_stack", |threads, dir| {
                dir.read_only_file(c"summary", &Summary);
                dir.read_only_file(c"per_cpu", &PerCpu);
                dir.read_only_file(c"histogram", &Histogram);
                dir.read_write_file(c"threads", threads);
                dir.read_write_file(c"growth", &Growth);
            }),
        })
    }
}

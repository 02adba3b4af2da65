// SPDX-License-Identifier: GPL-2.0
//! A guest that has the modules and the selftests, and no file of the host.

use std::path::Path;

use anyhow::Result;

use crate::context::Context;
use crate::initrd::Initrd;
use crate::modules::Modules;
use crate::suite::Suite;

/// Where things are in the guest.
const STATS: &str = "dynamic_stack_stats.ko";
const STRESS: &str = "stack_stress.ko";
pub const SELFTESTS: &str = "selftests";

/// With test.sh as its script; more can be added.
pub fn initrd(ctx: &Context, suite: &Suite, modules: &Modules, dir: &Path) -> Result<Initrd> {
    let mut initrd = Initrd::new(ctx, dir, "test.sh")?;
    initrd.add(&modules.stats, STATS);
    initrd.add(&modules.stress, STRESS);
    initrd.add_folder(&suite.dir, SELFTESTS)?;
    Ok(initrd)
}

/// What test.sh is told to run `tests`.
pub fn args(suite: &Suite, tests: &[String]) -> Vec<String> {
    let paths = [STATS, STRESS, SELFTESTS].map(|path| format!("/{path}"));
    let timeout = suite.timeout.as_secs().to_string();
    [&paths[..], &[timeout], tests].concat()
}

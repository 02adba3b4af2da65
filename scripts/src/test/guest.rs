// SPDX-License-Identifier: GPL-2.0
//! What guests are told and given to run tests: all by the script test.sh, which
//! loads the modules, with the files of the host or with none.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::context::Context;
use crate::initrd::Initrd;
use crate::modules::Modules;
use crate::suite::Suite;

/// Where things are in a guest without files of the host.
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

/// What test.sh is told there to run `tests`.
pub fn args(suite: &Suite, tests: &[String]) -> Vec<String> {
    let paths = [STATS, STRESS, SELFTESTS].map(|path| format!("/{path}"));
    script_args(paths, suite.timeout, tests)
}

/// The same in a guest with the files of the host, for tests of `dir`.
pub fn host_args(
    modules: &Modules,
    dir: &Path,
    timeout: Duration,
    tests: &[String],
) -> Vec<String> {
    let paths = [&modules.stats, &modules.stress, dir];
    script_args(paths.map(|path| path.display().to_string()), timeout, tests)
}

fn script_args(paths: [String; 3], timeout: Duration, tests: &[String]) -> Vec<String> {
    [&paths[..], &[timeout.as_secs().to_string()], tests].concat()
}

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

/// Where the tests are in a guest without files of the host.
pub const SELFTESTS: &str = "selftests";

/// With test.sh as its script; more can be added.
pub fn initrd(ctx: &Context, suite: &Suite, modules: &Modules, dir: &Path) -> Result<Initrd> {
    let mut initrd = Initrd::new(ctx, dir, "test.sh")?;
    for module in modules.all() {
        initrd.add(module, &file_name(module));
    }
    initrd.add_folder(&suite.dir, SELFTESTS)?;
    Ok(initrd)
}

/// What test.sh is told there to run `tests`.
pub fn args(suite: &Suite, modules: &Modules, tests: &[String]) -> Vec<String> {
    let paths = modules
        .all()
        .map(|module| format!("/{}", file_name(module)));
    script_args(&paths, &format!("/{SELFTESTS}"), suite.timeout, tests)
}

/// The same in a guest with the files of the host, for tests of `dir`.
pub fn host_args(
    modules: &[&Path],
    dir: &Path,
    timeout: Duration,
    tests: &[String],
) -> Vec<String> {
    let paths: Vec<_> = modules
        .iter()
        .map(|module| module.display().to_string())
        .collect();
    script_args(&paths, &dir.display().to_string(), timeout, tests)
}

fn script_args(modules: &[String], dir: &str, timeout: Duration, tests: &[String]) -> Vec<String> {
    let fixed = [
        modules.join(":"),
        dir.to_string(),
        timeout.as_secs().to_string(),
    ];
    [&fixed[..], tests].concat()
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

// SPDX-License-Identifier: GPL-2.0
//! `test-fred`: a part of the selftests on CPUs with FRED, emulated by Bochs.

use std::ffi::OsString;

use std::time::Duration;

use anyhow::{Result, ensure};

use super::guest;
use super::judge::Judge;
use super::matrix::Matrix;
use super::verdict::Counts;
use super::{kernel_args, outcome};
use crate::context::{Context, existing};
use crate::kernel::Kernel;
use crate::method;
use crate::modules::Modules;
use crate::outcome::Outcome;
use crate::setup;
use crate::suite::Suite;
use crate::vm::Vm;

const SYMBOL: &str = "CONFIG_X86_FRED";
/// Says whether the kernel uses FRED.
const FLAG_TEST: &str = "fred.sh";
/// Tests that are about entries to the kernel, or that owned pages come and go.
const TESTS: [&str; 3] = ["owned_pages", "stress.sh", "events.sh"];

const MEMORY_MIB: u32 = 1024;
/// Bochs interprets each instruction: what takes QEMU a second may take it a minute.
const QUIET: Duration = Duration::from_secs(900);
const TOTAL: Duration = Duration::from_secs(10_800);

#[derive(clap::Args)]
pub struct Args {
    /// A Bochs configured with --enable-fred, --enable-x86-64, --enable-avx,
    /// --enable-smp and --with-nogui
    #[arg(long, env = "BOCHS")]
    bochs: Option<OsString>,
    /// Tests to run, by name; all that are of use here if none is given
    #[arg(long = "test", env = "T", value_name = "NAME", value_delimiter = ' ')]
    tests: Vec<String>,
    /// Methods to run them under
    #[arg(long, env = "METHODS", value_delimiter = ' ', default_values = method::ALL)]
    methods: Vec<String>,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let methods = method::select(&args.methods)?;
    let tests = select(&method::words(&args.tests))?;
    let Some(bochs) = existing("BOCHS", args.bochs.clone())? else {
        println!("skip: no emulator with FRED was given: BOCHS=<binary>");
        println!("{}", Counts::SKIPPED);
        return Ok(Outcome::Skip);
    };
    ensure!(
        bochs.is_file(),
        "BOCHS must be a program, not {}",
        bochs.display()
    );
    setup::ensure_disc(ctx)?;
    let judge = Judge::new(ctx)?;
    let kernel = Kernel::ensure(ctx, None)?;
    ensure!(
        kernel.config()?.value(SYMBOL) == "y",
        "KDIR={}: {SYMBOL}: not in the .config of KDIR: enable it, build again",
        kernel.build.display()
    );
    let suite = Suite::build(ctx, &kernel)?;
    let modules = Modules::ensure(ctx, &kernel)?;
    let dir = ctx.cache.join("fred");
    let mut initrd = guest::initrd(ctx, &suite, &modules, &dir)?;
    let flag_test = ctx.root.join("scripts/guest").join(FLAG_TEST);
    initrd.add(&flag_test, &format!("{}/{FLAG_TEST}", guest::SELFTESTS));
    let initrd = initrd.pack()?;

    let init_args = guest::args(&suite, &modules, &tests);
    let (mut died, mut matrix) = (false, Matrix::default());
    for method in methods {
        let mut vm = Vm::new(ctx, &kernel, &format!("FRED, {method}"));
        vm.memory_mib = MEMORY_MIB;
        vm.kernel_args = kernel_args(method);
        vm.quiet = QUIET;
        vm.total = TOTAL;
        let run = vm.run_bochs(&bochs, &initrd, &init_args, &dir)?;
        died |= run.status().is_none();
        judge.add(method, &run, &tests, &mut matrix);
    }
    print!("{matrix}");
    Ok(outcome(matrix.counts().failed, matrix.passed(), died))
}

/// The tests asked for, all if that is none, after the one that tells whether
/// the others mean anything.
fn select(asked: &[String]) -> Result<Vec<String>> {
    for name in asked {
        ensure!(
            TESTS.contains(&name.as_str()),
            "no test {name:?}, expected some of: {}",
            TESTS.join(" ")
        );
    }
    let wanted = |test: &&str| asked.is_empty() || asked.iter().any(|name| name == test);
    let tests = TESTS.into_iter().filter(wanted);
    Ok([FLAG_TEST]
        .into_iter()
        .chain(tests)
        .map(str::to_string)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_is_always_tested() {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let selected = |asked: &[&str]| select(&words(asked)).unwrap();
        assert_eq!(
            selected(&[]),
            words(&["fred.sh", "owned_pages", "stress.sh", "events.sh"])
        );
        assert_eq!(selected(&["stress.sh"]), words(&["fred.sh", "stress.sh"]));
        let error = select(&words(&["storm"])).unwrap_err().to_string();
        assert_eq!(
            error,
            "no test \"storm\", expected some of: owned_pages stress.sh events.sh"
        );
    }
}

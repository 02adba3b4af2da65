// SPDX-License-Identifier: GPL-2.0
//! `test-fred`: a part of the selftests on CPUs with FRED, emulated by Bochs.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::judge::Judge;
use super::matrix::Matrix;
use super::verdict::Counts;
use super::{kernel_args, outcome};
use crate::context::{Context, existing};
use crate::kconfig::Config;
use crate::kernel::Kernel;
use crate::method;
use crate::modules::Modules;
use crate::outcome::Outcome;
use crate::process;
use crate::suite::Suite;
use crate::vm::Vm;
use crate::{archive, setup};

const SYMBOL: &str = "CONFIG_X86_FRED";
/// Says whether the kernel uses FRED.
const FLAG_TEST: &str = "fred.sh";
/// Tests that are about entries to the kernel, or that owned pages come and go.
const TESTS: [&str; 2] = ["owned_pages", "stress.sh"];

/// Folders of the guest, in the last one the selftests.
const FOLDERS: [&str; 6] = ["bin", "dev", "proc", "sys", "tmp", SELFTESTS];
const SELFTESTS: &str = "selftests";

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
        Config::read(&kernel.build.join(".config"))?.value(SYMBOL) == "y",
        "KDIR={}: {SYMBOL}: not in the .config of KDIR: enable it, build again",
        kernel.build.display()
    );
    let suite = Suite::build(ctx, &kernel)?;
    let modules = Modules::ensure(ctx, &kernel)?;
    let dir = ctx.cache.join("fred");
    let initrd = pack(ctx, &suite, &modules, &dir)?;

    let mut init_args = vec![suite.timeout.as_secs().to_string()];
    init_args.extend_from_slice(&tests);
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
    Ok(outcome(matrix.counts(), died))
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

/// All files of the guest: a shell, the modules, the selftests, the scripts.
fn pack(ctx: &Context, suite: &Suite, modules: &Modules, dir: &Path) -> Result<PathBuf> {
    let busybox = process::find_program("busybox").context("no busybox")?;
    let guest = ctx.root.join("scripts/guest");
    let mut files = vec![
        (guest.join("fred_init.sh"), "init".to_string()),
        (guest.join("test.sh"), "test.sh".to_string()),
        (busybox, "bin/busybox".to_string()),
        (modules.stats.clone(), "dynamic_stack_stats.ko".to_string()),
        (modules.stress.clone(), "stack_stress.ko".to_string()),
        (guest.join(FLAG_TEST), format!("{SELFTESTS}/{FLAG_TEST}")),
    ];
    for entry in fs::read_dir(&suite.dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.push((entry.path(), format!("{SELFTESTS}/{name}")));
    }
    files.sort_by(|(_, a), (_, b)| a.cmp(b));

    let root = dir.join("root");
    for folder in FOLDERS {
        fs::create_dir_all(root.join(folder))?;
    }
    for (from, name) in &files {
        fs::copy(from, root.join(name))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    let folders = FOLDERS.map(str::to_string).into_iter();
    let names: Vec<_> = folders
        .chain(files.into_iter().map(|(_, name)| name))
        .collect();
    archive::pack(&root, &names, &dir.join("initrd.cpio"))
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
            words(&["fred.sh", "owned_pages", "stress.sh"])
        );
        assert_eq!(selected(&["stress.sh"]), words(&["fred.sh", "stress.sh"]));
        let error = select(&words(&["storm"])).unwrap_err().to_string();
        assert_eq!(
            error,
            "no test \"storm\", expected some of: owned_pages stress.sh"
        );
    }
}

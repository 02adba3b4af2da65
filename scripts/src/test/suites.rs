// SPDX-License-Identifier: GPL-2.0
//! `test-kernel`: selftests of the kernel itself. None that passes under the first
//! method may fail under another one.

mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use self::table::{Table, Verdict};
use super::verdict::Counts;
use super::{Boot, guest, outcome};
use crate::context::Context;
use crate::fragment;
use crate::kernel::Kernel;
use crate::modules::Modules;
use crate::outcome::Outcome;
use crate::progress;
use crate::section;
use crate::splat::Splats;
use crate::suite::source_of;
use crate::tools::Tools;
use crate::vm::{Run, Vm};
use crate::{method, setup};

/// Folders of tools/testing/selftests that are about what the series touches.
const COLLECTIONS: [&str; 1] = ["x86"];

/// What one test may take, under emulation.
const TIMEOUT: Duration = Duration::from_secs(180);

#[derive(clap::Args)]
pub struct Args {
    /// Folders of the kernel's selftests, or FOLDER/TEST
    #[arg(
        long = "suite",
        env = "SUITES",
        value_name = "NAME",
        value_delimiter = ' ',
        default_values = COLLECTIONS
    )]
    suites: Vec<String>,
    /// Methods to run them under; the first one is what the others are compared with
    #[arg(long, env = "METHODS", value_delimiter = ' ', default_values = method::ALL)]
    methods: Vec<String>,
    #[command(flatten)]
    boot: Boot,
    #[command(flatten)]
    configs: fragment::Args,
}

/// Built and installed the kselftest way.
struct Installed {
    dir: PathBuf,
    /// Each with its folder.
    tests: Vec<String>,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    setup::ensure(ctx)?;
    let methods = method::select(&args.methods)?;
    let suites = method::words(&args.suites);
    let splats = Splats::of(ctx)?;
    let tools = Tools::ensure(ctx)?;
    let script = ctx.root.join("scripts/guest/test.sh");
    let mut died = false;
    let mut counts = Counts::default();
    for fragment in args.configs.select(ctx)? {
        let kernel = Kernel::ensure(ctx, fragment.as_ref())?;
        let modules = Modules::ensure(ctx, &kernel)?;
        let installed = Installed::build(ctx, &kernel, &suites)?;
        let mut table = Table::new(&methods);
        for method in &methods {
            let mut vm = Vm::new(ctx, &kernel, &format!("kernel's selftests, {method}"));
            args.boot.apply(method, &mut vm);
            vm.quiet = TIMEOUT + Duration::from_secs(60);
            vm.total = TIMEOUT * installed.tests.len() as u32;
            let Installed { dir, tests } = &installed;
            let script_args = guest::host_args(&modules, dir, TIMEOUT, tests);
            let run = vm.run(&tools.vng, &script, &script_args)?;
            died |= run.status().is_none();
            for (test, verdict) in installed.verdicts(&run, &splats) {
                table.add(&test, verdict);
            }
        }
        print!("{table}");
        counts += Counts {
            passed: table.passed(),
            failed: table.regressions(),
            skipped: 0,
        };
    }
    Ok(outcome(counts, died))
}

/// The folder of FOLDER or FOLDER/TEST.
fn folder(test: &str) -> &str {
    test.split_once('/').map_or(test, |(folder, _)| folder)
}

impl Installed {
    fn build(ctx: &Context, kernel: &Kernel, suites: &[String]) -> Result<Self> {
        let tree = source_of(&kernel.build);
        let source = tree.join("tools/testing/selftests");
        let mut folders: Vec<_> = suites.iter().map(|suite| folder(suite)).collect();
        folders.dedup();
        for folder in &folders {
            ensure!(
                source.join(folder).join("Makefile").is_file(),
                "no selftests {folder:?}, expected folders of {}",
                source.display()
            );
        }
        let dir = ctx.cache.join("selftests/kernel");
        let output = ctx.cache.join("selftests/kernel-built");
        // Also what an earlier run installed would be listed.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&output)?;
        let make = |tree: &Path| {
            let mut make = Command::new("make");
            make.env_remove("MAKEFLAGS")
                .args(["-s", "--no-print-directory", "-C"])
                .arg(tree)
                .arg(format!("O={}", output.display()));
            make
        };
        // Some know what the headers of the distribution do not.
        let log = ctx.log("kernel-headers");
        let mut headers = make(&tree);
        progress::run(
            "install the kernel's headers",
            &log,
            None,
            headers.arg("headers"),
        )?;
        let log = ctx.log("kernel-selftests");
        let mut install = make(&source);
        install
            .arg(format!("TARGETS={}", folders.join(" ")))
            .arg(format!("INSTALL_PATH={}", dir.display()))
            .arg("install");
        progress::run("build the kernel's selftests", &log, None, &mut install)?;
        let list = fs::read_to_string(dir.join("kselftest-list.txt"))?;
        let tests = list.lines().map(|line| line.replace(':', "/"));
        let asked = |test: &String| {
            suites
                .iter()
                .any(|suite| suite == folder(test) || suite == test)
        };
        let tests: Vec<_> = tests.filter(asked).collect();
        ensure!(
            !tests.is_empty(),
            "none of {} was built, see {}",
            suites.join(" "),
            log.display()
        );
        Ok(Self { dir, tests })
    }

    /// Exit status and kernel log decide: many of these tests print no KTAP.
    fn verdicts(&self, run: &Run, splats: &Splats) -> Vec<(String, Verdict)> {
        let output = section::split(&run.output);
        let console = section::split(&run.console);
        let verdict = |test: &String| {
            let status = section::find(&output, test).and_then(|section| section.status);
            let log = section::lines(&console, test);
            (test.clone(), Verdict::new(status, &splats.find(test, log)))
        };
        self.tests.iter().map(verdict).collect()
    }
}

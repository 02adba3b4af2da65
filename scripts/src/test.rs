// SPDX-License-Identifier: GPL-2.0
//! `test`: the selftests under each method, in VMs, and what the logs say.

pub mod exhaustion;
pub mod fred;
mod guest;
mod judge;
pub mod machine;
mod matrix;
pub mod suites;
mod verdict;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use self::judge::Judge;
use self::matrix::Matrix;
use self::verdict::{Counts, Result as TestResult};
use crate::context::Context;
use crate::fragment::{self, Fragment};
use crate::kernel::Kernel;
use crate::method;
use crate::modules::Modules;
use crate::outcome::Outcome;
use crate::process;
use crate::section;
use crate::suite::{Fatal, Suite};
use crate::tools::Tools;
use crate::vm::{Run, State, Vm};

/// Boots that do not end with the method that was asked for: column, method, and what
/// else is on the command line.
const ODD_BOOTS: [(&str, &str, &[&str]); 5] = [
    (
        "bogus",
        "bogus",
        &[
            "fail_dynamic_stack=1,100,0,2,0x80",
            "dynamic_stack_check=maybe",
            "dynamic_stack_margin=1",
        ],
    ),
    ("no memory", "lend", &["fail_dynamic_stack=1,100,0,1"]),
    ("no CPU", "lend", &["fail_dynamic_stack=1,100,0,-1,0x20"]),
    ("half a CPU", "lend", &["fail_dynamic_stack=2,100,0,1,0x20"]),
    (
        "no CPU, fault",
        "fault",
        &["fail_dynamic_stack=1,100,0,-1,0x20"],
    ),
];
/// The only test that has an opinion of them.
const ODD_BOOTS_TEST: &str = "boot_option.sh";

/// The guest's markers and the tests' are many for the usual limit.
const LOG_ARGS: [&str; 2] = ["printk.devkmsg=on", "log_buf_len=4M"];

#[derive(clap::Args)]
pub struct Args {
    /// Tests to run, by name; all if none is given
    #[arg(long = "test", env = "T", value_name = "NAME", value_delimiter = ' ')]
    tests: Vec<String>,
    /// Methods to run them under
    #[arg(long, env = "METHODS", value_delimiter = ' ', default_values = method::ALL)]
    methods: Vec<String>,
    #[command(flatten)]
    boot: Boot,
    #[command(flatten)]
    configs: fragment::Args,
}

/// How the kernels are booted.
#[derive(clap::Args)]
pub struct Boot {
    /// Words for the kernel's command line, beside dynamic_stack=
    #[arg(
        long = "append",
        env = "APPEND",
        value_name = "WORD",
        value_delimiter = ' '
    )]
    append: Vec<String>,
    /// Options for the emulator
    #[arg(
        long,
        env = "QEMU_OPTS",
        value_name = "OPTIONS",
        allow_hyphen_values = true
    )]
    qemu_opts: Option<String>,
}

impl Boot {
    /// Tells `vm` what it is to be booted with.
    fn apply(&self, method: &str, vm: &mut Vm) {
        self.apply_args(kernel_args(method), vm);
    }

    /// The same for a kernel without the series, which has no methods.
    fn apply_base(&self, vm: &mut Vm) {
        self.apply_args(LOG_ARGS.map(str::to_string).into(), vm);
    }

    fn apply_args(&self, args: Vec<String>, vm: &mut Vm) {
        vm.kernel_args.extend(args);
        vm.kernel_args.extend(method::words(&self.append));
        let options = self.qemu_opts.iter().filter(|options| !options.is_empty());
        vm.qemu_args = options.cloned().collect();
    }
}

/// What all VMs of one kernel have in common.
struct Lab<'a> {
    ctx: &'a Context,
    /// Of the configuration that is not the usual one.
    config: Option<&'a Fragment>,
    tools: Tools,
    kernel: Kernel,
    modules: Modules,
    suite: Suite,
    judge: &'a Judge,
    boot: &'a Boot,
    script: PathBuf,
    died: bool,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let asked = method::words(&args.tests);
    let methods = method::select(&args.methods)?;
    let fragments = args.configs.select(ctx)?;
    let judge = Judge::new(ctx)?;

    let mut died = false;
    let mut counts = Counts::default();
    let mut passed = 0;
    let mut all = fragments.len() > 1;
    for fragment in &fragments {
        let mut lab = Lab::new(ctx, fragment.as_ref(), &asked, &judge, &args.boot)?;
        let matrix = lab.run(&methods)?;
        if let Some(fragment) = fragment {
            println!("kernel with {}.config:", fragment.name);
        }
        print!("{matrix}");
        died |= lab.died;
        counts += matrix.counts();
        passed += matrix.passed();
        if asked.is_empty() && fragment.is_none() {
            println!("of the kernel's own suites:");
            let table = suites::compare(ctx, lab.kernel, &methods, &args.boot)?;
            print!("{table}");
            died |= table.lost_a_guest();
            counts += table.counts();
            passed += table.passed();
            all = true;
        }
    }
    if all {
        println!("in all: {counts}");
    }
    Ok(outcome(counts.failed, passed, died))
}

fn outcome(failed: usize, passed: usize, died: bool) -> Outcome {
    match (died, failed, passed) {
        (true, ..) => Outcome::VmDied,
        (_, 0, 0) => Outcome::Skip,
        (_, 0, _) => Outcome::Pass,
        _ => Outcome::Fail,
    }
}

/// Whether each of the regular expressions matches a line of the log.
fn reported(expected: &[String], log: &Path) -> TestResult {
    let missing = expected.iter().find(|regex| {
        let mut grep = Command::new("grep");
        !process::succeeds(grep.args(["-Eq", "--", regex.as_str()]).arg(log))
    });
    match missing {
        None => TestResult::passed("reported", &[]),
        Some(regex) => {
            let log = log.display();
            TestResult::missing(&format!("no line with '{regex}' in {log}"))
        }
    }
}

/// What the kernel is told for tests.
fn kernel_args(method: &str) -> Vec<String> {
    let mut args = vec![
        format!("dynamic_stack={method}"),
        // A page that comes back unused and is not zero warns.
        "dynamic_stack_check=1".to_string(),
    ];
    args.extend(LOG_ARGS.map(str::to_string));
    args
}

impl<'a> Lab<'a> {
    fn new(
        ctx: &'a Context,
        fragment: Option<&'a Fragment>,
        asked: &[String],
        judge: &'a Judge,
        boot: &'a Boot,
    ) -> Result<Self> {
        let kernel = Kernel::ensure(ctx, fragment)?;
        let mut suite = Suite::build(ctx, &kernel)?;
        suite.select(asked)?;
        Ok(Self {
            ctx,
            config: fragment,
            tools: Tools::ensure(ctx)?,
            modules: Modules::ensure(ctx, &kernel)?,
            kernel,
            suite,
            judge,
            boot,
            script: ctx.root.join("scripts/guest/test.sh"),
            died: false,
        })
    }

    fn run(&mut self, methods: &[&str]) -> Result<Matrix> {
        let mut matrix = Matrix::default();
        for method in methods {
            self.run_suite(method, &mut matrix)?;
            self.run_fatal(method, &mut matrix)?;
        }
        self.run_odd_boots(&mut matrix)?;
        Ok(matrix)
    }

    fn run_suite(&mut self, method: &str, matrix: &mut Matrix) -> Result<()> {
        if self.suite.tests.is_empty() {
            return Ok(());
        }
        let tests = self.suite.tests.clone();
        let run = self.run_script(&self.vm(method, "tests", &tests), &tests)?;
        self.died |= run.status().is_none();
        self.judge.add(method, &run, &tests, matrix);
        Ok(())
    }

    /// These end the VM as often as not: what the log shows decides.
    fn run_fatal(&self, method: &str, matrix: &mut Matrix) -> Result<()> {
        for Fatal { test, expected } in &self.suite.fatal {
            let name = test.replace(' ', "-");
            let tests = std::slice::from_ref(test);
            let mut vm = self.vm(method, &name, tests);
            vm.may_die = true;
            let run = self.run_script(&vm, tests)?;
            let output = section::split(&run.output);
            let said = section::find(&output, test);
            let result = match (&run.state, said) {
                (State::Hung { reason }, _) => TestResult::missing(reason),
                (_, Some(section)) if section.status == Some(verdict::SKIP) => {
                    TestResult::of_test(section, &[])
                }
                _ => reported(expected, &run.log),
            };
            matrix.add(test, method, result);
        }
        Ok(())
    }

    fn run_odd_boots(&mut self, matrix: &mut Matrix) -> Result<()> {
        let tests = [ODD_BOOTS_TEST.to_string()];
        if !self.suite.tests.contains(&tests[0]) {
            return Ok(());
        }
        for (column, method, args) in ODD_BOOTS {
            let mut vm = self.vm(method, column, &tests);
            vm.kernel_args.extend(args.iter().map(ToString::to_string));
            let run = self.run_script(&vm, &tests)?;
            self.died |= run.status().is_none();
            self.judge.add(column, &run, &tests, matrix);
        }
        Ok(())
    }

    fn vm(&self, method: &str, what: &str, tests: &[String]) -> Vm {
        let name = format!("{what}, {method}{}", fragment::suffix(self.config));
        let mut vm = Vm::new(self.ctx, &self.kernel, &name);
        self.boot.apply(method, &mut vm);
        vm.quiet = self.suite.timeout + Duration::from_secs(60);
        vm.total = self.suite.timeout * (tests.len() as u32 + 1);
        vm
    }

    fn run_script(&self, vm: &Vm, tests: &[String]) -> Result<Run> {
        let Suite { dir, timeout, .. } = &self.suite;
        let args = guest::host_args(&self.modules.all(), dir, *timeout, tests);
        vm.run(&self.tools.vng, &self.script, &args)
    }
}

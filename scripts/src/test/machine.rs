// SPDX-License-Identifier: GPL-2.0
//! `test-machine`: guests, suspend to RAM, hibernation, kexec and crash dumps under each
//! method, in guests that lose no root file system by it.

use std::path::PathBuf;

use anyhow::Result;

use super::judge::Judge;
use super::matrix::Matrix;
use super::verdict::Result as TestResult;
use super::{Boot, guest, outcome};
use crate::context::Context;
use crate::fragment::Fragment;
use crate::initrd::{INIT, Initrd};
use crate::kernel::Kernel;
use crate::method;
use crate::modules::Modules;
use crate::outcome::Outcome;
use crate::setup;
use crate::suite::Suite;
use crate::vm::{Run, State, Vm};

/// On top of the usual configuration.
const CONFIG: &str = "machine";
const IN_PLACE: [&str; 3] = ["kvm", "suspend.sh", "hibernate.sh"];
const KEXEC: &str = "kexec";
/// On the command line of the second kernel.
const WORD: &str = "started_by_kexec";
const COMMAND_LINE: &str = "Command line: ";
const NO_ROOT: &str = "Unable to mount root fs";
const CRASH: &str = "crash";
const CRASH_SCRIPT: &str = "crash.sh";
/// The test that runs in the kernel for crashes.
const VMCORE: &str = "vmcore";
const ROOM: &str = "crashkernel=256M";

#[derive(clap::Args)]
pub struct Args {
    /// Methods to run them under
    #[arg(long, env = "METHODS", value_delimiter = ' ', default_values = method::ALL)]
    methods: Vec<String>,
    #[command(flatten)]
    boot: Boot,
}

/// What the guests hold.
struct Archives {
    suspend: PathBuf,
    kexec: PathBuf,
    crash: PathBuf,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    setup::ensure(ctx)?;
    let methods = method::select(&args.methods)?;
    let kernel = Kernel::ensure(ctx, Some(&Fragment::named(ctx, CONFIG)?))?;
    let suite = Suite::build(ctx, &kernel)?;
    let modules = Modules::ensure(ctx, &kernel)?;
    let judge = Judge::new(ctx)?;

    let archives = Archives::pack(ctx, &kernel, &suite, &modules)?;

    let tests = IN_PLACE.map(str::to_string);
    let args_of_tests = guest::args(&suite, &modules, &tests);
    let (mut died, mut matrix) = (false, Matrix::default());
    for method in methods {
        let vm = |what| {
            let mut vm = Vm::new(ctx, &kernel, &format!("{what}, {method}"));
            args.boot.apply(method, &mut vm);
            vm.end_by_restart();
            vm
        };
        let run = vm("suspend").run_bare(&archives.suspend, INIT, &args_of_tests)?;
        died |= run.status().is_none();
        judge.add(method, &run, &tests, &mut matrix);

        let mut goes_on = vm(KEXEC);
        goes_on.may_die = true;
        let run = goes_on.run_bare(&archives.kexec, INIT, &[WORD.to_string()])?;
        matrix.add(KEXEC, method, second_kernel(&judge, &run));

        let mut crashes = vm(CRASH);
        crashes.may_die = true;
        crashes.kernel_args.push(ROOM.to_string());
        let run = crashes.run_bare(&archives.crash, INIT, &[])?;
        matrix.add(VMCORE, method, judge.single(VMCORE, &run));
    }
    print!("{matrix}");
    Ok(outcome(matrix.counts().failed, matrix.passed(), died))
}

impl Archives {
    fn pack(ctx: &Context, kernel: &Kernel, suite: &Suite, modules: &Modules) -> Result<Self> {
        let dir = ctx.cache.join(CONFIG);
        let initrd = |name: &str, script: &str| -> Result<Initrd> {
            let mut initrd = Initrd::new(ctx, &dir.join(name), script)?;
            initrd.add_folder(&suite.dir, guest::SELFTESTS)?;
            Ok(initrd)
        };
        let mut kexec = initrd(KEXEC, "kexec.sh")?;
        let mut crash = initrd(CRASH, CRASH_SCRIPT)?;
        let crashed = initrd(VMCORE, CRASH_SCRIPT)?.pack()?;
        crash.add(&crashed, "crashed.cpio");
        for initrd in [&mut kexec, &mut crash] {
            initrd.add(&kernel.image(), "bzImage");
        }
        Ok(Self {
            suspend: guest::initrd(ctx, suite, modules, &dir.join("suspend"))?.pack()?,
            kexec: kexec.pack()?,
            crash: crash.pack()?,
        })
    }
}

/// It has no root file system and dies of that, not of what the first one left behind.
fn second_kernel(judge: &Judge, run: &Run) -> TestResult {
    let started = |line: &String| line.contains(COMMAND_LINE) && line.contains(WORD);
    match &run.state {
        State::Died { reason } if reason.contains(NO_ROOT) && run.console.iter().any(started) => {
            judge.ended(KEXEC, reason, run)
        }
        state => TestResult::missing(&format!(
            "no second kernel looked for its root file system: {state:?}"
        )),
    }
}

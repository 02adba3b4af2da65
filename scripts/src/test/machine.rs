// SPDX-License-Identifier: GPL-2.0
//! `test-machine`: suspend to RAM and kexec under each method, in guests that lose no
//! root file system by it.

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
use crate::vm::{Run, State, TRUST_THE_TIMER, Vm};

/// On top of the usual configuration.
const CONFIG: &str = "machine";
const SUSPEND: &str = "suspend.sh";
const KEXEC: &str = "kexec";
/// On the command line of the second kernel.
const WORD: &str = "started_by_kexec";
const COMMAND_LINE: &str = "Command line: ";

#[derive(clap::Args)]
pub struct Args {
    /// Methods to run them under
    #[arg(long, env = "METHODS", value_delimiter = ' ', default_values = method::ALL)]
    methods: Vec<String>,
    #[command(flatten)]
    boot: Boot,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    setup::ensure(ctx)?;
    let methods = method::select(&args.methods)?;
    let kernel = Kernel::ensure(ctx, Some(&Fragment::named(ctx, CONFIG)?))?;
    let suite = Suite::build(ctx, &kernel)?;
    let modules = Modules::ensure(ctx, &kernel)?;
    let judge = Judge::new(ctx)?;

    let tests = [SUSPEND.to_string()];
    let dir = ctx.cache.join(CONFIG);
    let suspend = guest::initrd(ctx, &suite, &modules, &dir.join("suspend"))?.pack()?;
    let mut kexec = Initrd::new(ctx, &dir.join(KEXEC), "kexec.sh")?;
    kexec.add_folder(&suite.dir, guest::SELFTESTS)?;
    kexec.add(&kernel.image(), "bzImage");
    let kexec = kexec.pack()?;

    let (mut died, mut matrix) = (false, Matrix::default());
    for method in methods {
        let vm = |what| {
            let mut vm = Vm::new(ctx, &kernel, &format!("{what}, {method}"));
            args.boot.apply(method, &mut vm);
            vm.kernel_args
                .extend([TRUST_THE_TIMER, "END=reboot"].map(str::to_string));
            vm
        };
        let run = vm("suspend").run_bare(&suspend, INIT, &guest::args(&suite, &modules, &tests))?;
        died |= run.status().is_none();
        judge.add(method, &run, &tests, &mut matrix);

        let mut vm = vm(KEXEC);
        vm.may_die = true;
        let run = vm.run_bare(&kexec, INIT, &[WORD.to_string()])?;
        matrix.add(KEXEC, method, second_kernel(&run));
    }
    print!("{matrix}");
    Ok(outcome(matrix.counts(), died))
}

/// It has no root file system and dies of that.
fn second_kernel(run: &Run) -> TestResult {
    let started = |line: &&String| line.contains(COMMAND_LINE) && line.contains(WORD);
    let second = run.console.iter().skip_while(|line| !started(line));
    match &run.state {
        State::Died { reason } if second.count() > 0 => TestResult::passed(reason),
        state => TestResult::missing(&format!("no second kernel panicked: {state:?}")),
    }
}

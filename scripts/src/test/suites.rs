// SPDX-License-Identifier: GPL-2.0
//! `test-kernel`: the kernel's own suites. Nothing that passes on the base of the
//! series may fail under a method.

mod cases;
mod catalog;
mod installed;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use self::catalog::{Kind, Suite};
use self::installed::{Installed, Workplace};
use self::table::{First, Table};
use super::{Boot, guest, outcome};
use crate::context::Context;
use crate::fragment::{self, Fragment};
use crate::kbuild::Compiler;
use crate::kernel::{self, Kernel};
use crate::modules::Modules;
use crate::outcome::Outcome;
use crate::splat::Splats;
use crate::suite::source_of;
use crate::tools::Tools;
use crate::tree::Tree;
use crate::vm::{Run, Vm};
use crate::{method, setup, stage};

/// On top of the usual configuration, below what the user asks for.
const CONFIG: &str = "suites";

/// KUnit filters the tests of each module that is loaded, and writes to the filter
/// meanwhile. The one that is built in is read-only, and the same text here is not.
const KUNIT_FILTER: &str = "kunit.filter=speed>slow";
const WITHOUT_KUNIT: &str = "kunit.enable=0";

/// What one test may take, under emulation.
const TIMEOUT: Duration = Duration::from_secs(300);
/// What booting may take, with KUnit.
const BOOT: Duration = Duration::from_secs(1800);

#[derive(clap::Args)]
pub struct Args {
    /// Suites: kunit, vmalloc, rcutorture, folders of the kernel's selftests,
    /// FOLDER/TEST, or all
    #[arg(
        long = "suite",
        env = "SUITES",
        value_name = "NAME",
        value_delimiter = ' ',
        default_value = catalog::ALL
    )]
    suites: Vec<String>,
    /// Methods to run them under, after the base of the series
    #[arg(long, env = "METHODS", value_delimiter = ' ', default_values = method::ALL)]
    methods: Vec<String>,
    #[command(flatten)]
    boot: Boot,
    #[command(flatten)]
    configs: fragment::Args,
}

/// What one kernel boots with.
struct Image {
    kernel: Kernel,
    installed: Installed,
    /// The base has nothing for which modules could be built.
    modules: Option<Modules>,
}

/// What all guests have in common.
struct Lab<'a> {
    ctx: &'a Context,
    vng: PathBuf,
    script: PathBuf,
    splats: Splats,
    boot: &'a Boot,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let methods = method::select(&args.methods)?;
    let configs = args.configs.select(ctx)?;
    let lab = Lab::open(ctx, &args.boot)?;
    let asked = method::words(&args.suites);
    let (mut died, mut failed, mut passed) = (false, 0, 0);
    for fragment in &configs {
        let table = lab.run(fragment.as_ref(), &asked, &methods)?;
        if let Some(fragment) = fragment {
            println!("kernel with {}.config:", fragment.name);
        }
        print!("{table}");
        died |= table.lost_a_guest();
        failed += table.regressions();
        passed += table.passed();
    }
    Ok(outcome(failed, passed, died))
}

/// Of the kernel that all tests run on, suites in which nothing fails on the base.
pub fn compare(
    ctx: &Context,
    kernel: Kernel,
    methods: &[&'static str],
    boot: &Boot,
) -> Result<Table> {
    let lab = Lab::open(ctx, boot)?;
    let workplace = lab.workplace()?;
    let suites = catalog::select(&catalog::SUBSET.map(str::to_string), |_| false)?;
    let image = Image {
        installed: workplace.install(&kernel, &suites)?,
        modules: Some(Modules::ensure(ctx, &kernel)?),
        kernel,
    };
    lab.fill_all(
        methods.iter().map(|method| (*method, &image)),
        First::Counts,
    )
}

impl<'a> Lab<'a> {
    fn open(ctx: &'a Context, boot: &'a Boot) -> Result<Self> {
        setup::ensure(ctx)?;
        setup::ensure_selftests(ctx)?;
        Ok(Self {
            ctx,
            vng: Tools::ensure(ctx)?.vng,
            script: ctx.root.join("scripts/guest/test.sh"),
            splats: Splats::of(ctx)?,
            boot,
        })
    }

    fn workplace(&self) -> Result<Workplace<'a>> {
        let tree = match &self.ctx.kdir {
            Some(kdir) => source_of(kdir),
            None => Tree::ensure(self.ctx)?.dir,
        };
        Ok(Workplace::new(self.ctx, tree))
    }

    fn run(
        &self,
        fragment: Option<&Fragment>,
        asked: &[String],
        methods: &[&'static str],
    ) -> Result<Table> {
        let ctx = self.ctx;
        let usual = Fragment::named(ctx, CONFIG)?;
        let fragments = [Some(&usual), fragment];
        let fragments = || fragments.into_iter().flatten();

        let workplace = self.workplace()?;
        let suites = catalog::select(asked, |name| workplace.has_folder(name))?;
        let kernel = Kernel::ensure(ctx, fragments())?;
        let series = Image {
            installed: workplace.install(&kernel, &suites)?,
            modules: Some(Modules::ensure(ctx, &kernel)?),
            kernel,
        };
        let base = match &ctx.kdir {
            Some(_) => {
                match methods {
                    [method] => {
                        println!("KDIR has no base here: all that fails under {method} counts")
                    }
                    [first, ..] => {
                        println!("KDIR has no base here: what fails under {first} is excused")
                    }
                    [] => {}
                }
                None
            }
            None => {
                let asked = kernel::asked(ctx, fragments())?;
                let tree = stage::base(ctx)?;
                let kernel = Kernel::build_from(ctx, &tree, Compiler::Clang, &asked)?;
                Some(Image {
                    installed: workplace.install(&kernel, &suites)?,
                    modules: None,
                    kernel,
                })
            }
        };

        let first = match (&base, methods) {
            (None, [_]) => First::Counts,
            _ => First::Excuses,
        };
        let base = base.iter().map(|image| (stage::BASE, image));
        let methods = methods.iter().map(|method| (*method, &series));
        self.fill_all(base.chain(methods), first)
    }

    fn fill_all<'b>(
        &self,
        columns: impl Iterator<Item = (&'static str, &'b Image)>,
        first: First,
    ) -> Result<Table> {
        let columns: Vec<_> = columns.collect();
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        let mut table = Table::new(&names, first);
        for (name, image) in columns {
            self.fill(name, image, &mut table)?;
        }
        Ok(table)
    }

    /// A guest for each suite: one that kills it does so alone.
    fn fill(&self, column: &str, image: &Image, table: &mut Table) -> Result<()> {
        for (suite, tests) in &image.installed.suites {
            let run = self.boot(column, image, suite, tests)?;
            if run.status().is_none() {
                table.add_death(&suite.name, column, &run.log.to_string_lossy());
            }
            let cases = cases::read(suite, tests, &run.output, &run.console, &self.splats);
            for (case, verdict) in cases {
                table.add(&suite.name, column, &case, verdict);
            }
        }
        Ok(())
    }

    fn boot(&self, column: &str, image: &Image, suite: &Suite, tests: &[String]) -> Result<Run> {
        let name = format!("suite {}, {column}", suite.name);
        let mut vm = Vm::new(self.ctx, &image.kernel, &name);
        match &image.modules {
            Some(_) => self.boot.apply(column, &mut vm),
            None => self.boot.apply_base(&mut vm),
        }
        vm.kernel_args.push(KUNIT_FILTER.to_string());
        if suite.kind != Kind::Boot {
            vm.kernel_args.push(WITHOUT_KUNIT.to_string());
        }
        vm.qemu_args.extend(suite.machine.map(str::to_string));
        vm.quiet = TIMEOUT + Duration::from_secs(60);
        vm.total = BOOT + TIMEOUT * tests.len() as u32;
        let modules: Vec<&Path> = image.modules.iter().flat_map(Modules::all).collect();
        let args = guest::host_args(&modules, &image.installed.dir, TIMEOUT, tests);
        vm.run(&self.vng, &self.script, &args)
    }
}

// SPDX-License-Identifier: GPL-2.0
//! The command line.

use std::env;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, CommandFactory as _, Parser};

use crate::context::Options;

/// Builds, boots, tests and measures a kernel with dynamic stacks.
#[derive(Parser)]
#[command(name = "dynstack")]
pub struct Cli {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The command line, and the variables of make. The error is printed.
    pub fn read() -> Result<Self, clap::Error> {
        let options = options();
        for variable in options.iter().filter_map(|option| option.variable.as_ref()) {
            if env::var_os(variable).is_some_and(|value| value.is_empty()) {
                // SAFETY: no other thread has been started.
                unsafe { env::remove_var(variable) };
            }
        }
        Self::try_parse().inspect_err(|error| {
            let _ = error.print();
            if let Some(hint) = hint(error, &options) {
                eprintln!("{hint}");
            }
        })
    }
}

/// Which variable of make an error is about, and what that is for.
fn hint(error: &clap::Error, options: &[Named]) -> Option<String> {
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let option = options.iter().find(|option| option.shown == *shown)?;
    let variable = option.variable.as_ref()?;
    Some(format!("{shown} is {variable}= of make: {}", option.help))
}

/// An option as clap names it in errors, and the variable that stands for it.
struct Named {
    shown: String,
    variable: Option<String>,
    help: String,
}

/// Those of all subcommands.
fn options() -> Vec<Named> {
    let mut command = Cli::command();
    command.build();
    let commands = command.get_subcommands().chain([&command]);
    let named = |arg: &Arg| Named {
        shown: arg.to_string(),
        variable: arg
            .get_env()
            .map(|name| name.to_string_lossy().into_owned()),
        help: arg.get_help().map(ToString::to_string).unwrap_or_default(),
    };
    commands
        .flat_map(|command| command.get_arguments().map(named))
        .collect()
}

#[derive(clap::Subcommand)]
pub enum Command {
    /// Say which tools are missing and how to get them
    CheckEnv,
    /// Install what check-env misses
    Setup,
    /// Make the kernel tree: the source with the series applied, one commit a patch
    Tree,
    /// Write patches/ from the commits of a kernel tree
    Refresh(crate::refresh::Args),
    /// Build the kernel of the tree
    Kernel(crate::fragment::Args),
    /// Build rust/ and samples/ against the kernel, or against KDIR
    Modules,
    /// Check formats and styles, run the tests of this program
    Check,
    /// Remove what was built, keep what was downloaded
    Clean,
    /// Remove all that is in the cache
    Distclean,
    /// Show what dynamic stacks save: boot `off` and `lend`, compare, draw a plot
    Demo(crate::demo::Args),
    /// Run the selftests in a VM, once for each method
    Test(crate::test::Args),
    /// Run the kernel's own suites in VMs, without the series and under each method
    TestKernel(crate::test::suites::Args),
    /// Suspend, hibernate, start another kernel, and crash, under each method
    TestMachine(crate::test::machine::Args),
    /// Exhaust the memory of small VMs by threads that go deep, under each method
    TestExhaustion(crate::test::exhaustion::Args),
    /// Run selftests on emulated CPUs with FRED, once for each method
    TestFred(crate::test::fred::Args),
    /// Show which functions make stacks grow, under each method; draw a plot
    Growth(crate::growth::Args),
    /// Count instructions per operation, `off` against the other methods
    Bench(crate::bench::Args),
    /// Count what the checks of the compiler cost that `probe` is built on
    ProbeCost(crate::probe_cost::Args),
    /// Build and boot the base, and the kernel after each patch of the series
    Prefixes(crate::prefixes::Args),
    /// Compare sizes without CONFIG_DYNAMIC_STACK, the base against the series
    Bloat,
    /// Compute how much stack can be used between two checks of the compiler
    Margin(crate::margin::Args),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_variable_of_make() {
        let hint = |args: &[&str]| {
            let args = ["dynstack"].iter().chain(args);
            let error = Cli::try_parse_from(args).err().unwrap();
            hint(&error, &options())
        };
        assert_eq!(
            hint(&["prefixes", "--from", "x"]).unwrap(),
            "--from <NUMBER> is FROM= of make: Number of the patch to begin with; 0 is the base"
        );
        assert!(hint(&["growth", "--top", "0"]).unwrap().contains("TOP="));
        assert_eq!(hint(&["growth", "--nosuch"]), None);
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Installs what the machine lacks, and nothing else.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use crate::apt::Order;
use crate::context::Context;
use crate::finding::{Fault, Finding, Mend};
use crate::needs;
use crate::outcome::Outcome;

pub fn run(ctx: &Context) -> Result<Outcome> {
    ensure(ctx)?;
    println!("Everything is there.");
    Ok(Outcome::Pass)
}

/// Packages come first, in two rounds: which LLVM fits is known once rustc is
/// there. Then those for which the release is too old. The programs of the cache are made with what the packages brought.
pub fn ensure(ctx: &Context) -> Result<()> {
    ensure_all(ctx, || needs::probe(ctx))
}

/// What only bootable discs need.
pub fn ensure_disc(ctx: &Context) -> Result<()> {
    ensure_all(ctx, needs::probe_disc)
}

/// What only kernels with plugins of GCC need.
pub fn ensure_gcc_plugins(ctx: &Context) -> Result<()> {
    ensure_all(ctx, needs::probe_gcc_plugins)
}

/// What only the kernel's selftests need.
pub fn ensure_selftests(ctx: &Context) -> Result<()> {
    ensure_all(ctx, needs::probe_selftests)
}

fn ensure_all(ctx: &Context, probe: impl Fn() -> Vec<Finding>) -> Result<()> {
    let faults = || faults(probe());
    for _ in 0..2 {
        let missing = missing_packages(&faults());
        if missing.is_empty() {
            break;
        }
        Order::new(missing).install(ctx)?;
    }
    let old = old_packages(&faults());
    if !old.is_empty() {
        Order::backports(ctx, old)?.install(ctx)?;
    }
    let lacking = faults();
    for (_, fault) in &lacking {
        if let Mend::Program(program) = fault.mend {
            program.install(ctx)?;
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    let left = faults();
    let lines: Vec<_> = left
        .iter()
        .map(|(what, fault)| format!("\n  {what}: {fault}"))
        .collect();
    ensure!(
        lines.is_empty(),
        "still missing after the set-up:{}",
        lines.concat()
    );
    Ok(())
}

fn faults(findings: Vec<Finding>) -> Vec<(String, Fault)> {
    let findings = findings.into_iter();
    findings
        .filter_map(|finding| Some((finding.what, finding.state.err()?)))
        .collect()
}

fn missing_packages(faults: &[(String, Fault)]) -> Vec<String> {
    let mut packages = BTreeSet::new();
    for (_, fault) in faults {
        if let Mend::Packages(names) = &fault.mend {
            packages.extend(names.iter().cloned());
        }
    }
    packages.into_iter().collect()
}

fn old_packages(faults: &[(String, Fault)]) -> Vec<String> {
    let old = faults.iter().filter_map(|(_, fault)| match fault.mend {
        Mend::Backport(name) => Some(name.to_string()),
        _ => None,
    });
    old.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(mend: Mend) -> (String, Fault) {
        (
            "x".to_string(),
            Fault {
                wrong: "not found".to_string(),
                mend,
            },
        )
    }

    #[test]
    fn each_package_is_installed_once() {
        let faults = [
            fault(Mend::Packages(vec![
                "flex".to_string(),
                "bison".to_string(),
            ])),
            fault(Mend::ByHand("do it")),
            fault(Mend::package("bison")),
        ];
        assert_eq!(missing_packages(&faults), ["bison", "flex"]);
    }

    #[test]
    fn old_package_is_not_taken_from_the_release_again() {
        let faults = [fault(Mend::Backport("qemu")), fault(Mend::package("bc"))];
        assert_eq!(missing_packages(&faults), ["bc"]);
        assert_eq!(old_packages(&faults), ["qemu"]);
    }
}

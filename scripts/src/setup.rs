// SPDX-License-Identifier: GPL-2.0
//! Installs what the machine lacks, and nothing else.

use anyhow::{Result, bail};

use crate::apt;
use crate::context::Context;
use crate::needs::{self, Mend, Need};
use crate::outcome::Outcome;

pub fn run(ctx: &Context) -> Result<Outcome> {
    ensure(ctx)?;
    println!("Everything is there.");
    Ok(Outcome::Pass)
}

/// Packages come first, in two rounds: which LLVM fits is known once rustc is
/// there. The programs of the cache are made with what the packages brought.
pub fn ensure(ctx: &Context) -> Result<()> {
    for _ in 0..2 {
        let missing = missing_packages(&needs::probe(ctx));
        if missing.is_empty() {
            break;
        }
        apt::install(ctx, &missing)?;
    }
    for need in needs::probe(ctx) {
        if let (Err(_), Mend::Program(program)) = (&need.state, &need.mend) {
            program.install(ctx)?;
        }
    }
    let lacking: Vec<_> = needs::probe(ctx).iter().filter_map(describe).collect();
    if !lacking.is_empty() {
        bail!(
            "still missing after the set-up:\n  {}",
            lacking.join("\n  ")
        );
    }
    Ok(())
}

fn missing_packages(needs: &[Need]) -> Vec<String> {
    let mut packages = Vec::new();
    for need in needs {
        if let (Err(_), Mend::Packages(names)) = (&need.state, &need.mend) {
            packages.extend(names.iter().cloned());
        }
    }
    packages.sort();
    packages.dedup();
    packages
}

fn describe(need: &Need) -> Option<String> {
    let wrong = need.state.as_ref().err()?;
    Some(format!("{}: {wrong}; {}", need.what, need.mend))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(state: Result<String, String>, packages: &[&str]) -> Need {
        let names = packages.iter().map(|name| name.to_string()).collect();
        Need {
            what: "x".to_string(),
            state,
            mend: Mend::Packages(names),
        }
    }

    #[test]
    fn only_what_is_missing_is_installed_once() {
        let wrong = || Err("not found".to_string());
        let needs = [
            need(wrong(), &["flex", "bison"]),
            need(Ok("there".to_string()), &["make"]),
            need(wrong(), &["bison"]),
        ];
        assert_eq!(missing_packages(&needs), ["bison", "flex"]);
    }
}

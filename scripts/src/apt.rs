// SPDX-License-Identifier: GPL-2.0
//! Debian packages: installed by root, or downloaded by anybody, also from a
//! suite that the machine does not have among its sources.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::context::Context;
use crate::{process, progress};

/// Suites that have what a release may lack.
const NEWER_SUITES: [&str; 1] = ["trixie-backports"];

const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.pgp",
    "/usr/share/keyrings/debian-archive-keyring.gpg",
];

/// Installs `packages` from the sources of the machine.
pub fn install(ctx: &Context, packages: &[String]) -> Result<()> {
    let mut update = as_root(&["apt-get", "update"], packages)?;
    progress::run(
        "update the package lists",
        &ctx.log("apt-update"),
        None,
        &mut update,
    )?;
    let options = ["apt-get", "install", "-y", "--no-install-recommends"];
    let mut install = as_root(&options, packages)?;
    install.args(packages);
    progress::run(
        "install packages",
        &ctx.log("apt-install"),
        None,
        &mut install,
    )
}

/// The command that a user types to install `packages`.
pub fn install_command(packages: &[String]) -> String {
    format!(
        "apt-get install --no-install-recommends {}",
        packages.join(" ")
    )
}

/// Whether the sources of the machine have a package of this name.
pub fn knows(package: &str) -> bool {
    process::read(Command::new("apt-cache").args(["show", "--no-all-versions", package]))
        .is_ok_and(|text| !text.is_empty())
}

/// The names of the packages that begin with `prefix`.
pub fn names(prefix: &str) -> Vec<String> {
    let text = process::read(Command::new("apt-cache").args(["pkgnames", prefix]));
    text.unwrap_or_default()
        .lines()
        .map(str::to_string)
        .collect()
}

/// Downloads `package` into the cache and returns the file.
pub fn download(ctx: &Context, package: &str) -> Result<PathBuf> {
    if knows(package) {
        return download_with(ctx, package, &[]);
    }
    for suite in NEWER_SUITES {
        let options = private_sources(ctx, suite)?;
        let mut update = apt_get(&options);
        update.arg("update");
        let title = format!("update the package lists of {suite}");
        progress::run(&title, &ctx.log("apt-update"), None, &mut update)?;
        if let Ok(file) = download_with(ctx, package, &options) {
            return Ok(file);
        }
    }
    bail!(
        "no package {package} here or in {}; give LINUX=",
        NEWER_SUITES.join(", ")
    )
}

fn download_with(ctx: &Context, package: &str, options: &[String]) -> Result<PathBuf> {
    let dir = ctx.downloads();
    fs::create_dir_all(&dir)?;
    let mut command = apt_get(options);
    command.current_dir(&dir).args(["download", package]);
    progress::run(
        &format!("download {package}"),
        &ctx.log("apt-download"),
        None,
        &mut command,
    )?;
    for entry in fs::read_dir(&dir)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(&format!("{package}_")) && name.ends_with(".deb") {
            return Ok(path);
        }
    }
    bail!("apt-get download {package} left no file")
}

/// Options that make apt use `suite` alone and keep its state in the cache.
fn private_sources(ctx: &Context, suite: &str) -> Result<Vec<String>> {
    let format = "$(LABEL) $(COMPONENT) $(REPO_URI)";
    let mut targets = Command::new("apt-get");
    targets.args(["indextargets", "Created-By: Packages", "--format", format]);
    let text =
        process::read(&mut targets).context("the source package needs apt; or give LINUX=")?;
    let uri = debian_uri(&text).context("no source of Debian packages is set up; give LINUX=")?;

    let dir = ctx.cache.join("apt").join(suite);
    let lists = dir.join("lists");
    fs::create_dir_all(lists.join("partial"))?;
    let keyring = KEYRINGS.iter().find(|file| Path::new(file).exists());
    let signed = keyring
        .map(|file| format!("[signed-by={file}] "))
        .unwrap_or_default();
    let sources = dir.join("sources.list");
    fs::write(&sources, format!("deb {signed}{uri} {suite} main\n"))?;
    Ok(vec![
        format!("Dir::Etc::sourcelist={}", sources.display()),
        "Dir::Etc::sourceparts=-".to_string(),
        format!("Dir::State::lists={}", lists.display()),
        "Dir::Cache::pkgcache=".to_string(),
        "Dir::Cache::srcpkgcache=".to_string(),
        "APT::Sandbox::User=root".to_string(),
    ])
}

/// Where the machine gets the main part of Debian from.
fn debian_uri(targets: &str) -> Option<&str> {
    targets
        .lines()
        .find_map(|line| line.strip_prefix("Debian main "))
}

fn apt_get(options: &[String]) -> Command {
    let mut command = Command::new("apt-get");
    for option in options {
        command.args(["-o", option]);
    }
    command
}

/// `words` as a command of root; without the right to that, says what to run.
fn as_root(words: &[&str], packages: &[String]) -> Result<Command> {
    let root = process::read(Command::new("id").arg("-u"))? == "0";
    let mut command = Command::new(if root { "env" } else { "sudo" });
    if !root {
        ensure!(
            can_sudo(packages),
            "packages are missing, and there is neither root nor a sudo that lets you; \
             run this as root:\n  apt-get update && {}",
            install_command(packages)
        );
        command.args(["-n", "env"]);
    }
    command.arg("DEBIAN_FRONTEND=noninteractive").args(words);
    Ok(command)
}

/// Whether sudo lets us, now or after a password. It asks here, in the open: the
/// commands that follow have no terminal.
fn can_sudo(packages: &[String]) -> bool {
    if process::succeeds(Command::new("sudo").args(["-n", "true"])) {
        return true;
    }
    if !io::stdin().is_terminal() || process::find_program("sudo").is_none() {
        return false;
    }
    eprintln!("packages are missing: sudo {}", install_command(packages));
    let asked = Command::new("sudo").arg("--validate").status();
    asked.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uri_is_that_of_debian_main() {
        let targets = "Debian-Security main http://a.example/security/\n\
                       Debian contrib http://b.example/debian/\n\
                       Debian main http://c.example/debian/\n";
        assert_eq!(debian_uri(targets), Some("http://c.example/debian/"));
        assert_eq!(debian_uri("Ubuntu main http://d.example/ubuntu/\n"), None);
    }
}

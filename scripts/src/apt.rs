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

/// The older of the places where a machine's sources are listed.
const SOURCES: &str = "/etc/apt/sources.list";

/// Suites that have what a release may lack.
const NEWER_SUITES: [&str; 1] = ["trixie-backports"];

const KEYRINGS: [&str; 2] = [
    "/usr/share/keyrings/debian-archive-keyring.pgp",
    "/usr/share/keyrings/debian-archive-keyring.gpg",
];

/// Packages, and where from.
pub struct Order {
    packages: Vec<String>,
    /// Nothing: the sources of the machine as they are.
    options: Vec<String>,
}

impl Order {
    pub fn new(packages: Vec<String>) -> Self {
        let options = Vec::new();
        Self { packages, options }
    }

    /// `packages` as newly built for the release that the machine runs. The sources
    /// of the machine stay as they are.
    pub fn backports(ctx: &Context, packages: Vec<String>) -> Result<Self> {
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let codename = codename(&release).context("/etc/os-release names no release")?;
        let suite = format!("{codename}-backports");
        let own = fs::read_to_string(SOURCES).unwrap_or_default();
        let mut options = private_sources(ctx, &suite, &own)?;
        options.push(format!("APT::Default-Release={suite}"));
        Ok(Self { packages, options })
    }

    /// Installs them.
    pub fn install(&self, ctx: &Context) -> Result<()> {
        let mut update = self.as_root(&["update"])?;
        progress::run(
            "update the package lists",
            &ctx.log("apt-update"),
            None,
            &mut update,
        )?;
        let mut install = self.as_root(&["install", "-y", "--no-install-recommends"])?;
        install.args(&self.packages);
        progress::run(
            "install packages",
            &ctx.log("apt-install"),
            None,
            &mut install,
        )
    }

    /// What root would type.
    fn command(&self) -> String {
        let apt_get = process::name(&apt_get(&self.options));
        let install = install_words(&self.packages);
        format!("{apt_get} update && {apt_get} {install}")
    }

    /// apt-get with `words` as a command of root; without the right to that, says
    /// what to run.
    fn as_root(&self, words: &[&str]) -> Result<Command> {
        let root = process::read(Command::new("id").arg("-u"))? == "0";
        let mut command = Command::new(if root { "env" } else { "sudo" });
        if !root {
            ensure!(
                self.can_sudo(),
                "packages are missing, and there is neither root nor a sudo that lets you; \
                 run this as root:\n  {}",
                self.command()
            );
            command.args(["-n", "env"]);
        }
        let apt_get = apt_get(&self.options);
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command.args(apt_get.get_args()).args(words);
        Ok(command)
    }

    /// Whether sudo lets us, now or after a password. It asks here, in the open: the
    /// commands that follow have no terminal.
    fn can_sudo(&self) -> bool {
        if process::succeeds(Command::new("sudo").args(["-n", "true"])) {
            return true;
        }
        if !io::stdin().is_terminal() || process::find_program("sudo").is_none() {
            return false;
        }
        eprintln!("packages are missing: sudo {}", self.command());
        let asked = Command::new("sudo").arg("--validate").status();
        asked.is_ok_and(|status| status.success())
    }
}

/// The command that a user types to install `packages`.
pub fn install_command(packages: &[String]) -> String {
    format!("apt-get {}", install_words(packages))
}

fn install_words(packages: &[String]) -> String {
    format!("install --no-install-recommends {}", packages.join(" "))
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
        let mut options = private_sources(ctx, suite, "")?;
        options.push("Dir::Etc::sourceparts=-".to_string());
        let mut update = apt_get(&options);
        update.arg("update");
        let title = format!("update the package lists of {suite}");
        progress::run(&title, &ctx.log("apt-update"), None, &mut update)?;
        if let Ok(file) = download_with(ctx, package, &options) {
            return Ok(file);
        }
    }
    bail!(
        "no package {package} here or in {}",
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

/// Options that make apt use `suite` beside the sources that `own` lists, and those
/// in files of their own, and keep its state in the cache.
fn private_sources(ctx: &Context, suite: &str, own: &str) -> Result<Vec<String>> {
    let format = "$(LABEL) $(COMPONENT) $(REPO_URI)";
    let mut targets = Command::new("apt-get");
    targets.args(["indextargets", "Created-By: Packages", "--format", format]);
    let text =
        process::read(&mut targets).with_context(|| format!("packages of {suite} need apt"))?;
    let uri = debian_uri(&text).context("apt has no source of Debian packages")?;

    let dir = ctx.cache.join("apt").join(suite);
    let lists = dir.join("lists");
    fs::create_dir_all(lists.join("partial"))?;
    let keyring = KEYRINGS.iter().find(|file| Path::new(file).exists());
    let signed = keyring
        .map(|file| format!("[signed-by={file}] "))
        .unwrap_or_default();
    let sources = dir.join("sources.list");
    fs::write(&sources, format!("{own}\ndeb {signed}{uri} {suite} main\n"))?;
    Ok(vec![
        format!("Dir::Etc::sourcelist={}", sources.display()),
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

/// The word for the release in /etc/os-release.
fn codename(release: &str) -> Option<&str> {
    release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
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

    #[test]
    fn codename_is_that_of_the_release() {
        let release = "NAME=\"Debian GNU/Linux\"\nVERSION_CODENAME=bookworm\nID=debian\n";
        assert_eq!(codename(release), Some("bookworm"));
        assert_eq!(codename("NAME=x\n"), None);
    }

    #[test]
    fn order_is_printed_as_root_would_type_it() {
        let mut order = Order::new(vec!["bc".to_string(), "flex".to_string()]);
        let plain = "apt-get update && apt-get install --no-install-recommends bc flex";
        assert_eq!(order.command(), plain);
        order.options = vec!["APT::Default-Release=x".to_string()];
        assert!(
            order
                .command()
                .starts_with("apt-get -o APT::Default-Release=x update && ")
        );
    }
}

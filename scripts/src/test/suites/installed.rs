// SPDX-License-Identifier: GPL-2.0
//! The tests of the suites, installed the kselftest way, for one kernel: the programs
//! are the same for all kernels, modules are not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::catalog::{Kind, Suite};
use crate::context::Context;
use crate::kernel::Kernel;
use crate::{modules, progress};

const SELFTESTS: &str = "tools/testing/selftests";
/// The folder whose tests load modules that are not the kernel's own.
const LIVEPATCH: &str = "livepatch";

pub struct Installed {
    pub dir: PathBuf,
    /// Each suite with its tests, as paths in the directory.
    pub suites: Vec<(Suite, Vec<String>)>,
}

/// Where the sources and what is built of them are, for all kernels.
pub struct Workplace<'a> {
    ctx: &'a Context,
    tree: PathBuf,
    output: PathBuf,
}

impl<'a> Workplace<'a> {
    /// `tree` is the source of the kernel with the series.
    pub fn new(ctx: &'a Context, tree: PathBuf) -> Self {
        Self {
            ctx,
            tree,
            output: ctx.cache.join("selftests/kernel-built"),
        }
    }

    pub fn has_folder(&self, name: &str) -> bool {
        !name.is_empty() && self.selftests().join(name).join("Makefile").is_file()
    }

    pub fn install(&self, kernel: &Kernel, suites: &[Suite]) -> Result<Installed> {
        let name = kernel.build.file_name().unwrap_or_default();
        let dir = self.ctx.cache.join("selftests/kernel").join(name);
        // Also what an earlier run installed would be listed.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir)?;
        let list = self.install_folders(suites, &dir)?;
        let mut installed = Vec::new();
        for suite in suites {
            let tests = match &suite.kind {
                Kind::Boot => Vec::new(),
                Kind::Script { file, modules } => {
                    self.install_script(&dir.join(&suite.name), file, kernel, modules)?;
                    vec![format!("{}/{file}", suite.name)]
                }
                Kind::Folder(folder) => {
                    if folder == LIVEPATCH {
                        self.install_livepatch(&dir, kernel)?;
                    }
                    choose(suite, folder, &list, &dir)?
                }
            };
            installed.push((suite.clone(), tests));
        }
        Ok(Installed {
            dir,
            suites: installed,
        })
    }

    fn selftests(&self) -> PathBuf {
        self.tree.join(SELFTESTS)
    }

    /// Returns the lines FOLDER:TEST of all that is in the folders.
    fn install_folders(&self, suites: &[Suite], dir: &Path) -> Result<String> {
        let folders = suites.iter().filter_map(|suite| match &suite.kind {
            Kind::Folder(folder) => Some(folder.as_str()),
            _ => None,
        });
        let folders: Vec<_> = folders.collect();
        if folders.is_empty() {
            return Ok(String::new());
        }
        fs::create_dir_all(&self.output)?;
        let make = |tree: &Path| {
            let mut make = Command::new("make");
            make.env_remove("MAKEFLAGS")
                .args(["-s", "--no-print-directory", "-C"])
                .arg(tree)
                .arg(format!("O={}", self.output.display()));
            make
        };
        // Some know what the headers of the distribution do not.
        let mut headers = make(&self.tree);
        progress::run(
            "install the kernel's headers",
            &self.ctx.log("kernel-headers"),
            None,
            headers.arg("headers"),
        )?;
        let mut install = make(&self.selftests());
        install
            // What cannot be built leaves the others; it is missed below.
            .arg("-i")
            .arg(format!("TARGETS={}", folders.join(" ")))
            // These would be built for the kernel that runs here.
            .arg("TEST_GEN_MODS_DIR=")
            .arg(format!("INSTALL_PATH={}", dir.display()))
            .arg("install");
        let log = self.ctx.log("kernel-selftests");
        progress::run("build the kernel's selftests", &log, None, &mut install)?;
        let list = dir.join("kselftest-list.txt");
        fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))
    }

    /// Of the modules those that there are: the script says what it misses.
    fn install_script(
        &self,
        dir: &Path,
        file: &str,
        kernel: &Kernel,
        modules: &[&str],
    ) -> Result<()> {
        fs::create_dir_all(dir)?;
        let script = self.ctx.root.join("scripts/guest").join(file);
        let modules = modules.iter().map(|module| kernel.build.join(module));
        let modules = modules.filter(|module| module.is_file());
        for from in [script].into_iter().chain(modules) {
            copy_into(&from, dir)?;
        }
        Ok(())
    }

    fn install_livepatch(&self, dir: &Path, kernel: &Kernel) -> Result<()> {
        if kernel.config()?.value("CONFIG_LIVEPATCH") != "y" {
            return Ok(());
        }
        let folder = format!("{LIVEPATCH}/test_modules");
        let source = self.selftests().join(&folder);
        let built = modules::livepatch_tests(self.ctx, kernel, &source)?;
        let dir = dir.join(&folder);
        fs::create_dir_all(&dir)?;
        for entry in fs::read_dir(&built)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "ko") {
                copy_into(&path, &dir)?;
            }
        }
        Ok(())
    }
}

fn copy_into(file: &Path, dir: &Path) -> Result<()> {
    let name = file.file_name().unwrap_or_default();
    fs::copy(file, dir.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}

/// The tests of `suite` that are in `list` and were installed into `dir`. Those that
/// should be and are not are told.
fn choose(suite: &Suite, folder: &str, list: &str, dir: &Path) -> Result<Vec<String>> {
    let listed = list.lines().filter_map(|line| line.split_once(':'));
    let listed = listed.filter(|(collection, _)| *collection == folder);
    let mut tests: Vec<_> = listed.map(|(_, test)| test.to_string()).collect();
    tests.retain(|test| suite.picks(test));
    let mut missing = suite.missing_from(&tests);
    let (built, unbuilt): (Vec<_>, Vec<_>) = tests
        .into_iter()
        .partition(|test| dir.join(folder).join(test).is_file());
    missing.extend(unbuilt);
    ensure!(
        !built.is_empty(),
        "no test of {} was built: {}",
        suite.name,
        missing.join(" ")
    );
    if !missing.is_empty() {
        eprintln!("note: not built, of {}: {}", suite.name, missing.join(" "));
    }
    let paths = built.iter().map(|test| format!("{folder}/{test}"));
    Ok(paths.collect())
}

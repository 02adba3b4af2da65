// SPDX-License-Identifier: GPL-2.0
//! Whether Rust modules can be built against a kernel's build directory.

use std::path::Path;

use crate::finding::{Finding, Mend};
use crate::kbuild::Compiler;
use crate::kconfig::Config;
use crate::rustc::Rustc;

/// What the checks look at.
pub struct Kdir {
    config: Config,
    has_symvers: bool,
    has_core: bool,
}

impl Kdir {
    pub fn read(dir: &Path) -> Self {
        Self {
            config: Config::read(&dir.join(".config")).unwrap_or_default(),
            has_symvers: dir.join("Module.symvers").is_file(),
            has_core: dir.join("rust/libcore.rmeta").is_file(),
        }
    }

    pub fn compiler(&self) -> Compiler {
        match self.config.value("CONFIG_CC_IS_CLANG") {
            "y" => Compiler::Clang,
            _ => Compiler::Gcc,
        }
    }

    pub fn findings(&self, rustc: &Rustc) -> Vec<Finding> {
        vec![
            self.enabled("CONFIG_MODULES"),
            self.enabled("CONFIG_RUST"),
            self.enabled("CONFIG_DYNAMIC_STACK"),
            self.built(),
            self.same_rustc(rustc),
        ]
    }

    fn enabled(&self, symbol: &str) -> Finding {
        let state = match self.config.value(symbol) {
            "y" => Ok("enabled"),
            _ => Err("not in the .config of KDIR"),
        };
        let mend = "enable it with `make menuconfig`, build again";
        Finding::new(symbol, state, || Mend::ByHand(mend))
    }

    fn built(&self) -> Finding {
        let state = match (self.has_symvers, self.has_core) {
            (true, true) => Ok("yes"),
            (false, _) => Err("no Module.symvers"),
            (true, false) => Err("no rust/libcore.rmeta (\"can't find crate core\")"),
        };
        Finding::new("KDIR is built", state, || {
            Mend::ByHand("build the kernel in KDIR to its end")
        })
    }

    fn same_rustc(&self, rustc: &Rustc) -> Finding {
        let built_with = self.config.value("CONFIG_RUSTC_VERSION_TEXT");
        let state = if built_with == rustc.version {
            Ok(built_with.to_string())
        } else {
            Err(format!(
                "the tree has '{built_with}', here is '{}'",
                rustc.version
            ))
        };
        let mend = "put that rustc first on PATH, or build the kernel again";
        Finding::new("rustc of KDIR", state, || Mend::ByHand(mend))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(config: &str) -> Vec<String> {
        let kdir = Kdir {
            config: Config::parse(config),
            has_symvers: true,
            has_core: true,
        };
        let rustc = Rustc {
            path: "/usr/bin/rustc".into(),
            version: "rustc 1.96.0".to_string(),
            llvm_major: 22,
        };
        let findings = kdir.findings(&rustc).into_iter();
        findings
            .filter(|finding| finding.state.is_err())
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn each_fault_is_named() {
        let good = "CONFIG_MODULES=y\nCONFIG_RUST=y\nCONFIG_DYNAMIC_STACK=y\n\
                    CONFIG_RUSTC_VERSION_TEXT=\"rustc 1.96.0\"\n";
        assert_eq!(faults(good), Vec::<String>::new());
        assert_eq!(faults(&good.replace("CONFIG_RUST=y", "")), ["CONFIG_RUST"]);
        assert_eq!(faults(&good.replace("1.96.0", "1.95.0")), ["rustc of KDIR"]);
    }
}

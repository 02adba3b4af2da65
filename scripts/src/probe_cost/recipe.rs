// SPDX-License-Identifier: GPL-2.0
//! The kernels that are compared.

use std::fmt::Write;

use anyhow::{Result, ensure};

use crate::bench::{BARE, UNCHECKED};
use crate::context::Context;
use crate::fragment::Fragment;
use crate::kbuild::Compiler;
use crate::kernel;

pub struct Recipe {
    pub name: &'static str,
    pub compiler: Compiler,
    /// Bytes of the smallest frame with a check; None if the kernel lacks `probe`.
    pub min_frame: Option<u32>,
    pub kstack_erase: bool,
    pub ftrace: Ftrace,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ftrace {
    /// Functions do not even begin with room for a call.
    Absent,
    Idle,
    /// A callback that does nothing.
    Calling,
}

/// Checks in larger frames only are far between: they are to see to as much as they can.
const OFTEN_ENOUGH: u32 = 128;
const MOST_MARGIN: u32 = 8192;

const CLANG: &str = "clang";
const GCC: &str = "gcc";
const KSTACK_ERASE: &str = "kstack-erase";

/// What others are compared with comes before them.
pub static ALL: [Recipe; 12] = [
    Recipe::clang(CLANG, None),
    Recipe::clang("clang-1", Some(1)),
    Recipe::clang("clang-64", Some(64)),
    Recipe::clang("clang-256", Some(256)),
    Recipe::clang("clang-1024", Some(1024)),
    Recipe::kstack_erase(KSTACK_ERASE, None),
    Recipe::kstack_erase("kstack-erase-64", Some(64)),
    // The functions that KSTACK_ERASE alone checks.
    Recipe::kstack_erase("kstack-erase-100", Some(100)),
    Recipe::gcc(GCC, None),
    Recipe::gcc("gcc-0", Some(0)),
    Recipe::ftrace("ftrace", Ftrace::Idle),
    Recipe::ftrace("ftrace-noop", Ftrace::Calling),
];

impl Recipe {
    const fn clang(name: &'static str, min_frame: Option<u32>) -> Self {
        Self {
            name,
            compiler: Compiler::Clang,
            min_frame,
            kstack_erase: false,
            ftrace: Ftrace::Absent,
        }
    }

    const fn kstack_erase(name: &'static str, min_frame: Option<u32>) -> Self {
        Self {
            kstack_erase: true,
            ..Self::clang(name, min_frame)
        }
    }

    const fn gcc(name: &'static str, min_frame: Option<u32>) -> Self {
        Self {
            compiler: Compiler::Gcc,
            ..Self::clang(name, min_frame)
        }
    }

    const fn ftrace(name: &'static str, ftrace: Ftrace) -> Self {
        Self {
            ftrace,
            ..Self::clang(name, None)
        }
    }

    /// The name of what it is compared with: a kernel without what is to be priced.
    pub fn base(&self) -> Option<&'static str> {
        let base = match self.compiler {
            _ if self.kstack_erase && self.min_frame.is_some() => KSTACK_ERASE,
            Compiler::Clang => CLANG,
            Compiler::Gcc => GCC,
        };
        (base != self.name).then_some(base)
    }

    pub fn methods(&self) -> &'static [&'static str] {
        match self.min_frame {
            // A check that has nothing to do is not free.
            Some(_) => &["off", "probe"],
            None => &["off"],
        }
    }

    /// Whether a thread may use up its stack without a check.
    pub fn is_risky(&self, method: &str) -> bool {
        method == "probe" && self.min_frame > Some(OFTEN_ENOUGH)
    }

    /// Whether so many functions can have checks.
    pub fn may_have(&self, checked: usize) -> bool {
        match self.min_frame {
            Some(bytes) if bytes > OFTEN_ENOUGH => true,
            None if !self.kstack_erase => checked == 0,
            _ => checked > 0,
        }
    }

    /// The configuration.
    pub fn asked(&self, ctx: &Context) -> Result<String> {
        let mut fragments = vec![Fragment::named(ctx, BARE)?];
        if self.min_frame.is_none() {
            fragments.push(Fragment::named(ctx, UNCHECKED)?);
        }
        Ok(kernel::asked(ctx, &fragments)? + &self.symbols())
    }

    /// What no fragment has.
    fn symbols(&self) -> String {
        let mut symbols = String::new();
        let mut ask = |symbol: &str, value: &str| {
            symbols += &format!("CONFIG_{symbol}={value}\n");
        };
        if let Some(bytes) = self.min_frame {
            ask("DYNAMIC_STACK_PROBE_MIN_FRAME", &bytes.to_string());
            if bytes > OFTEN_ENOUGH {
                ask("DYNAMIC_STACK_PROBE_MARGIN", &MOST_MARGIN.to_string());
            }
            if self.compiler == Compiler::Gcc {
                ask("GCC_PLUGINS", "y");
            }
        }
        if self.kstack_erase {
            ask("KSTACK_ERASE", "y");
        }
        if self.ftrace == Ftrace::Absent {
            ask("STACK_TRACER", "n");
            ask("FUNCTION_TRACER", "n");
        }
        symbols
    }

    fn describe(&self) -> String {
        let compiler = match self.compiler {
            Compiler::Clang => "clang",
            Compiler::Gcc => "GCC",
        };
        let erase = match self.kstack_erase {
            true => ", KSTACK_ERASE",
            false => "",
        };
        let checks = match self.min_frame {
            Some(0) => "checks in all functions".to_string(),
            Some(bytes) => format!("checks in frames from {bytes} bytes on"),
            None => "no checks for stacks to grow".to_string(),
        };
        let ftrace = match self.ftrace {
            Ftrace::Absent => "",
            Ftrace::Idle => ", function tracer that is not used",
            Ftrace::Calling => ", callback on all functions that does nothing",
        };
        format!("{compiler}{erase}, {checks}{ftrace}")
    }
}

/// Those asked for and what they are compared with, in the order above; all if none is.
pub fn select(asked: &[String]) -> Result<Vec<&'static Recipe>> {
    let names: Vec<_> = ALL.iter().map(|recipe| recipe.name).collect();
    for name in asked {
        ensure!(
            names.contains(&name.as_str()),
            "unknown kernel {name:?}, expected some of: {}",
            names.join(" ")
        );
    }
    let is_asked = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    let needed = |name: &str| {
        let mut others = ALL.iter().filter(|other| is_asked(other.name));
        others.any(|other| other.base() == Some(name))
    };
    let selected = ALL.iter();
    Ok(selected
        .filter(|recipe| is_asked(recipe.name) || needed(recipe.name))
        .collect())
}

/// For the command line.
pub fn help() -> String {
    let mut text = "Kernels:\n".to_string();
    for recipe in &ALL {
        let _ = writeln!(text, "  {:16}  {}", recipe.name, recipe.describe());
    }
    text
}

#[cfg(test)]
pub fn named(name: &str) -> &'static Recipe {
    ALL.iter().find(|recipe| recipe.name == name).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select_names(asked: &[&str]) -> Result<Vec<&'static str>> {
        let asked: Vec<_> = asked.iter().map(ToString::to_string).collect();
        Ok(select(&asked)?.iter().map(|recipe| recipe.name).collect())
    }

    #[test]
    fn a_kernel_brings_what_it_is_compared_with() {
        assert_eq!(
            select_names(&["kstack-erase-64", "gcc-0"]).unwrap(),
            ["kstack-erase", "kstack-erase-64", "gcc", "gcc-0"]
        );
        assert_eq!(select_names(&[]).unwrap().len(), ALL.len());
        let error = select_names(&["clang-2"]).unwrap_err().to_string();
        assert!(
            error.starts_with("unknown kernel \"clang-2\", expected some of: clang clang-1 "),
            "{error}"
        );
    }

    #[test]
    fn only_what_is_to_be_priced_is_on() {
        assert_eq!(
            named("gcc-0").symbols(),
            "CONFIG_DYNAMIC_STACK_PROBE_MIN_FRAME=0\nCONFIG_GCC_PLUGINS=y\n\
             CONFIG_STACK_TRACER=n\nCONFIG_FUNCTION_TRACER=n\n"
        );
        assert_eq!(named("ftrace").symbols(), "");
        assert!(!named("clang-64").symbols().contains("MARGIN"));
        assert!(named("clang-256").symbols().contains("MARGIN=8192\n"));
        assert_eq!(named("kstack-erase").methods(), ["off"]);
        assert!(named("kstack-erase").may_have(1) && !named("kstack-erase").may_have(0));
        assert!(named("clang").may_have(0) && !named("clang").may_have(1));
        assert!(named("kstack-erase").symbols().contains("KSTACK_ERASE=y"));
    }
}

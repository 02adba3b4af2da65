// SPDX-License-Identifier: GPL-2.0
//! The methods of the kernel option dynamic_stack=.

use anyhow::{Context as _, Result, bail, ensure};

use crate::kconfig::Config;

/// The baseline first.
pub const ALL: [&str; 4] = ["off", "lend", "fault", "probe"];

/// What the kernel logs about its method begins so.
const BOOT_LINE: &str = "dynamic_stack: method ";

/// The methods asked for, without repetition, in the order above.
pub fn select(asked: &[String]) -> Result<Vec<&'static str>> {
    let asked = words(asked);
    for name in &asked {
        ensure!(
            ALL.contains(&name.as_str()),
            "unknown method {name:?}, expected some of: {}",
            ALL.join(" ")
        );
    }
    let selected = ALL.into_iter();
    Ok(selected
        .filter(|method| asked.is_empty() || asked.iter().any(|name| name == method))
        .collect())
}

/// What a kernel needs to have the method.
pub fn symbol(method: &str) -> String {
    match method {
        "off" | "lend" => "CONFIG_DYNAMIC_STACK".to_string(),
        _ => format!("CONFIG_DYNAMIC_STACK_{}", method.to_uppercase()),
    }
}

/// Whether a kernel of this configuration has the method.
pub fn is_in(method: &str, config: &Config) -> bool {
    config.value(&symbol(method)) == "y"
}

/// The size of a stack in KiB, from the log of a kernel that uses `method`.
pub fn stack_kib(method: &str, log: &[String]) -> Result<u32> {
    let line = log.iter().find_map(|line| line.split_once(BOOT_LINE));
    let (_, said) = line.with_context(|| {
        format!("the kernel does not log '{BOOT_LINE}{method}': is CONFIG_DYNAMIC_STACK=y?")
    })?;
    let words: Vec<_> = said.split([' ', ',']).collect();
    match words.as_slice() {
        [name, "", slots, "slots", "of", bytes, "bytes"] if *name == method => {
            Ok(slots.parse::<u32>()? * bytes.parse::<u32>()? / 1024)
        }
        _ => bail!("the kernel says '{said}', expected '{method}, N slots of N bytes'"),
    }
}

/// The words of a list in which an empty variable left an empty one.
pub fn words(list: &[String]) -> Vec<String> {
    let words = list.iter().filter(|word| !word.is_empty());
    words.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nothing_asked_is_all() {
        assert_eq!(select(&list(&[])).unwrap(), ALL);
        assert_eq!(select(&list(&[""])).unwrap(), ALL);
        assert_eq!(select(&list(&["lend", "lend"])).unwrap(), ["lend"]);
    }

    #[test]
    fn methods_are_known_by_their_symbols() {
        let config = Config::parse("CONFIG_DYNAMIC_STACK=y\nCONFIG_DYNAMIC_STACK_FAULT=y\n");
        assert_eq!(
            ALL.map(|method| is_in(method, &config)),
            [true, true, true, false]
        );
        assert_eq!(symbol("probe"), "CONFIG_DYNAMIC_STACK_PROBE");
    }

    #[test]
    fn boot_line_gives_the_size() {
        let log = list(&["[ 0.1] dynamic_stack: method lend, 8 slots of 4096 bytes"]);
        assert_eq!(stack_kib("lend", &log).unwrap(), 32);
        let error = |method, log: &[String]| stack_kib(method, log).unwrap_err().to_string();
        assert!(error("off", &log).contains("expected 'off, N slots"));
        assert!(error("off", &[]).contains("CONFIG_DYNAMIC_STACK"));
    }

    #[test]
    fn unknown_method_names_the_known() {
        let error = select(&list(&["lent"])).unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown method \"lent\", expected some of: off lend fault probe"
        );
    }
}

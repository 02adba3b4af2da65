// SPDX-License-Identifier: GPL-2.0
//! Kernel configurations: reading them, and what became of what was asked for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Values by symbol, with the CONFIG_ prefix; later lines win.
#[derive(Default)]
pub struct Config(BTreeMap<String, String>);

impl Config {
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self::parse(&text))
    }

    pub fn parse(text: &str) -> Self {
        let mut values = BTreeMap::new();
        for line in text.lines() {
            if let Some((symbol, value)) = line.split_once('=') {
                if symbol.starts_with("CONFIG_") {
                    values.insert(symbol.to_string(), value.trim().to_string());
                }
            } else if let Some(rest) = line.strip_prefix("# CONFIG_") {
                if let Some(symbol) = rest.strip_suffix(" is not set") {
                    values.insert(format!("CONFIG_{symbol}"), "n".to_string());
                }
            }
        }
        Self(values)
    }

    /// The value, `n` for a symbol that is not there, strings without quotes.
    pub fn value(&self, symbol: &str) -> &str {
        self.0
            .get(symbol)
            .map_or("n", |value| value.trim_matches('"'))
    }

    /// What `self` asks for and `result` does not have: symbol and value.
    pub fn not_in(&self, result: &Config) -> Vec<(&str, &str)> {
        let asked = self
            .0
            .keys()
            .map(|symbol| (symbol.as_str(), self.value(symbol)));
        asked
            .filter(|(symbol, value)| result.value(symbol) != *value)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_lines_win_and_unset_is_n() {
        let config =
            Config::parse("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_A=m\nCONFIG_C=\"x y\"\n");
        assert_eq!(config.value("CONFIG_A"), "m");
        assert_eq!(config.value("CONFIG_B"), "n");
        assert_eq!(config.value("CONFIG_C"), "x y");
        assert_eq!(config.value("CONFIG_D"), "n");
    }

    #[test]
    fn what_was_dropped_is_named() {
        let asked = Config::parse("CONFIG_A=y\nCONFIG_RUST=y\nCONFIG_OFF=n\nCONFIG_T=-1\n");
        let result = Config::parse("CONFIG_A=y\n# CONFIG_OFF is not set\nCONFIG_T=0\n");
        assert_eq!(
            asked.not_in(&result),
            [("CONFIG_RUST", "y"), ("CONFIG_T", "-1")]
        );
    }
}

// SPDX-License-Identifier: GPL-2.0
//! Lines "key value", as the modules and the guest programs print them; the
//! "Key:  value kB" of /proc/meminfo is read too.

use std::collections::BTreeMap;
use std::str::FromStr;

use anyhow::{Context as _, Result};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, String>);

impl Values {
    /// Lines of another form are passed over; the last value of a key counts.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut values = BTreeMap::new();
        for line in lines {
            let mut words = line.split_whitespace();
            let (Some(key), Some(value)) = (words.next(), words.next()) else {
                continue;
            };
            if matches!(words.next(), None | Some("kB")) && words.next().is_none() {
                let key = key.trim_end_matches(':');
                values.insert(key.to_string(), value.to_string());
            }
        }
        Self(values)
    }

    pub fn text(&self, key: &str) -> Result<&str> {
        let value = self.0.get(key).map(String::as_str);
        value.with_context(|| format!("no value of {key} in the output"))
    }

    pub fn number<T: FromStr>(&self, key: &str) -> Result<T> {
        let text = self.text(key)?;
        let number = text.parse().ok();
        number.with_context(|| format!("{key} must be a number, not {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_meminfo_vmstat_and_own_lines() {
        let text = "MemFree:    1846312 kB\nnr_dynamic_stack_owned 120\n\
                    # a comment of words\nmethod lend\nswitch 2309.5\n";
        let values = Values::parse(text.lines());
        assert_eq!(values.number::<u64>("MemFree").unwrap(), 1_846_312);
        assert_eq!(values.number::<u64>("nr_dynamic_stack_owned").unwrap(), 120);
        assert_eq!(values.text("method").unwrap(), "lend");
        assert_eq!(values.number::<f64>("switch").unwrap(), 2309.5);
    }

    #[test]
    fn errors_name_the_key() {
        let values = Values::parse(["threads many"]);
        let error = |result: Result<u64>| result.unwrap_err().to_string();
        assert_eq!(
            error(values.number("lends")),
            "no value of lends in the output"
        );
        assert_eq!(
            error(values.number("threads")),
            "threads must be a number, not \"many\""
        );
    }
}

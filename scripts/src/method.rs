// SPDX-License-Identifier: GPL-2.0
//! The methods of the kernel option dynamic_stack=.

use anyhow::{Result, ensure};

/// The baseline first.
pub const ALL: [&str; 2] = ["off", "lend"];

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
    fn unknown_method_names_the_known() {
        let error = select(&list(&["lent"])).unwrap_err().to_string();
        assert_eq!(error, "unknown method \"lent\", expected some of: off lend");
    }
}

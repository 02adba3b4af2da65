// SPDX-License-Identifier: GPL-2.0
//! One kernel under one method, priced.

use anyhow::{Context as _, Result};

use super::recipe::Recipe;
use crate::bench::prices::{OPERATIONS, Prices, index_of};
use crate::margin::Code;

/// The operations that are compared.
pub const COLUMNS: [usize; 4] = [
    index_of("null_syscall"),
    index_of("switch"),
    index_of("pipe_round_trip"),
    index_of("file_read"),
];

pub struct Row {
    pub recipe: &'static Recipe,
    pub method: &'static str,
    /// Of `COLUMNS`, in that order.
    pub prices: [f64; COLUMNS.len()],
    pub text_bytes: u64,
    /// Functions that check the stack.
    pub checked: usize,
}

/// How much dearer the operation is that became dearest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Most {
    pub percent: f64,
    pub operation: &'static str,
}

impl Row {
    pub fn new(
        recipe: &'static Recipe,
        method: &'static str,
        prices: &Prices,
        code: &Code,
    ) -> Result<Self> {
        let mut row = Self {
            recipe,
            method,
            prices: Default::default(),
            text_bytes: code.text_bytes,
            checked: code.checked,
        };
        for (price, index) in row.prices.iter_mut().zip(COLUMNS) {
            let missing = || format!("{} was not measured", OPERATIONS[index].name);
            *price = prices.of(index).with_context(missing)?;
        }
        Ok(row)
    }

    pub fn label(&self) -> String {
        format!("{}, {}", self.recipe.name, self.method)
    }

    /// For programs.
    pub fn lines(&self) -> String {
        let prefix = format!("{}.{}", self.recipe.name, self.method);
        let prices = self.prices.iter().zip(COLUMNS);
        let mut lines: String = prices
            .map(|(price, index)| format!("{prefix}.{} {price:.2}\n", OPERATIONS[index].key))
            .collect();
        lines += &format!("{prefix}.text_bytes {}\n", self.text_bytes);
        lines + &format!("{prefix}.checked_functions {}\n", self.checked)
    }

    pub fn most_added_to(&self, base: &Row) -> Most {
        let prices = self.prices.iter().zip(base.prices).zip(COLUMNS);
        let added = prices.map(|((price, first), index)| Most {
            percent: 100.0 * (price / first - 1.0),
            operation: OPERATIONS[index].name,
        });
        let none = Most {
            percent: f64::NEG_INFINITY,
            operation: "nothing",
        };
        added.fold(none, |most, other| {
            if other.percent > most.percent {
                other
            } else {
                most
            }
        })
    }
}

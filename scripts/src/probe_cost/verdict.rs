// SPDX-License-Identifier: GPL-2.0
//! What the table says of two claims: that KSTACK_ERASE pays for the checks already,
//! and that ftrace is too dear a trigger.

use super::costs::Costs;
use super::row::Row;

/// In percent, of any operation.
const ALMOST_NOTHING: f64 = 1.0;

pub fn sentences(costs: &Costs) -> Vec<String> {
    let beside = costs.rows.iter();
    let beside = beside.filter_map(|row| beside_kstack_erase(costs, row));
    beside.chain(ftrace(costs)).collect()
}

/// None for other rows.
fn beside_kstack_erase(costs: &Costs, row: &Row) -> Option<String> {
    let bytes = row.recipe.min_frame?;
    if !row.recipe.kstack_erase || row.method != "probe" {
        return None;
    }
    let most = row.most_added_to(costs.compared_with(row)?);
    let holds = said(most.percent <= ALMOST_NOTHING);
    Some(format!(
        "with KSTACK_ERASE on, probe adds at most {:+.2} % ({}), with checks in frames from \
         {bytes} bytes on; almost no overhead: {holds} (limit 1 %)",
        most.percent, most.operation
    ))
}

/// None if it was not measured.
fn ftrace(costs: &Costs) -> Option<String> {
    let row = costs.row("ftrace-noop", "off")?;
    let base = costs.compared_with(row)?;
    let most = row.most_added_to(base);
    let mut sentence = format!(
        "ftrace as the trigger, with a callback that does nothing, adds up to {:+.2} % ({})",
        most.percent, most.operation
    );
    if let Some(idle) = costs.row("ftrace", "off") {
        let idle = idle.most_added_to(base);
        sentence += &format!(", {:+.2} % when idle ({})", idle.percent, idle.operation);
    }
    if let Some(checks) = costs.row("clang-1", "off") {
        let checks = checks.most_added_to(base);
        sentence += &format!(
            ", checks in all frames {:+.2} % ({}); dearer than checks: {}",
            checks.percent,
            checks.operation,
            said(most.percent > checks.percent)
        );
    }
    Some(sentence)
}

fn said(holds: bool) -> &'static str {
    match holds {
        true => "confirmed",
        false => "refuted",
    }
}

#[cfg(test)]
mod tests {
    use super::super::costs::tests::made_up;
    use super::*;

    #[test]
    fn the_dearest_operation_decides_over_kstack_erase() {
        let sentence = |switch: f64| {
            let costs = made_up(&[
                ("kstack-erase", "off", [400.0, 2000.0, 6000.0, 5000.0]),
                ("kstack-erase-64", "off", [400.0, 9000.0, 6000.0, 5000.0]),
                ("kstack-erase-64", "probe", [390.0, switch, 6000.0, 5005.0]),
            ]);
            let [sentence] = &sentences(&costs)[..] else {
                panic!("{costs}");
            };
            sentence.clone()
        };
        assert_eq!(
            sentence(2016.0),
            "with KSTACK_ERASE on, probe adds at most +0.80 % (context switch), with checks in \
             frames from 64 bytes on; almost no overhead: confirmed (limit 1 %)"
        );
        assert!(sentence(2021.0).contains("+1.05 % (context switch)"));
        assert!(sentence(2021.0).contains("refuted"));
    }

    #[test]
    fn ftrace_is_compared_with_checks_where_both_were_measured() {
        let mut rows = vec![
            ("clang", "off", [200.0, 2000.0, 6000.0, 5000.0]),
            ("ftrace-noop", "off", [900.0, 2000.0, 6000.0, 5000.0]),
        ];
        assert_eq!(
            sentences(&made_up(&rows)),
            [
                "ftrace as the trigger, with a callback that does nothing, adds up to \
              +350.00 % (null syscall)"
            ]
        );
        rows.push(("clang-1", "off", [210.0, 2000.0, 6000.0, 5000.0]));
        let sentences = sentences(&made_up(&rows));
        assert!(
            sentences[0].ends_with(
                ", checks in all frames +5.00 % (null syscall); dearer than checks: confirmed"
            ),
            "{sentences:?}"
        );
    }

    #[test]
    fn nothing_is_said_of_what_was_not_measured() {
        let rows = [
            ("clang", "off", [200.0; 4]),
            ("clang-1", "probe", [220.0; 4]),
            ("kstack-erase-64", "probe", [220.0; 4]),
        ];
        assert!(sentences(&made_up(&rows)).is_empty());
    }
}

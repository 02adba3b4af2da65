// SPDX-License-Identifier: GPL-2.0
//! Functions that call each other.

use super::depth::{Call, Node};

/// Sets of functions that call each other; most consist of one.
pub struct Circles {
    /// Of which set a function is.
    pub of: Vec<usize>,
    /// What is called comes before who calls it.
    pub members: Vec<Vec<usize>>,
}

impl Circles {
    /// Tarjan's algorithm, with its own stack in place of recursion.
    pub fn find(nodes: &[Node]) -> Self {
        const UNSEEN: usize = usize::MAX;
        let mut found = Self {
            of: vec![UNSEEN; nodes.len()],
            members: Vec::new(),
        };
        let mut number = vec![UNSEEN; nodes.len()];
        let mut low = number.clone();
        let (mut open, mut path) = (Vec::new(), Vec::new());
        let mut count = 0;
        for root in 0..nodes.len() {
            if number[root] != UNSEEN {
                continue;
            }
            path.push((root, 0));
            while let Some((node, next)) = path.pop() {
                if next == 0 {
                    number[node] = count;
                    low[node] = count;
                    count += 1;
                    open.push(node);
                }
                if let Some(Call { to, .. }) = nodes[node].before.calls.get(next) {
                    path.push((node, next + 1));
                    if number[*to] == UNSEEN {
                        path.push((*to, 0));
                    } else if found.of[*to] == UNSEEN {
                        low[node] = low[node].min(number[*to]);
                    }
                    continue;
                }
                if let Some((caller, _)) = path.last() {
                    low[*caller] = low[*caller].min(low[node]);
                }
                if low[node] == number[node] {
                    let start = open.iter().rposition(|member| *member == node).unwrap_or(0);
                    let members = open.split_off(start);
                    for member in &members {
                        found.of[*member] = found.members.len();
                    }
                    found.members.push(members);
                }
            }
        }
        found
    }
}

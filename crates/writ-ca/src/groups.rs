//! Which listed names share an intermediate.

use std::collections::BTreeSet;

use crate::certificate::bytes_of_name;
use crate::limits::GROUP_NAMES;

/// Names that share an intermediate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// `01`, `02` ...: the number in which it was made.
    pub id: String,
    /// Its names in lower case, sorted; each stands for itself and every name below it.
    pub hosts: Vec<String>,
}

/// Fewest names of a group, where there are as many: a group tells less of what one does if it is not alone.
const FEWEST: usize = 5;

/// The groups of these (service, name): 5 to 30 names and at most `room` bytes of names each, by service. Fewer than
/// five only if there are no more, or if five do not fit.
pub fn groups(hosts: &[(String, String)], room: usize) -> Vec<Group> {
    groups_beside(&[], hosts, room)
}

/// The groups to add beside existing ones, so that all of these (service, name) are listed. Existing groups stay as
/// they are: new names make new groups. The same input gives the same groups.
pub fn groups_beside(existing: &[Group], hosts: &[(String, String)], room: usize) -> Vec<Group> {
    let names: BTreeSet<&str> = hosts.iter().map(|(_, host)| host.as_str()).collect();
    let listed: BTreeSet<&str> = existing.iter().flat_map(|group| &group.hosts).map(String::as_str).collect();
    let wanted: BTreeSet<(&str, &str)> = hosts
        .iter()
        .map(|(service, host)| (service.as_str(), host.as_str()))
        .filter(|(_, host)| !under(host, &listed) && !parents(host).skip(1).any(|parent| names.contains(parent)))
        .collect();
    let mut seen = BTreeSet::new();
    let mut filled: Vec<Vec<&str>> = Vec::new();
    for (_, host) in wanted.into_iter().filter(|(_, host)| seen.insert(*host)) {
        match filled.last_mut() {
            Some(group) if fits(group, host, room) => group.push(host),
            _ => filled.push(vec![host]),
        }
    }
    share_with_last(&mut filled, room);
    let next = existing.iter().filter_map(|group| group.id.parse::<usize>().ok()).max().unwrap_or(0) + 1;
    let named = |(at, names): (usize, Vec<&str>)| {
        let mut hosts: Vec<String> = names.into_iter().map(str::to_owned).collect();
        hosts.sort_unstable();
        Group { id: format!("{:02}", next + at), hosts }
    };
    filled.into_iter().enumerate().map(named).collect()
}

/// The name and its parents, longest first.
pub(crate) fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent))
}

/// Whether a name is one of these or below one.
fn under(name: &str, listed: &BTreeSet<&str>) -> bool {
    parents(name).any(|parent| listed.contains(parent))
}

fn fits(group: &[&str], host: &str, room: usize) -> bool {
    let bytes: usize = group.iter().map(|name| bytes_of_name(name)).sum();
    group.len() < GROUP_NAMES.value() && bytes + bytes_of_name(host) <= room
}

/// Moves names from the last but one group into a last one that has too few.
fn share_with_last(groups: &mut [Vec<&str>], room: usize) {
    let [.., before, last] = groups else { return };
    while last.len() < FEWEST && before.len() > FEWEST {
        match before.pop() {
            Some(name) if fits(last, name, room) => last.push(name),
            Some(name) => return before.push(name),
            None => return,
        }
    }
}

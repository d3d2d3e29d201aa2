//! Bringing the folder of the serving machine up to what is listed; needs the root.

use std::collections::BTreeSet;

use writ_base::keys::SecretKey;
use writ_base::{Moment, Randomness};

use crate::groups::parents;
use crate::limits::NAMES;
use crate::listed::check_name;
use crate::{CaError, Folder, Group, Root, Stored, groups_beside};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// (service, name): all that the authority is to answer for, as [`crate::listed`] gives it.
    pub hosts: &'a [(String, String)],
    /// Days that new intermediates are valid, at most 730.
    pub days: u32,
    /// Issue every group anew, without names that are no longer listed, and remove its former intermediates.
    pub renew: bool,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extended {
    /// New groups.
    pub added: Vec<Group>,
    /// Groups with a new intermediate.
    pub renewed: Vec<Group>,
    /// Names that the authority can still answer for although they are not listed any more; renewing drops them.
    pub stale: Vec<String>,
    /// Names that were dropped, with their group or from it.
    pub dropped: Vec<String>,
}

/// Issues intermediates for what is listed and not yet covered, and stores them in `folder`, their keys sealed with
/// `key`. Existing groups stay as they are unless they are renewed. With another root than before everything must be
/// renewed: let devices trust the new root first.
///
/// # Errors
/// If a name cannot be listed, the root is another one and nothing is renewed, the root does not permit a name, or the
/// disk refuses. What was stored until then stays and is consistent; running it again goes on.
pub fn extend(
    folder: &Folder,
    root: &Root,
    extension: &Extension<'_>,
    key: &SecretKey,
    now: Moment,
    randomness: &dyn Randomness,
) -> Result<Extended, CaError> {
    extension.hosts.iter().try_for_each(|(_, host)| check_name(host))?;
    let stored = if folder.made() { folder.stored()? } else { Vec::new() };
    let same_root = folder.made() && folder.anchor()? == root.anchor_pem();
    if !stored.is_empty() && !same_root && !extension.renew {
        return Err(CaError::unusable(format!(
            "`{}` belongs to another root; once devices trust the new one, use `writ ca extend --renew`",
            folder.path().display()
        )));
    }
    let wanted: BTreeSet<&str> = extension.hosts.iter().map(|(_, host)| host.as_str()).collect();
    let (kept, stale) = without_stale(&stored, &wanted);
    let mut done = Extended::default();
    let existing: Vec<Group> = if extension.renew { kept } else { newest(&stored).cloned().collect() };
    let added = groups_beside(&existing, extension.hosts, root.room(now, randomness)?);
    check_number(&existing, &added)?;
    if !same_root {
        folder.write_anchor(&root.anchor_pem())?;
    }
    if extension.renew {
        for group in existing.into_iter().filter(|group| !group.hosts.is_empty()) {
            folder.store(&root.issue(&group, extension.days, now, randomness)?, key, randomness)?;
            done.renewed.push(group);
        }
        stored.iter().try_for_each(|former| folder.remove(former))?;
        done.dropped = stale;
    } else {
        done.stale = stale;
    }
    for group in added {
        folder.store(&root.issue(&group, extension.days, now, randomness)?, key, randomness)?;
        done.added.push(group);
    }
    Ok(done)
}

/// The newest certificate's group of each stored group.
fn newest(stored: &[Stored]) -> impl Iterator<Item = &Group> {
    let next = stored.iter().skip(1).map(Some).chain([None]);
    let last = |(one, next): &(&Stored, Option<&Stored>)| next.is_none_or(|next| next.group.id != one.group.id);
    stored.iter().zip(next).filter(last).map(|(one, _)| &one.group)
}

/// The groups with the names that are still wanted, and the others.
fn without_stale(stored: &[Stored], wanted: &BTreeSet<&str>) -> (Vec<Group>, Vec<String>) {
    let mut stale = Vec::new();
    let kept = newest(stored).map(|group| {
        let listed = |host: &&String| parents(host).any(|parent| wanted.contains(parent));
        let (kept, gone): (Vec<&String>, Vec<&String>) = group.hosts.iter().partition(listed);
        stale.extend(gone.into_iter().cloned());
        Group { id: group.id.clone(), hosts: kept.into_iter().cloned().collect() }
    });
    (kept.collect(), stale)
}

fn check_number(existing: &[Group], added: &[Group]) -> Result<(), CaError> {
    let number = existing.iter().chain(added).map(|group| group.hosts.len()).sum();
    if NAMES.admits(number) { Ok(()) } else { Err(CaError::limit(format!("listing {number} names"), &NAMES)) }
}

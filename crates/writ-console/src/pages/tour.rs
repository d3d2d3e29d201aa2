//! Buttons of tours.

use axum::extract::{Path, State};

use super::Shared;
use crate::frame::{Visit, stop_link};
use crate::parts::TourVisitor;
use crate::reply::{Failure, Reply, see};

/// `POST /tour/{tour}/act/{name}`: only what the stop that is shown has, and only if its visitor may.
pub(crate) async fn act(State(console): Shared, visit: Visit, Path((id, name)): Path<(String, String)>) -> Reply {
    let tour = console.tour(&id).ok_or(Failure::Missing)?;
    let number = visit.tour.as_ref().filter(|(shown, _)| *shown == id).map_or(1, |(_, number)| *number);
    let stop = number.checked_sub(1).and_then(|at| tour.stops.get(at)).ok_or(Failure::Missing)?;
    let act = stop.acts.iter().find(|act| act.name == name).ok_or(Failure::Missing)?;
    if act.needs.is_some_and(|needs| !visit.may(needs)) {
        return Err(Failure::Forbidden);
    }
    let tours = console.parts.tours.as_ref().ok_or(Failure::Missing)?;
    let outcome = tours.act(&id, &name, TourVisitor { roles: visit.roles.clone() }).await;
    console.say(visit.account, outcome.said);
    let link = outcome.link.as_deref().unwrap_or(&stop.link);
    let link = if link.starts_with('/') { link } else { "/" };
    Ok(see(&stop_link(&tour, number, link)))
}

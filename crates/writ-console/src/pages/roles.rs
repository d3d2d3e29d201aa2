//! Which role may do what: the table that the guard goes by.

use askama::Template;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use writ_identity::{Permission, Role, allows};

use super::Shared;
use crate::frame::{Frame, Visit};
use crate::reply::{Reply, page as show};
use crate::words::sentence;

/// The table.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Roles {
    /// The roles.
    pub(crate) roles: Vec<String>,
    /// The permissions.
    pub(crate) rows: Vec<RoleRow>,
}

/// One permission.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RoleRow {
    /// What it allows.
    pub(crate) permission: String,
    /// Whether each role has it.
    pub(crate) cells: Vec<bool>,
}

#[derive(Template)]
#[template(path = "roles.html")]
struct RolesPage {
    frame: Frame,
    view: Roles,
}

/// The table, read.
pub(crate) fn read() -> Roles {
    let row = |permission: &Permission| RoleRow {
        permission: sentence(permission.doc()),
        cells: Role::ALL.iter().map(|role| allows(*role, *permission)).collect(),
    };
    Roles {
        roles: Role::ALL.iter().map(|role| sentence(&role.as_str().replace('-', " "))).collect(),
        rows: Permission::ALL.iter().map(row).collect(),
    }
}

/// `GET /roles`
pub(crate) async fn page(State(console): Shared, visit: Visit) -> Reply {
    show(&RolesPage { frame: console.frame(&visit, "Who may do what"), view: read() })
}

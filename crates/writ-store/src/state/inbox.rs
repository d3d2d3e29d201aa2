//! The inbox: objections and requests of people, with an owner, a deputy and a clock (invariant GOV-1).

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use writ_base::keys::KeyPurpose;
use writ_base::{Moment, Sensitive, ids};
use writ_model::Term;
use writ_model::interaction::{InteractionId, PrincipalId};

use super::people::parse_principal;
use super::sealed::{act, admit_text};
use super::{State, StateError};
use crate::ledger::Ledger;
use crate::limits::{CASE_ROWS, CASES_OPEN};

ids! {
    /// A case of the inbox.
    pub struct CaseId = "cas_";
}

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaseKind {
    /// "This was a mistake."
    Objection,
    /// An exception from a clause.
    ExceptionRequest,
    /// A service to be vetted.
    VettingRequest,
}

impl CaseKind {
    /// All kinds.
    pub const ALL: &'static [Self] = &[Self::Objection, Self::ExceptionRequest, Self::VettingRequest];

    /// The word in tables and addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Objection => "objection",
            Self::ExceptionRequest => "exception-request",
            Self::VettingRequest => "vetting-request",
        }
    }
}

/// A case to be opened.
#[derive(Clone, Debug)]
pub struct NewCase {
    /// What is wanted.
    pub kind: CaseKind,
    /// The code of the stop that it is about.
    pub reference: Option<String>,
    /// The interaction that it is about.
    pub interaction: Option<InteractionId>,
    /// The clause that it is about.
    pub clause: Option<Term>,
    /// The service that it is about.
    pub service: Term,
    /// Who asks; whoever is not known, such as a protected person, is not kept.
    pub principal: Option<PrincipalId>,
    /// When it is to be answered.
    pub due: Moment,
    /// The role or account that answers.
    pub owner: String,
    /// The role or account that answers if the owner does not.
    pub deputy: String,
    /// What the person writes.
    pub message: Option<Sensitive<String>>,
    /// Whether the person lets the handler see what was marked.
    pub may_see_marks: bool,
}

/// A case, as its handler and the person see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// What is wanted.
    pub kind: CaseKind,
    /// The code of the stop that it is about.
    pub reference: Option<String>,
    /// The interaction that it is about.
    pub interaction: Option<InteractionId>,
    /// The clause that it is about.
    pub clause: Option<Term>,
    /// The service that it is about.
    pub service: Term,
    /// Who asked, in the present epoch; nobody where that is not kept.
    pub pseudonym: Option<String>,
    /// When it was opened.
    pub made: Moment,
    /// When it is to be answered.
    pub due: Moment,
    /// The role or account that answers.
    pub owner: String,
    /// The role or account that answers if the owner does not.
    pub deputy: String,
    /// What the person wrote.
    pub message: Option<Sensitive<String>>,
    /// Whether the person lets the handler see what was marked.
    pub may_see_marks: bool,
    /// The answer.
    pub answer: Option<CaseAnswer>,
}

/// The answer to a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseAnswer {
    /// The role that answered.
    pub by_role: String,
    /// Whether the person was right, or gets what was asked for.
    pub accepted: bool,
    /// The reason, in words for the person; gone with the person.
    pub text: Sensitive<String>,
    /// When.
    pub at: Moment,
}

/// Which cases are wanted. What is not set, is not asked for.
#[derive(Clone, Debug, Default)]
pub struct CaseFilter {
    /// Of these kinds; all if empty.
    pub kinds: Vec<CaseKind>,
    /// Without (`true`) or with (`false`) an answer.
    pub open: Option<bool>,
    /// Whose owner or deputy this is.
    pub handler: Option<String>,
}

/// The personal part of the entries about a case.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct CaseDetails<'a> {
    principal: Option<PrincipalId>,
    kind: CaseKind,
    reference: Option<&'a str>,
    text: Option<&'a str>,
}

const TABLE: &str = "cases";
const COLUMNS: &str = "id, kind, principal, reference, interaction, clause, service, made, due, owner, deputy, marks, \
                       message, answered, accepted, answered_by, answer";

impl State {
    /// Opens a case.
    ///
    /// # Errors
    /// If the message is too long, the person has too many cases open, or ledger or database refuse.
    pub async fn open_case(&self, new: &NewCase, ledger: &Ledger) -> Result<CaseId, StateError> {
        let text = new.message.as_ref().map(|message| message.expose().as_str());
        admit_text(text.unwrap_or_default())?;
        let principal = match new.principal {
            Some(principal) => self.known(principal).await?.filter(|protected| !protected).map(|_| principal),
            None => None,
        };
        if let Some(principal) = principal {
            self.admit_case(principal).await?;
        }
        let now = self.means.clock.now();
        let id = CaseId::new(now, &*self.means.randomness);
        let message = text.map(|text| self.seal(KeyPurpose::Case, TABLE, &id.to_string(), &text)).transpose()?;
        let details = CaseDetails { principal, kind: new.kind, reference: new.reference.as_deref(), text };
        self.act_about(ledger, act("case-open", id.to_string(), "employee"), principal, &details).await?;
        sqlx::query(
            "INSERT INTO cases (id, kind, principal, reference, interaction, clause, service, made, due, owner, deputy,
                                marks, message)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(id.to_string())
        .bind(new.kind.as_str())
        .bind(principal.map(|principal| principal.to_string()))
        .bind(&new.reference)
        .bind(new.interaction.map(|interaction| interaction.to_string()))
        .bind(new.clause.as_ref().map(ToString::to_string))
        .bind(new.service.as_str())
        .bind(now.nanos())
        .bind(new.due.nanos())
        .bind(&new.owner)
        .bind(&new.deputy)
        .bind(i64::from(new.may_see_marks))
        .bind(message)
        .execute(&self.pool)
        .await?;
        Ok(id)
    }

    /// Cases that fit: open ones by their due time, then answered ones from the newest answer.
    ///
    /// # Errors
    /// If one cannot be opened, or the database refuses.
    pub async fn cases(&self, filter: &CaseFilter) -> Result<Vec<Case>, StateError> {
        let mut statement = format!("SELECT {COLUMNS} FROM cases WHERE 1 = 1");
        match filter.open {
            Some(true) => statement.push_str(" AND answered IS NULL"),
            Some(false) => statement.push_str(" AND answered IS NOT NULL"),
            None => {}
        }
        if !filter.kinds.is_empty() {
            let kinds: Vec<String> = filter.kinds.iter().map(|kind| format!("'{}'", kind.as_str())).collect();
            statement.push_str(&format!(" AND kind IN ({})", kinds.join(", ")));
        }
        if filter.handler.is_some() {
            statement.push_str(" AND (owner = $1 OR deputy = $1)");
        }
        statement.push_str(&format!(
            " ORDER BY CASE WHEN answered IS NULL THEN 0 ELSE 1 END, answered DESC, due, id LIMIT {}",
            CASE_ROWS.value()
        ));
        let mut query = sqlx::query(AssertSqlSafe(statement));
        if let Some(handler) = &filter.handler {
            query = query.bind(handler);
        }
        query.fetch_all(&self.pool).await?.iter().map(|row| self.read_case(row)).collect()
    }

    /// One case.
    ///
    /// # Errors
    /// If it cannot be opened, or the database refuses.
    pub async fn case(&self, id: CaseId) -> Result<Option<Case>, StateError> {
        let statement = AssertSqlSafe(format!("SELECT {COLUMNS} FROM cases WHERE id = $1"));
        let row = sqlx::query(statement).bind(id.to_string()).fetch_optional(&self.pool).await?;
        row.map(|row| self.read_case(&row)).transpose()
    }

    /// The cases of one person, from the newest.
    ///
    /// # Errors
    /// If one cannot be opened, or the database refuses.
    pub async fn cases_of(&self, principal: PrincipalId) -> Result<Vec<Case>, StateError> {
        let statement = format!(
            "SELECT {COLUMNS} FROM cases WHERE principal = $1 ORDER BY made DESC, id LIMIT {}",
            CASE_ROWS.value()
        );
        let rows = sqlx::query(AssertSqlSafe(statement)).bind(principal.to_string()).fetch_all(&self.pool).await?;
        rows.iter().map(|row| self.read_case(row)).collect()
    }

    /// Answers a case, once, with a reason (GOV-1).
    ///
    /// # Errors
    /// If there is no such case, it has an answer, the reason is empty or too long, or ledger or database refuse.
    pub async fn answer_case(
        &self,
        id: CaseId,
        accepted: bool,
        text: &Sensitive<String>,
        role: &str,
        ledger: &Ledger,
    ) -> Result<(), StateError> {
        admit_text(text.expose())?;
        if text.expose().trim().is_empty() {
            return Err(StateError::Missing { what: "reason" });
        }
        let row = sqlx::query("SELECT kind, principal, answered FROM cases WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let row = row.ok_or(StateError::Missing { what: "case" })?;
        if row.try_get::<Option<i64>, _>("answered")?.is_some() {
            return Err(StateError::Closed { what: "case" });
        }
        let principal = row.try_get::<Option<String>, _>("principal")?.as_deref().map(parse_principal).transpose()?;
        let kind = read_kind(&row.try_get::<String, _>("kind")?)?;
        let sealed = self.seal(KeyPurpose::Case, TABLE, &format!("{id} answer"), text.expose())?;
        let details = CaseDetails { principal, kind, reference: None, text: Some(text.expose()) };
        let entry = act(if accepted { "case-accept" } else { "case-decline" }, id.to_string(), role);
        self.act_about(ledger, entry, principal, &details).await?;
        let done = sqlx::query(
            "UPDATE cases SET answered = $1, accepted = $2, answered_by = $3, answer = $4
             WHERE id = $5 AND answered IS NULL",
        )
        .bind(self.means.clock.now().nanos())
        .bind(i64::from(accepted))
        .bind(role)
        .bind(sealed)
        .bind(id.to_string())
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 0 { Err(StateError::Closed { what: "case" }) } else { Ok(()) }
    }

    async fn admit_case(&self, principal: PrincipalId) -> Result<(), StateError> {
        let row = sqlx::query("SELECT COUNT(*) FROM cases WHERE principal = $1 AND answered IS NULL")
            .bind(principal.to_string())
            .fetch_one(&self.pool)
            .await?;
        let open = usize::try_from(row.try_get::<i64, _>(0)?).unwrap_or(usize::MAX);
        let within = CASES_OPEN.admits(open.saturating_add(1));
        if within { Ok(()) } else { Err(StateError::OverLimit { limit: CASES_OPEN.name() }) }
    }

    fn read_case(&self, row: &AnyRow) -> Result<Case, StateError> {
        let unreadable = || StateError::Unreadable { table: TABLE };
        let id: CaseId = row.try_get::<String, _>("id")?.parse().map_err(|_| unreadable())?;
        let principal = row.try_get::<Option<String>, _>("principal")?.as_deref().map(parse_principal).transpose()?;
        let interaction: Option<String> = row.try_get("interaction")?;
        let open = |place: String, text: Option<String>| {
            text.map(|text| self.unseal(KeyPurpose::Case, TABLE, &place, &text).map(Sensitive::new)).transpose()
        };
        let message = open(id.to_string(), row.try_get("message")?)?;
        let text = open(format!("{id} answer"), row.try_get("answer")?)?;
        let answered: Option<i64> = row.try_get("answered")?;
        let answer = match answered {
            Some(at) => Some(CaseAnswer {
                by_role: row.try_get::<Option<String>, _>("answered_by")?.unwrap_or_default(),
                accepted: row.try_get::<Option<i64>, _>("accepted")?.unwrap_or(0) != 0,
                text: text.unwrap_or_default(),
                at: Moment::from_nanos(at),
            }),
            None => None,
        };
        Ok(Case {
            id,
            kind: read_kind(&row.try_get::<String, _>("kind")?)?,
            reference: row.try_get("reference")?,
            interaction: interaction.map(|text| text.parse().map_err(|_| unreadable())).transpose()?,
            clause: row.try_get::<Option<String>, _>("clause")?.map(Term::from),
            service: Term::from(row.try_get::<String, _>("service")?),
            pseudonym: principal.map(|principal| self.pseudonym(principal)).transpose()?,
            made: Moment::from_nanos(row.try_get("made")?),
            due: Moment::from_nanos(row.try_get("due")?),
            owner: row.try_get("owner")?,
            deputy: row.try_get("deputy")?,
            message,
            may_see_marks: row.try_get::<i64, _>("marks")? != 0,
            answer,
        })
    }
}

fn read_kind(text: &str) -> Result<CaseKind, StateError> {
    let found = CaseKind::ALL.iter().copied().find(|kind| kind.as_str() == text);
    found.ok_or(StateError::Unreadable { table: TABLE })
}

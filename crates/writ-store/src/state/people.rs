//! Principals, their logins, and the keys of persons.

use sqlx::Row;
use writ_base::hash::{hex, hmac_sha256, parse_hex};
use writ_base::keys::{KeyPurpose, SecretKey};
use writ_base::{Moment, Sensitive, id};
use writ_model::interaction::PrincipalId;

use super::{State, StateError};
use crate::files::unhex;
use crate::ledger::{Entry, KeyChange, KeyEvent, Ledger, NewEntry};
use crate::limits::PERSON_KEYS;
use crate::personal::{PersonKey, SealedIdentity, key_id, month, pseudonym};

/// A login as an identity source gives it: `("oidc", issuer and subject)`, `("api-key", its id)`.
#[derive(Clone, Debug)]
pub struct Login {
    /// The kind of source.
    pub source: String,
    /// The login itself; compared without regard to case.
    pub name: Sensitive<String>,
}

/// Who a login belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identified {
    /// The random internal id.
    pub principal: PrincipalId,
    /// Whether this login was seen for the first time.
    pub new: bool,
}

/// What an erasure removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Keys of months: so many months of records can no longer be read.
    pub keys: usize,
    /// Logins.
    pub logins: usize,
}

impl State {
    /// The principal of a login; a new one if nobody has it. `identity` is what a reveal will show (name, mail address),
    /// sealed to the reveal key and readable for nobody here.
    ///
    /// # Errors
    /// If there is no reveal key, or ledger or database refuse.
    pub async fn identify(
        &self,
        login: &Login,
        kind: &str,
        identity: &Sensitive<String>,
        ledger: &Ledger,
    ) -> Result<Identified, StateError> {
        if let Some(principal) = self.find_login(login).await? {
            return Ok(Identified { principal, new: false });
        }
        let (reveal_epoch, public) = self.means.keys.reveal_public().ok_or(StateError::NoRevealKey)?;
        let randomness = &*self.means.randomness;
        let principal = PrincipalId::from_bytes(*id::random(randomness).as_bytes());
        let name = principal.to_string();
        let sealed = SealedIdentity::seal(public, &name, identity.expose().as_bytes(), randomness);
        // The entry says that somebody is new, not who: ids of persons are in personal parts only.
        self.act(ledger, "principal-create", kind.to_owned(), "system").await?;
        let (epoch, digest) = self.login_digest(login)?;
        let mut transaction = self.pool.begin().await?;
        let taken = sqlx::query(
            "INSERT INTO login_aliases (digest, epoch, principal) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING",
        )
        .bind(&digest)
        .bind(i64::from(epoch))
        .bind(&name)
        .execute(&mut *transaction)
        .await?;
        if taken.rows_affected() == 0 {
            drop(transaction);
            let principal = self.find_login(login).await?.ok_or(StateError::Missing { what: "principal" })?;
            return Ok(Identified { principal, new: false });
        }
        sqlx::query("INSERT INTO principals (id, kind, made, identity, reveal_epoch) VALUES ($1, $2, $3, $4, $5)")
            .bind(&name)
            .bind(kind)
            .bind(self.means.clock.now().nanos())
            .bind(hex(sealed.as_bytes()))
            .bind(i64::from(reveal_epoch))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Identified { principal, new: true })
    }

    /// The principal of a login, if anybody has it. Logins found under an older identity key move to the present one.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn find_login(&self, login: &Login) -> Result<Option<PrincipalId>, StateError> {
        for (place, (_, key)) in self.means.keys.epochs(KeyPurpose::Identity).iter().enumerate() {
            let digest = digest_of(key, login);
            let row = sqlx::query("SELECT principal FROM login_aliases WHERE digest = $1")
                .bind(&digest)
                .fetch_optional(&self.pool)
                .await?;
            let Some(row) = row else { continue };
            let principal = parse_principal(&row.try_get::<String, _>(0)?)?;
            if place > 0 {
                let (epoch, present) = self.login_digest(login)?;
                sqlx::query("UPDATE login_aliases SET digest = $1, epoch = $2 WHERE digest = $3")
                    .bind(present)
                    .bind(i64::from(epoch))
                    .bind(digest)
                    .execute(&self.pool)
                    .await?;
            }
            return Ok(Some(principal));
        }
        Ok(None)
    }

    /// Another login of a principal.
    ///
    /// # Errors
    /// If the login is taken, or ledger or database refuse.
    pub async fn add_login(&self, principal: PrincipalId, login: &Login, ledger: &Ledger) -> Result<(), StateError> {
        self.act(ledger, "login-add", login.source.clone(), "system").await?;
        let (epoch, digest) = self.login_digest(login)?;
        sqlx::query("INSERT INTO login_aliases (digest, epoch, principal) VALUES ($1, $2, $3)")
            .bind(digest)
            .bind(i64::from(epoch))
            .bind(principal.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The displayed pseudonym of a principal in the present epoch.
    ///
    /// # Errors
    /// If the key is missing.
    pub fn pseudonym(&self, principal: PrincipalId) -> Result<String, StateError> {
        let (_, key) = self.means.keys.current(KeyPurpose::Pseudonym)?;
        Ok(pseudonym(&key, principal))
    }

    /// The sealed readable identity, and the epoch of the reveal key whose holders can open it.
    ///
    /// # Errors
    /// If there is no such principal, or it is a protected person, of whom no identity is kept.
    pub async fn sealed_identity(&self, principal: PrincipalId) -> Result<(SealedIdentity, u32), StateError> {
        let row = sqlx::query("SELECT identity, reveal_epoch, protected FROM principals WHERE id = $1")
            .bind(principal.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let row = row.ok_or(StateError::Missing { what: "principal" })?;
        if row.try_get::<i64, _>(2)? != 0 {
            return Err(StateError::Protected);
        }
        let unreadable = StateError::Unreadable { table: "principals" };
        let sealed = unhex(&row.try_get::<String, _>(0)?).ok_or(unreadable)?;
        Ok((SealedIdentity::from_bytes(sealed), u32::try_from(row.try_get::<i64, _>(1)?).unwrap_or(0)))
    }

    /// The key under which personal parts of this principal are sealed in the month of `at`. Made when it is first
    /// needed; asked for once per interaction, it then seals without waiting.
    ///
    /// # Errors
    /// If there is no such principal (never known, or erased), or ledger or database refuse.
    pub async fn person_key(
        &self,
        principal: PrincipalId,
        at: Moment,
        ledger: &Ledger,
    ) -> Result<PersonKey, StateError> {
        let month = month(at);
        if let Some(key) = self.person_keys.lock().get(&(principal, month)) {
            return Ok(key.clone());
        }
        let key = match self.stored_person_key(principal, month).await? {
            Some(key) => key,
            None => self.make_person_key(principal, month, ledger).await?,
        };
        let mut cache = self.person_keys.lock();
        if !PERSON_KEYS.admits(cache.len() + 1) {
            cache.clear();
        }
        cache.insert((principal, month), key.clone());
        Ok(key)
    }

    /// Opens the personal part of an entry; `None` if it has none or its person was erased.
    ///
    /// # Errors
    /// If the part cannot be opened although its key is there, or the database refuses.
    pub async fn open_personal(&self, entry: &Entry) -> Result<Option<Sensitive<Vec<u8>>>, StateError> {
        let (_, locator) = self.means.keys.current(KeyPurpose::Locator)?;
        let Some(id) = entry.personal.as_deref().and_then(|part| key_id(part, &locator)) else { return Ok(None) };
        let row = sqlx::query("SELECT id, kek_epoch, sealed FROM personal_keys WHERE id = $1")
            .bind(hex(&id))
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let key = self.unwrap_person_key(&row)?;
        let plain = key.open(entry).map_err(|_| StateError::Unreadable { table: "personal_keys" })?;
        Ok(Some(Sensitive::new(plain)))
    }

    /// Erases a person: keys, logins, identity, API keys, account and passwords, acknowledgements, notices, what
    /// directories said, reveals, and the words of cases. What is sealed in the ledger and in every copy of it becomes
    /// unreadable; the ledger stays verifiable, and says that keys were destroyed, not whose. The index, which knows
    /// those keys only, forgets them when it reads that entry.
    ///
    /// # Errors
    /// If there is no such principal, or ledger or database refuse. A call that failed can be repeated.
    pub async fn erase(&self, principal: PrincipalId, role: &str, ledger: &Ledger) -> Result<Erased, StateError> {
        let name = principal.to_string();
        let known =
            sqlx::query("SELECT id FROM principals WHERE id = $1").bind(&name).fetch_optional(&self.pool).await?;
        known.ok_or(StateError::Missing { what: "principal" })?;
        let rows = sqlx::query("SELECT id FROM personal_keys WHERE principal = $1 ORDER BY id")
            .bind(&name)
            .fetch_all(&self.pool)
            .await?;
        let keys: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        self.act(ledger, "person-erase", String::new(), role).await?;
        let event =
            KeyEvent { purpose: KeyPurpose::Personal, event: KeyChange::Destroyed, epoch: None, keys: keys.clone() };
        ledger.append(NewEntry::key_event(&event, self.means.clock.now())).await?;
        let mut transaction = self.pool.begin().await?;
        let logins = forget_rows(&mut transaction, &name).await?;
        transaction.commit().await?;
        self.person_keys.lock().retain(|(owner, _), _| *owner != principal);
        self.scrub().await?;
        Ok(Erased { keys: keys.len(), logins })
    }

    /// Destroys again what the ledger says was destroyed: after an older state database was restored beside a newer
    /// ledger. Returns how many keys were still there.
    ///
    /// # Errors
    /// If the ledger cannot be read or the database refuses.
    pub async fn repeat_erasures(
        &self,
        entries: impl Iterator<Item = Result<Entry, crate::LedgerError>>,
    ) -> Result<u64, StateError> {
        let mut removed = 0;
        for entry in entries {
            let Ok(event) = entry?.parse::<KeyEvent>() else { continue };
            if event.purpose != KeyPurpose::Personal || event.event != KeyChange::Destroyed {
                continue;
            }
            for key in event.keys {
                removed += self.forget_owner_of(&key).await?;
            }
        }
        if removed > 0 {
            self.person_keys.lock().clear();
            self.scrub().await?;
        }
        Ok(removed)
    }

    async fn forget_owner_of(&self, key: &str) -> Result<u64, StateError> {
        let mut transaction = self.pool.begin().await?;
        let row = sqlx::query("SELECT principal FROM personal_keys WHERE id = $1")
            .bind(key)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = row else { return Ok(0) };
        let principal: String = row.try_get(0)?;
        let keys = sqlx::query("SELECT id FROM personal_keys WHERE principal = $1")
            .bind(&principal)
            .fetch_all(&mut *transaction)
            .await?;
        forget_rows(&mut transaction, &principal).await?;
        transaction.commit().await?;
        Ok(keys.len() as u64)
    }

    /// Seals keys of persons anew under the present key-encryption key, and then forgets the former one. Begun by
    /// [`crate::keys::KeyStore::change_kek`]; completed at the next start if it was cut off.
    ///
    /// # Errors
    /// If the database or the key file refuse.
    pub async fn finish_kek_change(&self) -> Result<usize, StateError> {
        if self.means.keys.epochs(KeyPurpose::KeyEncryption).is_empty() {
            return Ok(0);
        }
        let (present, kek) = self.means.keys.current(KeyPurpose::KeyEncryption)?;
        let mut transaction = self.pool.begin().await?;
        let rows = sqlx::query("SELECT id, kek_epoch, sealed FROM personal_keys WHERE kek_epoch <> $1")
            .bind(i64::from(present))
            .fetch_all(&mut *transaction)
            .await?;
        for row in &rows {
            let key = self.unwrap_person_key(row)?;
            let sealed = kek.seal(&wrap_context(&key.id), key.key.expose(), &*self.means.randomness);
            sqlx::query("UPDATE personal_keys SET kek_epoch = $1, sealed = $2 WHERE id = $3")
                .bind(i64::from(present))
                .bind(hex(&sealed))
                .bind(hex(&key.id))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        self.means.keys.forget_former_kek(&*self.means.randomness)?;
        Ok(rows.len())
    }

    async fn stored_person_key(&self, principal: PrincipalId, month: i64) -> Result<Option<PersonKey>, StateError> {
        let row = sqlx::query("SELECT id, kek_epoch, sealed FROM personal_keys WHERE principal = $1 AND month = $2")
            .bind(principal.to_string())
            .bind(month)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| self.unwrap_person_key(&row)).transpose()
    }

    async fn make_person_key(
        &self,
        principal: PrincipalId,
        month: i64,
        ledger: &Ledger,
    ) -> Result<PersonKey, StateError> {
        let randomness = &*self.means.randomness;
        let id = *id::random(randomness).as_bytes();
        let event =
            KeyEvent { purpose: KeyPurpose::Personal, event: KeyChange::Made, epoch: None, keys: vec![hex(&id)] };
        ledger.append(NewEntry::key_event(&event, self.means.clock.now())).await?;
        let (epoch, kek) = self.means.keys.current(KeyPurpose::KeyEncryption)?;
        let sealed = kek.seal(&wrap_context(&id), SecretKey::generate(randomness).expose(), randomness);
        // Only for somebody who is there: whoever was erased in between gets no new key.
        sqlx::query(
            "INSERT INTO personal_keys (id, principal, month, kek_epoch, sealed)
             SELECT $1, id, $2, $3, $4 FROM principals WHERE id = $5 ON CONFLICT (principal, month) DO NOTHING",
        )
        .bind(hex(&id))
        .bind(month)
        .bind(i64::from(epoch))
        .bind(hex(&sealed))
        .bind(principal.to_string())
        .execute(&self.pool)
        .await?;
        self.stored_person_key(principal, month).await?.ok_or(StateError::Missing { what: "principal" })
    }

    fn unwrap_person_key(&self, row: &sqlx::any::AnyRow) -> Result<PersonKey, StateError> {
        let unreadable = || StateError::Unreadable { table: "personal_keys" };
        let id: [u8; 16] = parse_hex(&row.try_get::<String, _>(0)?).map_err(|_| unreadable())?;
        let epoch = u32::try_from(row.try_get::<i64, _>(1)?).map_err(|_| unreadable())?;
        let sealed = unhex(&row.try_get::<String, _>(2)?).ok_or_else(unreadable)?;
        let kek = self.means.keys.of_epoch(KeyPurpose::KeyEncryption, epoch)?;
        let plain = kek.open(&wrap_context(&id), &sealed).map_err(|_| unreadable())?;
        let bytes = <[u8; 32]>::try_from(plain.as_slice()).map_err(|_| unreadable())?;
        let (_, locator) = self.means.keys.current(KeyPurpose::Locator)?;
        Ok(PersonKey { id, key: SecretKey::from_bytes(bytes), locator, organisation: self.means.organisation })
    }

    fn login_digest(&self, login: &Login) -> Result<(u32, String), StateError> {
        let (epoch, key) = self.means.keys.current(KeyPurpose::Identity)?;
        Ok((epoch, digest_of(&key, login)))
    }
}

/// Every statement that removes what the tables hold of one principal. Cases stay as numbers: what was asked of which
/// clause, and whether it was granted, without words and without the one who asked.
const FORGET: &[&str] = &[
    "DELETE FROM personal_keys WHERE principal = $1",
    "DELETE FROM acknowledgements WHERE principal = $1",
    "DELETE FROM stops WHERE principal = $1",
    "DELETE FROM choices WHERE principal = $1",
    "DELETE FROM api_keys WHERE owner = $1 OR on_behalf_of = $1",
    "DELETE FROM api_tokens WHERE account IN (SELECT id FROM accounts WHERE principal = $1)",
    "DELETE FROM tickets WHERE account IN (SELECT id FROM accounts WHERE principal = $1)",
    "DELETE FROM reveal_approvals WHERE account IN (SELECT id FROM accounts WHERE principal = $1)",
    "DELETE FROM drafts WHERE account IN (SELECT id FROM accounts WHERE principal = $1)",
    "DELETE FROM accounts WHERE principal = $1",
    "DELETE FROM attributes WHERE principal = $1",
    "DELETE FROM passwords WHERE principal = $1",
    "DELETE FROM notices WHERE principal = $1",
    "DELETE FROM looks WHERE principal = $1",
    "UPDATE cases SET principal = NULL, reference = NULL, interaction = NULL, message = NULL, answer = NULL
     WHERE principal = $1",
    "DELETE FROM reveal_approvals WHERE reveal IN (SELECT id FROM reveals WHERE principal = $1)",
    "DELETE FROM reveals WHERE principal = $1",
    "DELETE FROM principals WHERE id = $1",
];

/// Removes a principal from all tables; returns how many logins it had.
async fn forget_rows(connection: &mut sqlx::AnyConnection, principal: &str) -> Result<usize, StateError> {
    let logins = sqlx::query("DELETE FROM login_aliases WHERE principal = $1")
        .bind(principal)
        .execute(&mut *connection)
        .await?
        .rows_affected();
    for statement in FORGET {
        sqlx::query(*statement).bind(principal).execute(&mut *connection).await?;
    }
    Ok(usize::try_from(logins).unwrap_or(usize::MAX))
}

fn digest_of(key: &SecretKey, login: &Login) -> String {
    let name = login.name.expose().to_lowercase();
    hex(&hmac_sha256(key.expose(), [b"login".as_slice(), login.source.as_bytes(), name.as_bytes()]))
}

fn wrap_context(id: &[u8; 16]) -> Vec<u8> {
    let mut context = b"writ personal key 1\n".to_vec();
    context.extend_from_slice(id);
    context
}

pub(super) fn parse_principal(text: &str) -> Result<PrincipalId, StateError> {
    text.parse().map_err(|_| StateError::Unreadable { table: "principals" })
}

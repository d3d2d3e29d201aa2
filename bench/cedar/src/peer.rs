//! Exported policies in Cedar's own authorizer.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use anyhow::{Context as _, anyhow};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RestrictedExpression, Schema, ValidationMode, Validator,
};
use serde_json::Value;
use writ_model::Facts;
use writ_policy::eval::Policy;
use writ_policy::export::cedar;

/// An exported policy, ready to be asked.
pub struct Peer {
    policies: PolicySet,
    entities: Entities,
    authorizer: Authorizer,
    types: Types,
}

/// The names of entity types, parsed once.
struct Types {
    who: EntityTypeName,
    action: EntityTypeName,
    service: EntityTypeName,
}

impl Peer {
    /// Exports a policy, and reads what was exported as Cedar reads it.
    ///
    /// # Errors
    /// If Cedar does not take it.
    pub fn of(policy: &Policy) -> anyhow::Result<Self> {
        let text = cedar::policies(policy);
        let policies =
            PolicySet::from_str(&text).map_err(|error| anyhow!("Cedar cannot read the policies: {error}"))?;
        let name = |kind: &str| EntityTypeName::from_str(&format!("Writ::{kind}")).context("a name of a type");
        let types = Types { who: name("Who")?, action: name("Action")?, service: name("Service")? };
        Ok(Self { policies, entities: Entities::empty(), authorizer: Authorizer::new(), types })
    }

    /// Holds the policies against their schema, strictly.
    ///
    /// # Errors
    /// If the schema cannot be read, or a policy does not fit it.
    pub fn validate(&self, policy: &Policy) -> anyhow::Result<()> {
        let (schema, _) = Schema::from_cedarschema_str(&cedar::schema(policy))
            .map_err(|error| anyhow!("Cedar cannot read the schema: {error}"))?;
        let result = Validator::new(schema).validate(&self.policies, ValidationMode::Strict);
        let errors: Vec<_> = result.validation_errors().map(ToString::to_string).collect();
        if errors.is_empty() { Ok(()) } else { Err(anyhow!("{}", errors.join("\n"))) }
    }

    /// The number of policies.
    pub fn len(&self) -> usize {
        self.policies.num_of_policies()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether Cedar allows a situation; the request is built from its facts.
    ///
    /// # Errors
    /// If something is pending, Cedar refuses the request, or a policy fails on it.
    pub fn allows(&self, facts: &Facts) -> anyhow::Result<bool> {
        let request = self.request(facts)?;
        let response = self.authorizer.is_authorized(&request, &self.policies, &self.entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(anyhow!("a policy fails: {error}"));
        }
        Ok(response.decision() == Decision::Allow)
    }

    /// The request for a situation.
    fn request(&self, facts: &Facts) -> anyhow::Result<Request> {
        let parts = cedar::Request::of(facts).context("something of the situation is pending")?;
        let uid = |kind: &EntityTypeName, id: &str| EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id));
        let Value::Object(context) = &parts.context else { return Err(anyhow!("the context is no object")) };
        let context = Context::from_pairs(context.iter().map(|(key, value)| (key.clone(), expression(value))))?;
        Ok(Request::new(
            uid(&self.types.who, &parts.principal),
            uid(&self.types.action, &parts.action),
            uid(&self.types.service, &parts.resource),
            context,
            None,
        )?)
    }
}

/// A value of the context as Cedar builds it fastest.
fn expression(value: &Value) -> RestrictedExpression {
    match value {
        Value::Bool(value) => RestrictedExpression::new_bool(*value),
        Value::Number(number) => RestrictedExpression::new_long(number.as_i64().unwrap_or_default()),
        Value::String(text) => RestrictedExpression::new_string(text.clone()),
        Value::Array(items) => RestrictedExpression::new_set(items.iter().map(expression)),
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields.iter().map(|(key, value)| (key.clone(), expression(value))).collect();
            // Keys of a map are different: the only thing that a record refuses.
            RestrictedExpression::new_record(fields).unwrap_or_else(|_| RestrictedExpression::new_bool(false))
        }
        Value::Null => RestrictedExpression::new_bool(false),
    }
}

//! Secrets on their way through the door: the socket is for one user, and nothing prints them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use writ_base::Sensitive;

/// A password, key or ticket. Prints as its size only; on the wire it is a string.
#[derive(Clone, Debug)]
pub(crate) struct Secret(pub(crate) Sensitive<String>);

impl Secret {
    /// The secret itself.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl From<Sensitive<String>> for Secret {
    fn from(secret: Sensitive<String>) -> Self {
        Self(secret)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|secret| Self(Sensitive::new(secret)))
    }
}

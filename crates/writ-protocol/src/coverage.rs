//! What the codecs declare: the places that each of them knows. Tests make a case of every one, and docs/coverage.md
//! says what came of it.

use std::collections::{BTreeMap, BTreeSet};

use writ_model::Direction;

use crate::codec;
use crate::endpoint::Endpoint;
use crate::shape::Shape;

/// What the text at a place is to its codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reading {
    /// Text that is read and can be edited.
    Text,
    /// Base64, a `data:` URL or a URL: text inside is read and can be edited, anything else is opaque.
    Content,
    /// Text that is read and has to stay as it is.
    Fixed,
    /// A name of content elsewhere: read, signalled, and has to stay as it is.
    Reference,
    /// Content that only the service reads: opaque.
    Encrypted,
}

/// The endpoints that have a codec, in the order of docs/coverage.md.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::OpenaiChat,
    Endpoint::OpenaiResponses,
    Endpoint::OpenaiOther,
    Endpoint::AnthropicMessages,
    Endpoint::AnthropicCountTokens,
    Endpoint::AnthropicBatches,
    Endpoint::GeminiGenerate { stream: false, sse: false },
    Endpoint::GeminiCountTokens,
    Endpoint::GeminiEmbed,
    Endpoint::AnyJson,
];

/// The places that the codec of an endpoint knows, by name; every codec also walks what it does not know, as
/// `(other fields)`.
pub fn declared(endpoint: Endpoint, direction: Direction) -> BTreeMap<&'static str, Reading> {
    let codec = match direction {
        Direction::Prompt => codec::prompt(endpoint),
        Direction::Answer => codec::answer(endpoint),
    };
    let mut places = BTreeMap::from([(crate::draft::ELSE.location, Reading::Text)]);
    collect(codec.shape, &mut BTreeSet::new(), &mut places);
    places
}

fn collect(shape: &'static Shape, seen: &mut BTreeSet<*const Shape>, places: &mut BTreeMap<&'static str, Reading>) {
    // Shapes refer to each other in circles: results hold content, which holds results.
    if !seen.insert(std::ptr::from_ref(shape)) {
        return;
    }
    let fields = match shape {
        Shape::Words(_) => return,
        Shape::Text(place) | Shape::Composite(place) | Shape::Tool(place) => {
            places.insert(place.location, Reading::Text);
            return;
        }
        Shape::Reference(place) => {
            places.insert(place.location, Reading::Reference);
            return;
        }
        Shape::Encrypted(place) => {
            places.insert(place.location, Reading::Encrypted);
            return;
        }
        Shape::Url(place, _) | Shape::Media(place, _) => {
            places.insert(place.location, Reading::Content);
            return;
        }
        Shape::Object(place, fields) => {
            places.extend(place.iter().map(|place| (place.location, Reading::Text)));
            fields
        }
        Shape::Turns(place, fields) => {
            places.insert(place.location, Reading::Text);
            fields
        }
    };
    fields.iter().for_each(|(_, shape)| collect(shape, seen, places));
}

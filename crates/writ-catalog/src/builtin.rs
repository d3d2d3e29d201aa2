//! The texts that ship.

/// The embedded texts, in the order of their file names in `catalog/services`.
pub const BUILTIN_TEXTS: &[&str] = &[
    include_str!("../../../catalog/services/agent.toml"),
    include_str!("../../../catalog/services/audio.toml"),
    include_str!("../../../catalog/services/coding-assistant.toml"),
    include_str!("../../../catalog/services/image.toml"),
    include_str!("../../../catalog/services/meeting-notes.toml"),
    include_str!("../../../catalog/services/model-api.toml"),
    include_str!("../../../catalog/services/public-chat.toml"),
    include_str!("../../../catalog/services/saas-feature.toml"),
    include_str!("../../../catalog/services/search.toml"),
    include_str!("../../../catalog/services/sign-in.toml"),
    include_str!("../../../catalog/services/video.toml"),
    include_str!("../../../catalog/services/writing.toml"),
];

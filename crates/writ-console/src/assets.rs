//! What pages load: one stylesheet, one script and one more in the studio, one icon; embedded, served under names that hold their hash.

use std::sync::LazyLock;

use writ_base::ContentHash;

/// A file served as it was built.
#[derive(Debug)]
pub(crate) struct Asset {
    /// The path: `/assets/style-0123456789ab.css`. It changes with the content, so that browsers may keep it for ever.
    pub(crate) path: String,
    /// The content type.
    pub(crate) media: &'static str,
    /// The bytes.
    pub(crate) bytes: &'static [u8],
}

/// The stylesheet.
pub(crate) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("style", "css", "text/css; charset=utf-8", include_bytes!("../assets/style.css")));
/// The script.
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("script", "js", "text/javascript; charset=utf-8", include_bytes!("../assets/script.js"))
});
/// The script of the studio.
pub(crate) static STUDIO: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("studio", "js", "text/javascript; charset=utf-8", include_bytes!("../assets/studio.js"))
});
/// The icon.
pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_bytes!("../assets/icon.svg")));

impl Asset {
    fn new(name: &str, ending: &str, media: &'static str, bytes: &'static [u8]) -> Self {
        Self { path: format!("/assets/{name}-{}.{ending}", ContentHash::of(bytes).short()), media, bytes }
    }
}

/// The file at this path.
pub(crate) fn at(path: &str) -> Option<&'static Asset> {
    [&*STYLE, &*SCRIPT, &*STUDIO, &*ICON].into_iter().find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for asset in [&*STYLE, &*SCRIPT, &*STUDIO, &*ICON] {
            let text = std::str::from_utf8(asset.bytes).unwrap().replace("http://www.w3.org/2000/svg", "");
            assert!(
                !text.contains("//example") && !text.contains("http:") && !text.contains("https:"),
                "{}",
                asset.path
            );
            assert!(at(&asset.path).is_some());
        }
        assert!(at("/assets/style.css").is_none());
    }
}

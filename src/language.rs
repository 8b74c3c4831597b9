//! The languages that the search of posts knows: PostgreSQL's own configurations of full-text search.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Declares [`Language`] with the names that PostgreSQL has for them, which the check of `posts.language`
/// lists too.
macro_rules! languages {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// The language of a text: how the search finds the stems of its words. `simple` is none of them, and
        /// takes words as they are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
        #[serde(rename_all = "lowercase")]
        #[sqlx(type_name = "text", rename_all = "lowercase")]
        pub enum Language {
            $(#[doc = concat!("`", $name, "`.")] $variant,)+
        }

        impl Language {
            /// All of them, by name.
            pub const ALL: &[(&str, Self)] = &[$(($name, Self::$variant)),+];

            /// The language as queries name it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

languages! {
    Arabic = "arabic",
    Armenian = "armenian",
    Basque = "basque",
    Catalan = "catalan",
    Danish = "danish",
    Dutch = "dutch",
    English = "english",
    Finnish = "finnish",
    French = "french",
    German = "german",
    Greek = "greek",
    Hindi = "hindi",
    Hungarian = "hungarian",
    Indonesian = "indonesian",
    Irish = "irish",
    Italian = "italian",
    Lithuanian = "lithuanian",
    Nepali = "nepali",
    Norwegian = "norwegian",
    Portuguese = "portuguese",
    Romanian = "romanian",
    Russian = "russian",
    Serbian = "serbian",
    Simple = "simple",
    Spanish = "spanish",
    Swedish = "swedish",
    Tamil = "tamil",
    Turkish = "turkish",
    Yiddish = "yiddish",
}

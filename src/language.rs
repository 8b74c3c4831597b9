//! The languages that the search of posts knows: PostgreSQL's own configurations of full-text search.

use crate::text_enum::text_enum;

/// Declares [`Language`] by PostgreSQL's names, which the check of `posts.language` lists too.
macro_rules! languages {
    ($($variant:ident = $name:tt),+ $(,)?) => {
        text_enum! {
            /// The language of a text: how the search finds the stems of its words. `simple` is none of them, and
            /// takes words as they are.
            pub enum Language {
                $(#[doc = concat!("`", $name, "`.")] $variant = $name,)+
            }
        }

        impl Language {
            /// All of them, by name.
            pub const ALL: &[(&str, Self)] = &[$(($name, Self::$variant)),+];
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

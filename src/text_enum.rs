//! Enums whose cases are words.

/// Declares an enum with its words in JSON, in the OpenAPI document, in the database and in queries.
macro_rules! text_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $case:ident = $word:tt,)+ }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema, sqlx::Type,
        )]
        #[sqlx(type_name = "text")]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] #[sqlx(rename = $word)] $case,)+
        }

        impl $name {
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$case => $word,)+ }
            }
        }
    };
}
pub(crate) use text_enum;

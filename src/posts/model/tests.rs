//! Properties of slugs, references and tags.

use proptest::prelude::*;

use super::*;
use crate::http::validation::Rule;

proptest! {
    #[test]
    fn every_title_gives_a_valid_slug(title in any::<String>(), random in any::<u32>()) {
        let slug = Slug::from_title(&title);
        prop_assert_eq!(slug.check(), Ok(()));
        prop_assert_eq!(slug.with_suffix(random).check(), Ok(()));
    }

    #[test]
    fn long_titles_give_valid_slugs(title in "[a-zA-Z0-9 ]{60,200}", random in any::<u32>()) {
        let slug = Slug::from_title(&title);
        prop_assert_eq!(slug.check(), Ok(()));
        prop_assert_eq!(slug.with_suffix(random).check(), Ok(()));
    }

    #[test]
    fn a_path_names_a_post_by_id_or_by_slug(text in any::<String>(), id in any::<u128>()) {
        let id = Uuid::from_u128(id);
        prop_assert_eq!(id.to_string().parse(), Ok(PostRef::Id(id)));
        let Ok(post) = text.parse::<PostRef>();
        prop_assert!(post.id().is_some() != post.slug().is_some());
    }

    #[test]
    fn stored_tags_are_lower_case_and_distinct(tags in proptest::collection::vec("[a-zA-Z]{1,3}", 0..10)) {
        let tags: Vec<Tag> = tags.iter().map(|tag| Tag::from(tag.as_str())).collect();
        let stored = stored_tags(&tags);
        prop_assert!(stored.iter().all(|tag| *tag == tag.to_lowercase()));
        prop_assert!(tags.iter().all(|tag| stored.contains(&tag.as_str().to_lowercase())));
        let mut distinct = stored.clone();
        distinct.sort();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), stored.len());
    }
}

#[test]
fn titles_become_slugs() {
    let slug = |title| Slug::from_title(title).as_str().to_owned();
    assert_eq!(slug("Hello, World!"), "hello-world");
    assert_eq!(slug("Čtyři & půl"), "ctyri-pul");
    assert_eq!(slug("!!!"), "post");
    assert_eq!(slug("0199f4a2-7d1c-7a52-9c53-0f9b6c1e2d3a"), "post-0199f4a2-7d1c-7a52-9c53-0f9b6c1e2d3a");
}

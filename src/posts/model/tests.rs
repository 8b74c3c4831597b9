//! Properties of slugs, references and tags.

use proptest::prelude::*;

use super::*;
use crate::http::validation::Rule;

fn any_language() -> impl Strategy<Value = Language> {
    proptest::sample::select(Language::ALL).prop_map(|(_, language)| language)
}

proptest! {
    #[test]
    fn every_title_gives_a_valid_slug(title in any::<String>(), language in any_language(), random in any::<u32>()) {
        let slug = Slug::from_title(&title, language);
        prop_assert_eq!(slug.check(), Ok(()));
        prop_assert_eq!(slug.with_suffix(random).check(), Ok(()));
    }

    #[test]
    fn long_titles_give_valid_slugs(title in "[a-zA-Z0-9 ]{60,200}", random in any::<u32>()) {
        let slug = Slug::from_title(&title, Language::English);
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
    let slug = |title| Slug::from_title(title, Language::English).as_str().to_owned();
    assert_eq!(slug("Hello, World!"), "hello-world");
    assert_eq!(slug("Čtyři & půl"), "ctyri-pul");
    assert_eq!(slug("!!!"), "post");
    assert_eq!(slug("0199f4a2-7d1c-7a52-9c53-0f9b6c1e2d3a"), "post-0199f4a2-7d1c-7a52-9c53-0f9b6c1e2d3a");
}

#[test]
fn titles_are_spelled_in_latin_letters_as_their_language_does() {
    use Language::*;
    for (language, title, slug) in [
        (German, "Über die Größe der Häuser", "ueber-die-groesse-der-haeuser"),
        (German, "U\u{308}ber STRASSE & STRAẞE", "ueber-strasse-strasse"),
        (English, "Über Motörhead", "uber-motorhead"),
        (Danish, "Rødgrød på ærø", "roedgroed-paa-aeroe"),
        (Norwegian, "Ærlig Åse på Ø", "aerlig-aase-paa-oe"),
        (Swedish, "Åtta ölbåtar är kvar", "atta-olbatar-ar-kvar"),
        (Finnish, "Hyvää yötä", "hyvaa-yota"),
        (Turkish, "Işık, İğne ve ÜZÜM", "isik-igne-ve-uzum"),
        (Hungarian, "Őrült űrhajó", "orult-urhajo"),
        (Catalan, "La col·lecció", "la-colleccio"),
        (French, "L’œuvre d’été", "l-oeuvre-d-ete"),
        (Russian, "Большой объезд", "bolshoy-obezd"),
        (Russian, "Ёж и юля", "yozh-i-yulya"),
        (Serbian, "Ђорђе и Љиља", "djordje-i-ljilja"),
        (Serbian, "Đorđe živi", "djordje-zivi"),
        (Greek, "Η Ελλάδα και το αύριο", "i-ellada-kai-to-avrio"),
        (Greek, "Χρόνος του φόβου", "chronos-tou-fovou"),
        (Arabic, "عربي", "rby"),
        (English, "日本語", "ri-ben-yu"),
    ] {
        assert_eq!(Slug::from_title(title, language).as_str(), slug, "{language:?} {title}");
    }
}

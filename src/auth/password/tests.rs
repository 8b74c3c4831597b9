//! Rules of passwords, and how many hashes are computed at once.

use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::*;

fn secret(text: &str) -> SecretString {
    text.to_owned().into()
}

fn password(text: &str) -> Password {
    Password::from(text.to_owned())
}

#[tokio::test]
async fn only_the_right_password_is_verified() {
    let passwords = Passwords::new(1).unwrap();
    let hash = passwords.hash(None, password("correct horse")).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert!(
        passwords.verify(&Attempt::uncounted(), password("correct horse"), Some(hash.clone())).await.unwrap()
    );
    assert!(!passwords.verify(&Attempt::uncounted(), password("Correct horse"), Some(hash)).await.unwrap());
    assert!(!passwords.verify(&Attempt::uncounted(), password("correct horse"), None).await.unwrap());
}

#[tokio::test]
async fn a_password_is_the_same_however_its_characters_are_composed() {
    let passwords = Passwords::new(1).unwrap();
    let forms = ["pass caf\u{e9} 1", "pass cafe\u{301} 1", "\u{ff50}ass\u{a0}caf\u{e9}\u{3000}\u{ff11}"];
    for stored in forms {
        let hash = passwords.hash(None, password(stored)).await.unwrap();
        for typed in forms {
            let attempt = Attempt::uncounted();
            assert!(
                passwords.verify(&attempt, password(typed), Some(hash.clone())).await.unwrap(),
                "{typed}"
            );
        }
    }
    // What was stored before there was a normal form.
    let old = hash(&secret(forms[1]), Params::DEFAULT, &mut Vec::new()).unwrap().to_string();
    assert!(passwords.verify(&Attempt::uncounted(), password(forms[1]), Some(old)).await.unwrap());
}

#[test]
fn a_password_of_blanks_is_refused() {
    let code = |text: &str| password(text).check().err().map(|(code, _)| code);
    for blank in [" ", "\t", "\u{a0}", "\u{3000}", "\u{200b}", "\u{3164}", "\u{2800}", "\u{2028}", "\u{feff}"]
    {
        assert_eq!(code(&blank.repeat(12)), Some("blank"), "{blank:?}");
    }
    assert_eq!((code(""), code("short"), code("  a  b  c")), (Some("too_short"), Some("too_short"), None));
}

#[test]
fn the_decoy_is_a_hash_that_argon2_works_on() {
    let passwords = Passwords::new(1).unwrap();
    assert_eq!(verify(&secret("anything"), &passwords.decoy, &mut Vec::new()), Ok(false));
}

#[test]
fn hashes_that_others_made_are_verified() {
    let theirs = Argon2::default().hash_password(b"correct horse").unwrap().to_string();
    assert_eq!(verify(&secret("correct horse"), &theirs, &mut Vec::new()), Ok(true));
    let ours = hash(&secret("correct horse"), Params::DEFAULT, &mut Vec::new()).unwrap().to_string();
    assert!(Argon2::default().verify_password(b"correct horse", &*ours).is_ok());
    // Memory that another hash has used, and that is too small.
    let mut memory = Vec::new();
    for kib in [64, 1024, 64] {
        let params = Params::new(kib, 1, 1, None).unwrap();
        let hash = hash(&secret("correct horse"), params, &mut memory).unwrap().to_string();
        assert_eq!(verify(&secret("correct horse"), &hash, &mut memory), Ok(true));
        assert_eq!(verify(&secret("wrong horse"), &hash, &mut memory), Ok(false));
    }
}

#[tokio::test]
async fn hashes_share_the_memory_of_those_that_run_at_once() {
    let passwords = Passwords::new(2).unwrap();
    let hashes = (0..10).map(|_| passwords.hash(None, password("correct horse")));
    for hash in futures_util::future::join_all(hashes).await {
        hash.unwrap();
    }
    let memories = passwords.memories.0.lock().unwrap();
    assert!((1..=2).contains(&memories.len()), "{}", memories.len());
    assert!(memories.iter().all(|memory| memory.len() == MEMORY_KIB as usize));
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let passwords = Passwords::new(1).unwrap();
    let mut all: Vec<_> =
        (0..=QUEUE).map(|_| Box::pin(passwords.hash(None, password("whatever1")))).collect();
    for waiting in &mut all {
        assert!(futures_util::poll!(waiting).is_pending());
    }
    let refused = passwords.hash(None, password("whatever1")).await;
    assert!(matches!(refused, Err(PasswordError::Work(WorkError::Full))));
}

#[tokio::test]
async fn one_address_leaves_room_for_others() {
    let passwords = Passwords::new(1).unwrap();
    let [greedy, other] = [1, 2].map(|last| Some(IpAddr::from([203, 0, 113, last])));
    let mut all: Vec<_> =
        (0..MAX_OF_ADDRESS).map(|_| Box::pin(passwords.hash(greedy, password("whatever1")))).collect();
    for waiting in &mut all {
        assert!(futures_util::poll!(waiting).is_pending());
    }
    let refused = passwords.hash(greedy, password("whatever1")).await;
    assert!(matches!(refused, Err(PasswordError::TooMany)));
    assert!(futures_util::poll!(Box::pin(passwords.hash(other, password("whatever1")))).is_pending());
    for waiting in all {
        waiting.await.unwrap();
    }
    passwords.hash(greedy, password("whatever1")).await.unwrap();
}

#[test]
fn common_passwords_are_known_whatever_their_case() {
    assert!(password("Password123").is_common());
    assert!(!password("correct horse battery").is_common());
    assert!(COMMON.lines().all(|line| line.len() >= 8 && line == line.to_lowercase()));
}

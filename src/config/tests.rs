//! Defaults, demands of production, and errors that name the variable.

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
    Config::from_variables(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
        .map_err(|error| error.to_string())
}

#[test]
fn nothing_configured_is_development() {
    let config = read(&[]).unwrap();
    assert_eq!(config.environment, Environment::Development);
    assert_eq!((config.port, config.log_level.as_str(), config.log_format), (8000, "info", LogFormat::Text));
    assert!(config.database.location.is_none() && config.migrate_on_start);
    assert_eq!((config.drain_delay, config.shutdown_timeout), (Duration::ZERO, Duration::from_secs(5)));
}

#[test]
fn production_has_its_own_defaults_and_demands() {
    assert_eq!(
        read(&[("ENVIRONMENT", "production")]).unwrap_err(),
        "DB_SECRET_ID or DATABASE_URL is required in production"
    );
    let url = ("DATABASE_URL", "postgres://u:p@h/d");
    let config = read(&[("ENVIRONMENT", "production"), url]).unwrap();
    assert!(matches!(config.database.ssl_mode, Some(PgSslMode::VerifyFull)));
    assert_eq!(config.database.ssl_roots, SslRoots::Rds);
    assert_eq!((config.log_format, config.migrate_on_start), (LogFormat::Json, false));
    assert_eq!(
        (config.drain_delay, config.shutdown_timeout),
        (Duration::from_secs(20), Duration::from_mins(1))
    );
    assert_eq!(
        read(&[("ENVIRONMENT", "production"), url, ("DB_SSL_MODE", "require")]).unwrap_err(),
        "DB_SSL_MODE must be verify-full in production"
    );
}

#[test]
fn every_variable_at_fault_is_named() {
    let errors = read(&[
        ("ENVIRONMENT", "staging"),
        ("PORT", "http"),
        ("METRICS_NAMESPACE", "AWS/ECS"),
        ("LOG_LEVEL", "loud=very"),
        ("LOG_FORMAT", "xml"),
        ("DATABASE_URL", "mysql://root:hunter2@localhost/blog"),
        ("DB_PORT", "postgres"),
        ("DB_SSL_MODE", "maybe"),
        ("DB_SSL_ROOT_CERT", "/nowhere/roots.pem"),
        ("DB_MAX_CONNECTIONS", "0"),
        ("DB_ACQUIRE_TIMEOUT", "soon"),
        ("MIGRATE_ON_START", "1"),
        ("TRUSTED_PROXY_HOPS", "-1"),
        ("PUBLIC_URL", "blog.example"),
        ("WEBHOOK_ALLOW", "10.0.0.0/8, intranet"),
        ("RATE_LIMIT_ADDRESS", "0"),
        ("RATE_LIMIT_ACCOUNT", "1/s"),
        ("RATE_LIMIT_ACCOUNT_KIB", "64 MiB"),
        ("ADDRESS_CONCURRENCY", "0"),
        ("ATTEMPT_LIMITS", "10"),
        ("CACHE_MAX_BYTES", "64MB"),
        ("CORS_ALLOWED_ORIGINS", "https://blog.example, blog.example/"),
        ("DEFAULT_ROLE", "admin"),
        ("PASSWORD_BLOCKLIST", "no"),
    ])
    .unwrap_err();
    let named: Vec<_> = errors.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(
        named,
        [
            "ENVIRONMENT",
            "PORT",
            "METRICS_NAMESPACE",
            "LOG_LEVEL",
            "LOG_FORMAT",
            "DATABASE_URL",
            "DB_PORT",
            "DB_SSL_MODE",
            "DB_SSL_ROOT_CERT",
            "DB_MAX_CONNECTIONS",
            "DB_ACQUIRE_TIMEOUT",
            "MIGRATE_ON_START",
            "TRUSTED_PROXY_HOPS",
            "PUBLIC_URL",
            "WEBHOOK_ALLOW",
            "RATE_LIMIT_ADDRESS",
            "RATE_LIMIT_ACCOUNT",
            "RATE_LIMIT_ACCOUNT_KIB",
            "ADDRESS_CONCURRENCY",
            "ATTEMPT_LIMITS",
            "CACHE_MAX_BYTES",
            "CORS_ALLOWED_ORIGINS",
            "DEFAULT_ROLE",
            "PASSWORD_BLOCKLIST",
        ]
    );
    assert!(!errors.contains("hunter2"), "{errors}");
}

#[test]
fn the_url_wins_over_the_secret_and_a_host_alone_is_refused() {
    let secret = [("DB_SECRET_ID", "blog-api/database"), ("DB_HOST", "db.example"), ("DB_PORT", "5433")];
    let location = read(&secret).unwrap().database.location;
    assert!(
        matches!(&location, Some(Location::Secret { id, host: Some(host), port: Some(5433), name: None })
            if id == "blog-api/database" && host == "db.example"),
        "{location:?}"
    );
    let both = [secret.as_slice(), &[("DATABASE_URL", "postgres://u:p@h/d")]].concat();
    assert!(matches!(read(&both).unwrap().database.location, Some(Location::Url(_))));
    assert_eq!(read(&secret[1..2]).unwrap_err(), "DB_HOST needs DB_SECRET_ID, which has the credentials");
}

#[test]
fn a_secret_is_not_in_debug_output() {
    let config = read(&[("DATABASE_URL", "postgres://blog:hunter2@localhost/blog")]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_rate_is_requests_a_minute_or_off() {
    let read =
        |value| read(&[("RATE_LIMIT_ADDRESS", value)]).unwrap().rate_limit_address.map(NonZeroU32::get);
    assert_eq!((read(""), read("30"), read("off")), (Some(600), Some(30), None));
}

#[test]
fn durations_take_seconds_or_a_unit() {
    let read = |value| read(&[("DRAIN_DELAY", value)]).unwrap().drain_delay;
    assert_eq!(read("3"), Duration::from_secs(3));
    assert_eq!(read("1500ms"), Duration::from_millis(1500));
    assert_eq!(read("2min"), Duration::from_mins(2));
}

#[test]
fn the_public_url_is_an_address_that_paths_can_follow() {
    let read = |value| read(&[("PUBLIC_URL", value)]).map(|config| config.public_url);
    for address in ["https://blog.example", "http://localhost:3000", "https://example.com/blog"] {
        assert_eq!(read(address).unwrap().as_deref(), Some(address));
    }
    for other in [
        "blog.example",
        "/blog",
        "ftp://blog.example",
        "https://",
        "https://blog.example/",
        "https://ada@blog.example",
        "https://blog.example?a=b",
        "https://blog.example#top",
        "https://blog example",
    ] {
        assert!(read(other).unwrap_err().starts_with("PUBLIC_URL must be a URL"), "{other}");
    }
}

#[test]
fn mail_is_set_up_as_a_whole_or_not_at_all() {
    let production = [("ENVIRONMENT", "production"), ("DATABASE_URL", "postgres://u:p@h/d")];
    let mail = |variables: &[(&str, &str)]| {
        read(&[&production[..], variables].concat()).map(|config| config.mail.map(|mail| mail.account_url))
    };
    assert_eq!(mail(&[]), Ok(None));
    assert_eq!(mail(&[("MAIL_URL", "off"), ("MAIL_FROM", "a@b.example")]), Ok(None));
    assert!(read(&[]).unwrap().mail.is_some());
    assert!(read(&[("MAIL_URL", "off")]).unwrap().mail.is_none());
    // What is mailed to others is not for everybody who reaches the port.
    let database = ("DATABASE_URL", "postgres://u:p@h/d");
    for (variables, is_local) in
        [(&[][..], false), (&[database], true), (&[database, ("MAIL_URL", "outbox")], false)]
    {
        let transport = read(variables).unwrap().mail.unwrap().transport;
        assert!(
            matches!(transport, mail::TransportConfig::Outbox { local } if local == is_local),
            "{variables:?}"
        );
    }
    assert!(mail(&[("MAIL_URL", "outbox")]).unwrap_err().starts_with("MAIL_URL"));
    let (url, from) = (("MAIL_URL", "smtp://user:hunter2@host"), ("MAIL_FROM", "My blog <a@b.example>"));
    assert_eq!(
        mail(&[url]).unwrap_err().lines().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>(),
        ["MAIL_FROM", "API_URL"]
    );
    let api = ("API_URL", "https://api.example");
    assert_eq!(mail(&[url, from, api]), Ok(Some("https://api.example/account".to_owned())));
    let account = ("ACCOUNT_URL", "https://blog.example/me");
    assert_eq!(mail(&[url, from, api, account]), Ok(Some("https://blog.example/me".to_owned())));
    for (name, value) in
        [("MAIL_URL", "smtp://user:hunter2@"), ("MAIL_FROM", "nobody"), ("API_URL", "api.example")]
    {
        let error = mail(&[(name, value), from, api, url]).unwrap_err();
        assert!(error.starts_with(name) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_hash_is_64_hexadecimal_digits() {
    let read = |value: &str| {
        read(&[("MAIL_EVENTS_TOKEN_SHA256", value)]).map(|config| config.mail_events_token_hash)
    };
    assert_eq!(read(&"0F".repeat(32)), Ok(Some([15; 32])));
    assert_eq!(read(""), Ok(None));
    for wrong in ["0f", &"0f".repeat(33), &"+f".repeat(32), &"ｆ".repeat(64), &format!("{}é", "0".repeat(62))]
    {
        assert!(read(wrong).unwrap_err().starts_with("MAIL_EVENTS_TOKEN_SHA256 must be"), "{wrong}");
    }
}

#[test]
fn verified_sign_ups_need_mail() {
    let sign_up = |variables: &[(&str, &str)]| read(variables).map(|config| config.sign_up);
    assert_eq!(sign_up(&[]), Ok(SignUp::Open));
    assert_eq!(sign_up(&[("SIGN_UP", "verified")]), Ok(SignUp::Verified));
    assert_eq!(sign_up(&[("SIGN_UP", "closed"), ("MAIL_URL", "off")]), Ok(SignUp::Closed));
    let error = sign_up(&[("SIGN_UP", "verified"), ("MAIL_URL", "off")]).unwrap_err();
    assert_eq!(error, "SIGN_UP cannot be `verified` without mail: set MAIL_URL");
    // A mistake there is named once.
    let error = sign_up(&[("SIGN_UP", "verified"), ("MAIL_URL", "pigeon:")]).unwrap_err();
    assert!(error.starts_with("MAIL_URL") && error.lines().count() == 1, "{error}");
    let error = sign_up(&[("SIGN_UP", "shut")]).unwrap_err();
    assert!(["SIGN_UP", "open", "verified", "closed"].iter().all(|word| error.contains(word)), "{error}");
}

<?php
// Debian's wp-config.php reads it from /etc/wordpress, by the name of the host that is asked.
foreach ([
    'DB_NAME' => 'wordpress', 'DB_USER' => 'wordpress', 'DB_PASSWORD' => 'wordpress', 'DB_HOST' => 'localhost:@STATE@/mysql.sock',
    'DB_CHARSET' => 'utf8mb4', 'WP_HOME' => 'http://127.0.0.1:@PORT@', 'WP_SITEURL' => 'http://127.0.0.1:@PORT@', 'WP_DEBUG' => false,
    'WP_HTTP_BLOCK_EXTERNAL' => true, 'DISABLE_WP_CRON' => true, 'AUTOMATIC_UPDATER_DISABLED' => true, 'DISALLOW_FILE_MODS' => true,
] as $name => $value) {
    define($name, $value);
}
foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $name) {
    define($name . '_KEY', 'of a benchmark');
    define($name . '_SALT', 'of a benchmark');
}

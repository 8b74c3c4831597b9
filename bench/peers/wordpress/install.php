<?php
// Installs an empty site: no mail, no sample posts.
define('WP_INSTALLING', true);
$_SERVER['HTTP_HOST'] = '127.0.0.1';
$_SERVER['SERVER_NAME'] = '127.0.0.1';
function wp_new_blog_notification() {}
function wp_install_defaults($user_id) {
    $term = wp_insert_term('Uncategorized', 'category', ['slug' => 'uncategorized']);
    update_option('default_category', $term['term_id']);
}
require '/usr/share/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('Bench', 'admin', 'admin@example.com', true, '', 'bench-password');
global $wp_rewrite;
$wp_rewrite->set_permalink_structure('/%postname%/');
$wp_rewrite->flush_rules(false);

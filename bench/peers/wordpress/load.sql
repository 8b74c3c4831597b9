set sql_mode = '';
load data local infile 'users' into table wp_users (ID, user_login, user_nicename, user_email, user_registered, display_name);
load data local infile 'posts' into table wp_posts (ID, post_author, post_date, post_date_gmt, post_content, post_title, post_excerpt, post_status, post_name, post_modified, post_modified_gmt, comment_count) set to_ping = '', pinged = '', post_content_filtered = '', post_type = 'post', guid = concat('urn:', ID);
load data local infile 'comments' into table wp_comments (comment_ID, comment_post_ID, comment_author, comment_author_email, comment_date, comment_date_gmt, comment_content, comment_approved, comment_type, user_id);
load data local infile 'terms' into table wp_terms (term_id, name, slug);
load data local infile 'term_taxonomy' into table wp_term_taxonomy (term_taxonomy_id, term_id, taxonomy, description, parent, count);
load data local infile 'term_relationships' into table wp_term_relationships (object_id, term_taxonomy_id, term_order);
insert into wp_term_relationships select ID, 1, 0 from wp_posts where ID > 10000;
analyze table wp_users, wp_posts, wp_comments, wp_terms, wp_term_taxonomy, wp_term_relationships;

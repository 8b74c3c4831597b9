-- RFC 3339 has no later time. The service takes none any more; a ban that ended later ends then.
update users set banned_until = '9999-12-31T23:59:59.999999Z', version = version + 1
where banned_until > '9999-12-31T23:59:59.999999Z';

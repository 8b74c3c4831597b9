#!/usr/bin/env bash
# Usage: run once by the image, on a new database. Makes the master role as RDS has it: it creates roles and
# owns the database, but is no superuser.
set -euo pipefail

psql -v ON_ERROR_STOP=1 -v password="$(cat /credentials/master-password)" -U postgres -d blog <<'SQL'
create role blog_master login createrole password :'password';
alter database blog owner to blog_master;
SQL

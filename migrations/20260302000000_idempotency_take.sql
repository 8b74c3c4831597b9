-- Takes a key for the transaction, unless another one has it, and gives the response to the request with it that is
-- not older than `since`. In plpgsql, since each of its statements sees what was committed before it: a statement that
-- did both would look for the response before it has the key.
create function idempotency_take(lock bigint, key bytea, since timestamptz)
  returns table (taken boolean, fingerprint bytea, status smallint, headers jsonb, people uuid[], body bytea)
  language plpgsql volatile as $$
begin
  if not pg_try_advisory_xact_lock(lock) then
    return query select false, null::bytea, null::smallint, null::jsonb, null::uuid[], null::bytea;
    return;
  end if;
  return query
    select true, k.fingerprint, k.status, k.headers, coalesce(k.people, '{}'), k.body
    from (select) nothing left join idempotency_keys k on k.key_hash = key and k.created_at > since;
end $$;

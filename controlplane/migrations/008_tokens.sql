-- What a service account's key was last exchanged for.  Not tied to the
-- credential's row, which is written anew with each change of its channel.
create table credential_token (
    credential_id text primary key,
    token      blob,             -- sealed; NULL: none yet
    key        blob not null,    -- digest of the key it was got with
    got_ms     integer not null,
    expires_ms integer not null, -- 0: there is none
    error      text not null,    -- '': the last try succeeded
    failed_ms  integer not null,
    failures   integer not null  -- in a row
) strict, without rowid;

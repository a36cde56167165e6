-- Log-ins at providers.  An account's tokens serve any number of channels; a
-- credential with an account has no secret of its own.

create table oauth_account (
    id         text primary key,
    provider   text not null,
    name       text not null unique collate nocase,
    status     text not null,       -- "active", "needs_login"
    identity   text not null,       -- what the provider calls it; '': not told
    email      text not null,
    scope      text not null,
    access     blob,                -- sealed
    refresh    blob,                -- sealed; NULL: it cannot be renewed
    got_ms     integer not null,    -- when the access token was asked for
    life_ms    integer not null,    -- how long it is good from then on
    refreshed_ms integer not null,
    last_error text not null,       -- '': all is well
    failed_ms  integer not null,
    failures   integer not null,    -- in a row
    created_ms integer not null,
    updated_ms integer not null,
    rev        integer not null
) strict, without rowid;

alter table credential add column account_id text
    references oauth_account (id);
create index credential_account on credential (account_id)
    where account_id is not null;

-- A log-in that was begun: its state may come back once, within ten minutes.
create table oauth_login (
    state      blob primary key,    -- its digest
    provider   text not null,
    account    text not null,       -- the name wished for; '': none
    redirect_uri text not null,
    verifier   blob not null,       -- sealed
    actor      text not null,       -- who began it, for the audit log
    actor_kind text not null,
    actor_id   text not null,
    expires_ms integer not null
) strict, without rowid;
create index oauth_login_expires on oauth_login (expires_ms);

-- People who log in, and what they or a token hold while they are.
create table user (
    id         text primary key,
    name       text not null unique collate nocase,
    role       text not null,    -- viewer, admin, owner
    password   text not null,    -- Argon2id, as libsodium writes it
    created_ms integer not null,
    updated_ms integer not null,
    rev        integer not null,
    seen_ms    integer not null  -- last log-in; 0: never
) strict, without rowid;

create table session (
    digest     blob primary key, -- of the cookie
    user_id    text references user (id) on delete cascade,
    token      blob,             -- or: digest of the admin token it came from
    address    text not null,
    created_ms integer not null,
    seen_ms    integer not null
) strict, without rowid;
create index session_user on session (user_id, created_ms);

-- What a token may do: JSON list; see controlplane/scope.h.
alter table admin_token add column scopes text not null default '["*"]';
alter table admin_token add column expires_ms integer not null default 0;
alter table admin_token add column used_ms integer not null default 0;

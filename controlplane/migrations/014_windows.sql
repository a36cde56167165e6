-- How much of their subscription windows accounts have used.
create table usage_window (
    channel_id    text not null references channel (id) on delete cascade,
    credential_id text not null,
    name          text not null,
    used_permille integer not null,
    reset_ms      integer not null, -- 0: not told
    noted_ms      integer not null,
    primary key (channel_id, credential_id, name)
) strict, without rowid;

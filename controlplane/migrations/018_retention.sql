-- What rows that are not kept any longer had: quotas without an end count on.
create table request_gone (
    tenant_id text not null,
    key_id    text not null,
    requests  integer not null,
    tokens    integer not null,
    primary key (tenant_id, key_id)
) strict, without rowid;

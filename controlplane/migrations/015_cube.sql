-- Of all dimensions together there are nearly as many as requests, so rule and
-- tag are summed up on their own only.  The sums are made again from the rows.
drop table usage_cube;
delete from usage_sum;
delete from meta where name = 'rollup_mark';

create table usage_cube (
    level integer not null,
    at_ms integer not null,
    tenant_id text not null,
    key_id text not null,
    channel_id text not null,
    model text not null,
    requests integer not null,
    failed integer not null,
    unknown integer not null,
    estimated integer not null,
    unpriced integer not null,
    input_tokens integer not null,
    cache_read_tokens integer not null,
    cache_write_tokens integer not null,
    output_tokens integer not null,
    reasoning_tokens integer not null,
    duration_ms integer not null,
    cost integer not null,
    saved integer not null,
    primary key (level, at_ms, tenant_id, key_id, channel_id, model)
) strict, without rowid;

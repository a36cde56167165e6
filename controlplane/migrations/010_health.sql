-- What health checks found; whether and how often a channel is checked, where it
-- differs from the settings: {"enabled","interval_s"}.
create table health_check (
    channel_id text not null references channel (id) on delete cascade,
    at_ms      integer not null,
    verdict    text not null,
    status     integer,          -- NULL: no answer
    connect_ms integer not null,
    latency_ms integer not null,
    message    text not null
) strict;
create index health_check_channel on health_check (channel_id, at_ms);
alter table channel add column health_check text not null default '{}';

-- Whose prompt a request holds, and the program that sent it: what was taken in
-- before is nobody's.
alter table request add column agent text not null default '';
alter table request add column client text not null default '';
insert into usage_sum (level, dim, at_ms, name, requests, failed, unknown,
    estimated, unpriced, input_tokens, cache_read_tokens, cache_write_tokens,
    output_tokens, reasoning_tokens, duration_ms, cost, saved, hist)
select u.level, d.column1, u.at_ms, '', u.requests, u.failed, u.unknown,
    u.estimated, u.unpriced, u.input_tokens, u.cache_read_tokens,
    u.cache_write_tokens, u.output_tokens, u.reasoning_tokens, u.duration_ms,
    u.cost, u.saved, u.hist
from usage_sum u join (values (7), (8)) d where u.dim = 0;

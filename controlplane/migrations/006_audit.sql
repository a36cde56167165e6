-- Who, from where, and the item before and after; see controlplane/audit.h.
alter table audit add column actor_kind text not null default '';
alter table audit add column actor_id text not null default '';
alter table audit add column address text not null default '';
alter table audit add column item_before text;
alter table audit add column item_after text;
create index audit_at on audit (at_ms);
create index audit_item on audit (item_id, id);

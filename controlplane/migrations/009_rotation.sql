-- A key's text before it was rotated, good for a while; 0: there is none.
alter table client_key add column old_digest blob;
alter table client_key add column old_last4 text not null default '';
alter table client_key add column old_until_ms integer not null default 0;

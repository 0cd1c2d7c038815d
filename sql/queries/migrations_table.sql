create table if not exists dt.migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())

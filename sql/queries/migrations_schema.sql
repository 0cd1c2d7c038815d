create schema if not exists dt

-- How many characters were seen in the last 30 days.
select count(*) from dt.characters where telemetry_at > now() - interval '30 days';

-- What is dead already gets its class from its reason, and the moment of its last change.
UPDATE "delivery" SET "dead_at" = "updated_at", "failure" = CASE
    WHEN "reason" = 'attempts_exhausted' THEN CASE WHEN "in_doubt" THEN 'uncertain' ELSE 'exhausted' END
    WHEN "reason" = 'throttled_too_long' THEN 'throttled'
    WHEN "reason" = 'misconfigured' THEN 'misconfigured'
    WHEN "reason" = 'template' THEN 'unrenderable'
    WHEN "reason" = 'lost_too_many_workers' THEN 'poison'
    ELSE 'rejected'
  END
WHERE "state" = 'dead';
--> statement-breakpoint
-- The audit trail is added to and read, and nothing else: not even its owner has the right to change or remove a row. The
-- trigger holds where rights do not: a superuser has all of them.
REVOKE UPDATE, DELETE, TRUNCATE ON "audit_event" FROM PUBLIC;
--> statement-breakpoint
REVOKE UPDATE, DELETE, TRUNCATE ON "audit_event" FROM CURRENT_USER;
--> statement-breakpoint
CREATE FUNCTION "audit_is_final"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit_event is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
--> statement-breakpoint
CREATE TRIGGER "audit_is_final" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_event"
  FOR EACH STATEMENT EXECUTE FUNCTION "audit_is_final"();

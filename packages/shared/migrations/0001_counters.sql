-- Counters that are wrong after a crash are only limits that start again, so they need no write-ahead log.
ALTER TABLE "rate_limit" SET UNLOGGED;
--> statement-breakpoint
-- Many rows change state a few times and then stay: leave room for updates in place.
ALTER TABLE "delivery" SET (fillfactor = 70);
--> statement-breakpoint
ALTER TABLE "notification" SET (fillfactor = 85);
--> statement-breakpoint
-- The class of a delivery's state: what a notification's counters count.
CREATE FUNCTION "delivery_class"("state" text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN state IN ('scheduled', 'queued', 'sending', 'retrying', 'ambiguous') THEN 'open'
    WHEN state IN ('sent', 'delivered') THEN 'sent'
    WHEN state = 'dead' THEN 'dead'
    WHEN state = 'cancelled' THEN 'cancelled'
    ELSE 'none'
  END
$$;
--> statement-breakpoint
-- Whatever statement moves deliveries, the counters of their notifications move in the same transaction. The rows are
-- locked in the order of their ids first, so that two batches never wait for each other, and the counters are changed by
-- difference, so that two deliveries of one notification may end at the same instant.
CREATE FUNCTION "delivery_moved"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM notification
    WHERE id IN (
      SELECT n.notification_id FROM after_rows n JOIN before_rows o USING (id)
      WHERE delivery_class(n.state) <> delivery_class(o.state))
    ORDER BY id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  WITH moved AS (
    SELECT n.notification_id,
      count(*) FILTER (WHERE delivery_class(n.state) = 'open') - count(*) FILTER (WHERE delivery_class(o.state) = 'open') AS opened,
      count(*) FILTER (WHERE delivery_class(n.state) = 'sent') - count(*) FILTER (WHERE delivery_class(o.state) = 'sent') AS sent,
      count(*) FILTER (WHERE delivery_class(n.state) = 'dead') - count(*) FILTER (WHERE delivery_class(o.state) = 'dead') AS dead,
      count(*) FILTER (WHERE delivery_class(n.state) = 'cancelled') - count(*) FILTER (WHERE delivery_class(o.state) = 'cancelled') AS cancelled,
      min(n.sent_at) AS sent_at
    FROM after_rows n JOIN before_rows o USING (id)
    WHERE delivery_class(n.state) <> delivery_class(o.state)
    GROUP BY n.notification_id)
  UPDATE notification SET
    open_count = open_count + moved.opened,
    sent_count = sent_count + moved.sent,
    dead_count = dead_count + moved.dead,
    cancelled_count = cancelled_count + moved.cancelled,
    sent_at = least(notification.sent_at, moved.sent_at)
  FROM moved WHERE notification.id = moved.notification_id;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER "delivery_moved" AFTER UPDATE ON "delivery"
  REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION "delivery_moved"();

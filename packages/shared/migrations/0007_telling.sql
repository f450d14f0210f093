ALTER TABLE "alert" ADD COLUMN "untold" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "alert" ADD COLUMN "exhausted" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "alert" ADD COLUMN "unmailed" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "alert_bundled" ADD COLUMN "notification_id" uuid NOT NULL;--> statement-breakpoint
CREATE INDEX "alert_unheard" ON "alert" USING btree ("id") WHERE status = 'open' AND (untold OR exhausted);--> statement-breakpoint
CREATE INDEX "alert_unmailed" ON "alert" USING btree ("id") WHERE status = 'open' AND unmailed;